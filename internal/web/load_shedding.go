package web

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"

	"github.com/guestlist/guestlist/internal/userio"
)

// limitConcurrency answers what there is no place for at once, and cheaply, so that
// the rest is served as well as ever. A place is held by our own work alone: not
// while a client sends its request, nor while it takes the answer.
func (s *server) limitConcurrency(ps *limiter, bodies *bodyBudget, next http.Handler) http.Handler {
	page := sync.OnceValue(s.busyPage)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.isHealthCheck(r) {
			next.ServeHTTP(w, r)
			return
		}
		switch {
		case s.isUpload(r):
			r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
		case r.ContentLength != 0:
			held, err := bodies.readAhead(w, r, s.bodyLimit(r))
			defer held.release()
			if err != nil {
				s.writeBusy(w, r, page)
				return
			}
		}
		p := ps.acquire(r.Context())
		if p == nil {
			s.writeBusy(w, r, page)
			return
		}
		defer p.release()
		next.ServeHTTP(slotWriter{w, p}, r)
	})
}

// isHealthCheck reports whether somebody wants to know how we are: under pressure, too.
func (s *server) isHealthCheck(r *http.Request) bool {
	path := s.trimBasePath(r.URL.Path)
	return path == "/healthz" || path == "/readyz"
}

// writeBusy answers with what was made ready. The times to come back are spread, so
// that the crowd isn't there again all at once.
func (s *server) writeBusy(w http.ResponseWriter, r *http.Request, page func() []byte) {
	kind, body := jsonType, busyJSON
	if !s.wantsJSON(r) {
		kind, body = "text/html; charset=utf-8", page()
	}
	newRequestID(w)
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Retry-After", strconv.Itoa(1+rand.IntN(3)))
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = w.Write(body) // the client may be gone
}

var busyJSON = []byte(`{"error":"` + errBusy.Error() + `"}` + "\n")

// busyPage is the page of errBusy, for everybody.
func (s *server) busyPage() []byte {
	p := problemOf(errBusy)
	var b bytes.Buffer
	view := errorPage{layoutData: layoutData{Title: p.title}, Text: p.text, Action: p.action, ActionPath: p.path}
	if err := s.templates["problem"]().ExecuteTemplate(&b, "layout.html", view); err != nil {
		s.Log.Error("web: page not rendered", "page", "problem", "error", err)
		return []byte(p.title)
	}
	return b.Bytes()
}

// warnOfPressure is told how many were refused.
func (s *server) warnOfPressure(refused int) {
	s.Log.Warn("more requests than can be served: some were answered 503", "refused", refused)
}

// slotWriter leaves the place when the answer is written: pages and JSON are made whole before.
type slotWriter struct {
	http.ResponseWriter
	place *slot
}

func (w slotWriter) Write(b []byte) (int, error) {
	w.place.release()
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (w slotWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// releaseSlot is for routes that ask Stytch, which may hang: the request lends its place
// at once.
func releaseSlot(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if outermost, ok := stateOf(r).ResponseWriter.(slotWriter); ok {
			outermost.place.block()
		}
		return next(w, r)
	}
}

// maxUpload is the most that a request may send, in bytes, if it brings a file, with
// what a form puts around it.
const maxUpload = userio.MaxFile + maxBody

// isUpload reports whether a request's body is read by its handler as it comes,
// when it is known who sends it.
func (s *server) isUpload(r *http.Request) bool {
	return r.Method == http.MethodPost && s.trimBasePath(r.URL.Path) == "/users/import"
}
