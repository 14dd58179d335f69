package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// The listener limits how long a request may take to arrive and a response to be taken.
// The proxy replaces these limits with one on the time without progress, which it sets with
// each part. A ResponseWriter without deadlines, in a test, has no limit.

// responseWriter writes to the visitor.
type responseWriter struct {
	http.ResponseWriter
	control  *http.ResponseController
	proxy    *Proxy
	hijacked bool // the connection is a tunnel and no longer the server's
}

func newResponseWriter(w http.ResponseWriter, p *Proxy) *responseWriter {
	return &responseWriter{ResponseWriter: w, control: http.NewResponseController(w), proxy: p}
}

// finish limits how long the server may take to read the rest of the request, which it does
// first, and to send the rest of the response.
func (w *responseWriter) finish() {
	if w.hijacked {
		return
	}
	now := time.Now()
	_ = w.control.SetReadDeadline(now.Add(w.proxy.opts.Timeouts.Idle / 4))
	_ = w.control.SetWriteDeadline(now.Add(w.proxy.opts.Timeouts.Idle))
}

// WriteHeader sends the status. It is also called for informational ones.
func (w *responseWriter) WriteHeader(status int) {
	w.proxy.removeOwnSetCookies(w.Header())
	_ = w.control.SetWriteDeadline(time.Now().Add(w.proxy.opts.Timeouts.Idle))
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (w *responseWriter) Write(b []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(w.proxy.opts.Timeouts.Idle))
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// requestBody reads from the visitor.
type requestBody struct {
	io.ReadCloser
	control *http.ResponseController
	timeout time.Duration

	reading atomic.Int64 // since when a read is waiting or has failed, in Unix nanoseconds; 0 if none
	broken  atomic.Bool  // a read failed other than by the end of the body
}

// Read returns the next part of the body.
func (b *requestBody) Read(p []byte) (int, error) {
	now := time.Now()
	b.reading.Store(now.UnixNano())
	_ = b.control.SetReadDeadline(now.Add(b.timeout))
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == nil:
		b.reading.Store(0)
	case errors.Is(err, io.EOF):
		b.reading.Store(0)
		_ = b.control.SetReadDeadline(time.Time{}) // the server now waits for the visitor to leave
	default:
		b.broken.Store(true) // the deadline remains: the server reads the rest before it answers
	}
	return n, err
}

// stalled reports whether nothing arrived for the timeout. The server cancels the request
// at that moment, which may be before Read has returned the error.
func (b *requestBody) stalled() bool {
	since := b.reading.Load()
	return since != 0 && time.Since(time.Unix(0, since)) >= b.timeout
}
