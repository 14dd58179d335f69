package stytchlocal

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"
)

// injectFaults serves a call as the fault has it that meets it, and else as next does.
// A connection that ends too early is http.ErrAbortHandler, which Transport
// understands as net/http does.
func (s *Server) injectFaults(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := s.fault(apiPath(r))
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		// net/http looks whether the caller has gone only when the body is read.
		body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		f.serve(w, r, next)
	})
}

func (r faultRule) serve(w http.ResponseWriter, req *http.Request, next http.Handler) {
	ctx := req.Context()
	sleep(ctx, time.Duration(r.DelayMS)*time.Millisecond)
	if ctx.Err() != nil {
		panic(http.ErrAbortHandler)
	}
	answer := &recorder{header: http.Header{}}
	switch {
	case r.Kind == faultSlow:
		next.ServeHTTP(w, req)
		return
	case r.Kind == faultCut || r.After:
		next.ServeHTTP(answer, req)
	}
	switch r.Kind {
	case faultStatus:
		writeError(w, newRequestID(), r.apiError())
	case faultGarbage:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<!doctype html>\n<title>Please wait</title>\n<h1>Please wait while we check your connection</h1>\n")
	case faultEmpty:
		w.WriteHeader(http.StatusOK)
	case faultCut:
		whole := answer.body.Bytes()
		maps.Copy(w.Header(), answer.header)
		w.Header().Set("Content-Length", strconv.Itoa(len(whole)))
		w.WriteHeader(answer.status)
		w.Write(whole[:len(whole)/2])
		http.NewResponseController(w).Flush() // Transport's has nothing to flush
		panic(http.ErrAbortHandler)
	case faultHang:
		<-ctx.Done()
		panic(http.ErrAbortHandler)
	case faultDown:
		panic(http.ErrAbortHandler)
	}
}

// apiError is the error of Stytch's that goes with the rule's status.
func (r faultRule) apiError() *apiError {
	like := badRequest("The call was refused on purpose.")
	switch {
	case r.Status >= 500:
		like = errInternal
	case r.Status == http.StatusTooManyRequests:
		like = errTooManyRequests
	case r.Status == http.StatusUnauthorized:
		like = errCredentials
	}
	e := *like
	e.status = r.Status
	if r.Status == http.StatusTooManyRequests {
		e.retryAfter = time.Minute
	}
	return &e
}

// sleep waits, or less if ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
