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

// Transport passes an SDK's requests to the API within the process, whatever their host.
// If the context of a request ends, it returns the context's error at once. If a call
// fails because of the database, its error has a method DatabaseFault that returns true.
// Simulated faults look as they do over a socket.
func (s *Server) Transport() http.RoundTripper { return InProcess(s.API()) }

// InProcess passes requests to a handler within the process.
func InProcess(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ handler http.Handler }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	// Read the body before the handler starts: it may outlive this call.
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
	go func() { done <- serve(t.handler, rec, inner) }()
	var complete bool
	select {
	case <-ctx.Done():
		if use.pending.Load() > 0 {
			return nil, databaseError{ctx.Err()}
		}
		return nil, ctx.Err()
	case complete = <-done:
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
	case complete:
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case rec.Status == 0:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	default:
		resp.Body, resp.ContentLength = io.NopCloser(io.MultiReader(&rec.Body, brokenConnection{})), -1
	}
	return resp, nil
}

// serve calls a handler. It returns false if the handler aborts with http.ErrAbortHandler.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (complete bool) {
	defer func() {
		if v := recover(); v != nil && v != http.ErrAbortHandler {
			panic(v)
		}
	}()
	h.ServeHTTP(w, r)
	return true
}

// brokenConnection reads like a connection that ended in the middle of a response.
type brokenConnection struct{}

func (brokenConnection) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
