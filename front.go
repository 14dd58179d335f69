package main

import (
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/guestlist/guestlist/internal/web"
)

// startupTimeout is how long a request waits for the program to have started, which
// takes a second with a database far away.
const startupTimeout = 5 * time.Second

// startupHandler answers from the moment there is a listener, while the program may still
// be waiting for its database: that it lives, and that it can't do its work yet.
// Other requests wait a while, for the program may have been started for one of
// them, as on Fly. When the app is open, it hands every request on.
type startupHandler struct {
	baseURL *url.URL
	app     atomic.Pointer[app]
	opened  chan struct{}   // closed when there is an app
	stopped <-chan struct{} // closed when the program is to stop
}

func newFront(baseURL *url.URL, stopped <-chan struct{}) *startupHandler {
	return &startupHandler{baseURL: baseURL, opened: make(chan struct{}), stopped: stopped}
}

// setHandler says, once, that the program has started.
func (f *startupHandler) setHandler(a *app) {
	f.app.Store(a)
	close(f.opened)
}

func (f *startupHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := f.app.Load()
	if a == nil && !f.isHealthCheck(r) {
		select {
		case <-f.opened:
		case <-f.stopped:
		case <-time.After(startupTimeout):
		case <-r.Context().Done():
		}
		a = f.app.Load()
	}
	if a != nil {
		a.Handler.ServeHTTP(w, r)
		return
	}
	web.SecurityHeaders(f.baseURL.Scheme == "https", http.HandlerFunc(f.serveStarting)).ServeHTTP(w, r)
}

func (f *startupHandler) isHealthCheck(r *http.Request) bool {
	return r.URL.Path == f.baseURL.Path+"/healthz" || r.URL.Path == f.baseURL.Path+"/readyz"
}

func (f *startupHandler) serveStarting(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	if r.URL.Path == f.baseURL.Path+"/healthz" {
		io.WriteString(w, `{"status":"ok"}`+"\n")
		return
	}
	h.Set("Retry-After", "2")
	w.WriteHeader(http.StatusServiceUnavailable)
	io.WriteString(w, `{"error":"starting: waiting for the database"}`+"\n")
}
