package middleware

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"

	"github.com/guestlist/guestlist/static"
)

// minCompressSize is the smallest response, in bytes, that is compressed: a smaller one fits into
// one packet as it is.
const minCompressSize = 1 << 10

// Compress compresses responses with gzip for clients that accept it. Handlers set Content-Type,
// and Content-Length unless they stream a file.
//
// An observer of the connection sees the length of a response, and the length of a compressed one
// tells whether two parts of it are alike (BREACH, https://www.breachattack.com). So a response is
// not compressed if another site caused the request, or if NoCompression marked it as secret.
func Compress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding, Sec-Fetch-Site")
		if r.Method == http.MethodHead || isCrossSite(r) || static.Negotiate(r.Header, "gzip") == "" {
			next.ServeHTTP(w, r)
			return
		}
		c := &compressedResponse{StatusWriter: StatusWriter{ResponseWriter: w}}
		next.ServeHTTP(c, r)
		// Not deferred: what a panic cuts off must not look like a whole file.
		if c.gzip != nil {
			_ = c.gzip.Close() // the client may be gone
		}
	})
}

// NoCompression marks a response that contains a secret: neither Compress nor a proxy compresses
// it, and nothing stores it.
func NoCompression(h http.Header) { h.Set("Cache-Control", "no-store, no-transform") }

// isCompressible reports whether a response with these headers is compressed. It excludes files
// with a coding or ranges of their own, and redirects.
func isCompressible(status int, h http.Header) bool {
	if h.Get("Content-Type") == "" || h.Get("Content-Encoding") != "" || h.Get("Accept-Ranges") != "" || strings.Contains(h.Get("Cache-Control"), "no-transform") {
		return false
	}
	length, err := strconv.Atoi(h.Get("Content-Length"))
	if err != nil {
		return status == http.StatusOK
	}
	return length >= minCompressSize
}

// compressedResponse compresses a response that isCompressible. It keeps nothing of the body, not
// even for a client that is slow to take it.
type compressedResponse struct {
	StatusWriter
	gzip *gzip.Writer // nil if the response is sent as it is
}

func (c *compressedResponse) WriteHeader(status int) {
	if c.Status == 0 && isCompressible(status, c.Header()) {
		c.Header().Set("Content-Encoding", "gzip")
		c.Header().Del("Content-Length")
		c.gzip, _ = gzip.NewWriterLevel(c.ResponseWriter, gzip.StatelessCompression) // the level is valid
	}
	c.StatusWriter.WriteHeader(status)
}

func (c *compressedResponse) Write(b []byte) (int, error) {
	if c.Status == 0 {
		c.WriteHeader(http.StatusOK)
	}
	if c.gzip == nil {
		return c.ResponseWriter.Write(b)
	}
	return c.gzip.Write(b)
}
