package httpserver

import (
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/guestlist/guestlist/internal/web/middleware"
)

// startupTimeout is how long a request waits for the application, which takes a second to
// start with a remote database.
const startupTimeout = 5 * time.Second

// StartupHandler serves requests until the application is ready. /healthz returns 200 and
// /readyz 503. Other requests wait up to startupTimeout, because the program may have been
// started for one of them, as on Fly. After SetHandler, it passes every request on.
type StartupHandler struct {
	baseURL *url.URL
	handler atomic.Pointer[http.Handler]
	ready   chan struct{}   // closed by SetHandler
	stopped <-chan struct{} // closed when the program is to stop
}

// NewStartupHandler returns a handler that answers for the application at baseURL. A
// waiting request is answered at once when stopped is closed.
func NewStartupHandler(baseURL *url.URL, stopped <-chan struct{}) *StartupHandler {
	return &StartupHandler{baseURL: baseURL, ready: make(chan struct{}), stopped: stopped}
}

// SetHandler sets the application's handler. It must be called once at most.
func (s *StartupHandler) SetHandler(h http.Handler) {
	s.handler.Store(&h)
	close(s.ready)
}

func (s *StartupHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler := s.handler.Load()
	if handler == nil && !s.isHealthCheck(r) {
		select {
		case <-s.ready:
		case <-s.stopped:
		case <-time.After(startupTimeout):
		case <-r.Context().Done():
		}
		handler = s.handler.Load()
	}
	if handler != nil {
		(*handler).ServeHTTP(w, r)
		return
	}
	middleware.SecurityHeaders(s.baseURL.Scheme == "https")(http.HandlerFunc(s.serveStarting)).ServeHTTP(w, r)
}

func (s *StartupHandler) isHealthCheck(r *http.Request) bool {
	return r.URL.Path == s.baseURL.Path+"/healthz" || r.URL.Path == s.baseURL.Path+"/readyz"
}

func (s *StartupHandler) serveStarting(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	if r.URL.Path == s.baseURL.Path+"/healthz" {
		io.WriteString(w, `{"status":"ok"}`+"\n")
		return
	}
	h.Set("Retry-After", "2")
	w.WriteHeader(http.StatusServiceUnavailable)
	io.WriteString(w, `{"error":"starting: waiting for the database"}`+"\n")
}
