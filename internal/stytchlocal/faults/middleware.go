package faults

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/stytchlocal/internal/recorder"
)

// maxCallBody is how much of a call's body is read, in bytes: more than the API accepts.
const maxCallBody = 1<<20 + 1

// Middleware serves calls, some of them with a fault. It ends a connection early by
// panicking with [http.ErrAbortHandler].
func (i *Injector) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault, ok := i.choose(r.URL.EscapedPath())
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		// net/http notices that the caller has gone only after the body has been read.
		body, err := io.ReadAll(io.LimitReader(r.Body, maxCallBody))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		i.serve(fault, w, r, next)
	})
}

func (i *Injector) serve(fault rule, w http.ResponseWriter, r *http.Request, next http.Handler) {
	if retry.Sleep(r.Context(), time.Duration(fault.DelayMS)*time.Millisecond) != nil {
		panic(http.ErrAbortHandler)
	}
	if fault.Kind == kindSlow {
		next.ServeHTTP(w, r)
		return
	}
	var response recorder.Recorder
	if fault.Kind == kindCut || fault.After {
		next.ServeHTTP(&response, r)
	}
	switch fault.Kind {
	case kindStatus:
		i.opts.WriteError(w, fault.Status)
	case kindGarbage:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<!doctype html>\n<title>Please wait</title>\n<h1>Please wait while we check your connection</h1>\n")
	case kindEmpty:
		w.WriteHeader(http.StatusOK)
	case kindCut:
		body := response.Body.Bytes()
		maps.Copy(w.Header(), response.Header())
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(response.Status)
		w.Write(body[:len(body)/2])
		http.NewResponseController(w).Flush() // fails for an in-process call, which needs none
		panic(http.ErrAbortHandler)
	case kindHang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case kindDown:
		panic(http.ErrAbortHandler)
	}
}
