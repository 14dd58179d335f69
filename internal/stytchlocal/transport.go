package stytchlocal

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/recorder"
)

// Transport hands requests of an SDK straight to the API, inside the process and
// whatever their host. A request whose context ends returns at once, with the
// context's error. One that fails because of the database returns an error that says
// so by a method DatabaseFault. Faults are seen as they are over a socket.
func (s *Server) Transport() http.RoundTripper { return InProcess(s.API()) }

// InProcess hands requests straight to a handler, as Transport does. It is also
// the way for webhooks to a program that takes them in the same process.
func InProcess(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ api http.Handler }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	// Read here and not by the handler, which may outlive this call.
	var body []byte
	if r.Body != nil {
		var err error
		body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		r.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	ctx, use := withDatabaseUse(r.Context())
	inner := r.Clone(ctx)
	inner.Body = io.NopCloser(bytes.NewReader(body))
	rec := &recorder.Recorder{}
	done := make(chan bool, 1)
	go func() { done <- serveComplete(t.api, rec, inner) }()
	var whole bool
	select {
	case <-ctx.Done():
		if use.waiting.Load() > 0 {
			return nil, databaseError{ctx.Err()}
		}
		return nil, ctx.Err()
	case whole = <-done:
	}
	if rec.Status == http.StatusInternalServerError && use.failed.Load() {
		return nil, databaseError{errors.New("the database could not be reached")}
	}
	resp := &http.Response{
		Status: strconv.Itoa(rec.Status) + " " + http.StatusText(rec.Status), StatusCode: rec.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: rec.Header(),
		Body: io.NopCloser(&rec.Body), ContentLength: int64(rec.Body.Len()), Request: r,
	}
	switch {
	case whole:
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case rec.Status == 0:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	default:
		resp.Body, resp.ContentLength = io.NopCloser(io.MultiReader(&rec.Body, truncatedBody{})), -1
	}
	return resp, nil
}

// serveComplete has the handler serve a request and reports whether it did so to the
// end. A handler that gives up, with http.ErrAbortHandler, does not.
func serveComplete(h http.Handler, w http.ResponseWriter, r *http.Request) (whole bool) {
	defer func() {
		if v := recover(); v != nil && v != http.ErrAbortHandler {
			panic(v)
		}
	}()
	h.ServeHTTP(w, r)
	return true
}

// truncatedBody is the end of a connection in the middle of an answer.
type truncatedBody struct{}

func (truncatedBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
