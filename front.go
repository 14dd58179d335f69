package main

import (
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/guestlist/guestlist/internal/web"
)

// startWait is how long a request waits for the program to have started, which
// takes a second with a database far away.
const startWait = 5 * time.Second

// front answers from the moment there is a listener, while the program may still
// be waiting for its database: that it lives, and that it can't do its work yet.
// Other requests wait a while, for the program may have been started for one of
// them, as on Fly. When the app is open, it hands every request on.
type front struct {
	baseURL *url.URL
	app     atomic.Pointer[app]
	opened  chan struct{}   // closed when there is an app
	stopped <-chan struct{} // closed when the program is to stop
}

func newFront(baseURL *url.URL, stopped <-chan struct{}) *front {
	return &front{baseURL: baseURL, opened: make(chan struct{}), stopped: stopped}
}

// open says, once, that the program has started.
func (f *front) open(a *app) {
	f.app.Store(a)
	close(f.opened)
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := f.app.Load()
	if a == nil && !f.asksForHealth(r) {
		select {
		case <-f.opened:
		case <-f.stopped:
		case <-time.After(startWait):
		case <-r.Context().Done():
		}
		a = f.app.Load()
	}
	if a != nil {
		a.Handler.ServeHTTP(w, r)
		return
	}
	web.SecurityHeaders(f.baseURL.Scheme == "https", http.HandlerFunc(f.starting)).ServeHTTP(w, r)
}

func (f *front) asksForHealth(r *http.Request) bool {
	return r.URL.Path == f.baseURL.Path+"/healthz" || r.URL.Path == f.baseURL.Path+"/readyz"
}

func (f *front) starting(w http.ResponseWriter, r *http.Request) {
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
