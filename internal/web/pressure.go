package web

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"

	"github.com/guestlist/guestlist/internal/roster"
)

// underPressure answers what there is no place for at once, and cheaply, so that
// the rest is served as well as ever. A place is held by our own work alone: not
// while a client sends its request, nor while it takes the answer.
func (s *server) underPressure(ps *places, bodies *bodyBudget, next http.Handler) http.Handler {
	page := sync.OnceValue(s.busyPage)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.asksForHealth(r) {
			next.ServeHTTP(w, r)
			return
		}
		switch {
		case s.bringsFile(r):
			r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
		case r.ContentLength != 0:
			held, err := bodies.readAhead(w, r, s.bodyLimit(r))
			defer held.release()
			if err != nil {
				s.refuse(w, r, page)
				return
			}
		}
		p := ps.enter(r.Context())
		if p == nil {
			s.refuse(w, r, page)
			return
		}
		defer p.leave()
		next.ServeHTTP(placeWriter{w, p}, r)
	})
}

// asksForHealth reports whether somebody wants to know how we are: under pressure, too.
func (s *server) asksForHealth(r *http.Request) bool {
	path := s.beneath(r.URL.Path)
	return path == "/healthz" || path == "/readyz"
}

// refuse answers with what was made ready. The times to come back are spread, so
// that the crowd isn't there again all at once.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, page func() []byte) {
	kind, body := jsonType, busyJSON
	if !s.forPrograms(r) {
		kind, body = "text/html; charset=utf-8", page()
	}
	number(w)
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
	view := problemPage{page: page{Title: p.title}, Text: p.text, Action: p.action, ActionPath: p.path}
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

// placeWriter leaves the place when the answer is written: pages and JSON are made whole before.
type placeWriter struct {
	http.ResponseWriter
	place *place
}

func (w placeWriter) Write(b []byte) (int, error) {
	w.place.leave()
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (w placeWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// waits is for routes that ask Stytch, which may hang: the request lends its place
// at once.
func waits(next handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if outermost, ok := visitOf(r).ResponseWriter.(placeWriter); ok {
			outermost.place.lend()
		}
		return next(w, r)
	}
}

// maxUpload is the most that a request may send, in bytes, if it brings a file, with
// what a form puts around it.
const maxUpload = roster.MaxFile + maxBody

// bringsFile reports whether a request's body is read by its handler as it comes,
// when it is known who sends it.
func (s *server) bringsFile(r *http.Request) bool {
	return r.Method == http.MethodPost && s.beneath(r.URL.Path) == "/users/import"
}
