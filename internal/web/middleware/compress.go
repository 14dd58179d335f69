package middleware

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
)

// minCompressSize is the smallest response, in bytes, that is compressed: a smaller one fits into
// one packet as it is.
const minCompressSize = 1 << 10

// Compress compresses responses with gzip for clients that accept it.
//
// An observer of the connection sees the length of a response, and the length of a compressed one
// tells whether two parts of it are alike (BREACH, https://www.breachattack.com). So a response is
// not compressed if another site caused the request, or if NoCompression marked it as secret.
func Compress(next http.Handler) http.Handler {
	// Stateless compression keeps no memory for a client that is slow to take the response.
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(minCompressSize), gzhttp.CompressionLevel(gzip.StatelessCompression), gzhttp.EnableZstd(false))
	if err != nil {
		panic(err) // the options are constant
	}
	compressed := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Add("Vary", "Sec-Fetch-Site")
		if isCrossSite(r) {
			h.Set(gzhttp.HeaderNoCompression, "cross-site")
		}
		compressed.ServeHTTP(w, r)
	})
}

// NoCompression marks a response that contains a secret: neither Compress nor a proxy compresses
// it, and nothing stores it.
func NoCompression(h http.Header) {
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set(gzhttp.HeaderNoCompression, "secret")
}
