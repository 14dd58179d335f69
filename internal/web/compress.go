package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/guestlist/guestlist/internal/negotiate"
)

// minCompressSize is from how many bytes on an answer is compressed: less fits into one
// packet as it is.
const minCompressSize = 1 << 10

// What answers are written into, to be used again. It bounds nothing and is
// dropped when memory is short.
var (
	buffers     = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	gzipWriters = sync.Pool{New: func() any {
		w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed) // a tenth of a millisecond for a page of fifty people
		if err != nil {
			panic(err) // the level is one of the package's own
		}
		return w
	}}
)

func newBuffer() *bytes.Buffer {
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	return b
}

// writeResponse writes an answer whole, compressed for a client that takes gzip.
//
// Who reads along sees how long an answer is, and of a compressed one that tells
// whether two parts of it are alike. So one is sent as it is where its header says
// no-transform, as a page with a secret must, and where another site had the
// browser ask, which is how somebody would try what is alike (BREACH).
func writeResponse(w http.ResponseWriter, r *http.Request, status int, kind string, body *bytes.Buffer) {
	h := w.Header()
	h.Set("Content-Type", kind)
	if body.Len() >= minCompressSize && !strings.Contains(h.Get("Cache-Control"), "no-transform") {
		h.Add("Vary", "Accept-Encoding, Sec-Fetch-Site")
		if negotiate.Negotiate(r.Header, "gzip") != "" && !isCrossSite(r) {
			packed := newBuffer()
			defer buffers.Put(packed)
			compress(packed, body.Bytes())
			h.Set("Content-Encoding", "gzip")
			body = packed
		}
	}
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // the client may be gone
}

// compress keeps its packer no longer than it computes: a slow client holds none.
func compress(into *bytes.Buffer, body []byte) {
	packer := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(packer)
	packer.Reset(into)
	packer.Write(body) // a buffer takes everything
	packer.Close()
}

// isCrossSite reports whether a browser says that another site had it ask
// (https://www.w3.org/TR/fetch-metadata/).
func isCrossSite(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}
