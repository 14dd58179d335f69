package main

import (
	"io"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/guestlist/guestlist/internal/web"
)

// front answers from the moment there is a listener, while the program may still
// be waiting for its database: that it lives, and that it can't do its work yet.
// When the app is open, it hands every request on.
type front struct {
	baseURL *url.URL
	app     atomic.Pointer[app]
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a := f.app.Load(); a != nil {
		a.Handler.ServeHTTP(w, r)
		return
	}
	web.SecurityHeaders(f.baseURL.Scheme == "https", http.HandlerFunc(f.starting)).ServeHTTP(w, r)
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
