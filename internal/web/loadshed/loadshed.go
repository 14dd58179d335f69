// Package loadshed limits how many requests are served at once and answers the excess with 503,
// quickly and at little cost, so that the others are served as well as ever.
package loadshed

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
)

// Options configure New. All are required.
type Options struct {
	IsExempt   func(*http.Request) bool  // served without a slot, such as health checks
	IsStreamed func(*http.Request) bool  // the handler reads the body itself, as it arrives
	MaxBody    func(*http.Request) int64 // the most bytes a request may send
	Busy       http.Handler              // answers a refused request; Retry-After is set already
	OnRefused  func(count int)           // called at most once a second with the refusals since the last call
}

// New returns middleware that limits concurrency. A slot is held while the program works on a
// request: neither while the client sends its body nor while it takes the response.
func New(o Options) func(http.Handler) http.Handler {
	return newShedder(o, newLimiter(Limits{MaxConcurrent, MaxBlocked, QueueTimeout}, o.OnRefused)).wrap
}

type shedder struct {
	Options
	limiter *limiter
	bodies  *bodyBudget
}

func newShedder(o Options, l *limiter) *shedder {
	return &shedder{Options: o, limiter: l, bodies: newBodyBudget()}
}

func (s *shedder) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.IsExempt(r) {
			next.ServeHTTP(w, r)
			return
		}
		switch {
		case s.IsStreamed(r):
			r.Body = http.MaxBytesReader(w, r.Body, s.MaxBody(r))
		case r.ContentLength != 0:
			body, err := s.bodies.read(w, r, s.MaxBody(r))
			defer body.release()
			if err != nil {
				s.refuse(w, r)
				return
			}
		}
		slot := s.limiter.acquire(r.Context())
		if slot == nil {
			s.refuse(w, r)
			return
		}
		defer slot.release()
		next.ServeHTTP(&slotWriter{ResponseWriter: w, slot: slot}, r.WithContext(context.WithValue(r.Context(), slotKey{}, slot)))
	})
}

// refuse answers that the program is busy. The times to come back are spread, so that the clients
// don't all return at once.
func (s *shedder) refuse(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Retry-After", strconv.Itoa(RetryAfter()))
	s.Busy.ServeHTTP(w, r)
}

// RetryAfter returns after how many seconds a refused client may come back: one to three.
func RetryAfter() int { return 1 + rand.IntN(3) }

type slotKey struct{}

// MarkBlocked says that the request is about to wait for another service, which may hang. Another
// request may work in the meantime.
func MarkBlocked(ctx context.Context) {
	if s, ok := ctx.Value(slotKey{}).(*slot); ok {
		s.markBlocked()
	}
}

// buffered is how many bytes of a response net/http keeps before it writes to the connection,
// where a slow client can make it wait.
const buffered = 2 << 10

// slotWriter releases the slot before a slow client can hold it.
type slotWriter struct {
	http.ResponseWriter
	slot    *slot
	written int
}

func (w *slotWriter) Write(b []byte) (int, error) {
	w.written += len(b)
	if w.written > buffered {
		w.slot.release()
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *slotWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
