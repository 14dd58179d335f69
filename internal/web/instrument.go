package web

import (
	"context"
	"net/http"
)

// RequestObserver is told of each request before it is answered, and whether a trusted proxy
// sent it, and returns the context to answer it in and whom to tell the pattern of its
// route, empty where it has none, and the status.
type RequestObserver func(r *http.Request, fromProxy bool) (ctx context.Context, done func(route string, status int))

// observe tells whoever watches of every request, also of one there is no place for.
func (s *server) observe(next http.Handler) http.Handler {
	if s.Observer == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, done := s.Observer(r, s.isFromTrustedProxy(r))
		v := &observedResponse{ResponseWriter: w, status: http.StatusOK}
		defer func() { done(v.route, v.status) }() // also where the connection is cut
		next.ServeHTTP(v, r.WithContext(context.WithValue(ctx, watchKey{}, v)))
	})
}

type watchKey struct{}

// observedResponse is an answer under way, and what whoever watches wants to know of it.
type observedResponse struct {
	http.ResponseWriter
	route  string
	status int
}

func (v *observedResponse) WriteHeader(status int) {
	v.status = status
	v.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController through.
func (v *observedResponse) Unwrap() http.ResponseWriter { return v.ResponseWriter }

// withRoute notes which route a request has come to.
func (s *server) withRoute(pattern string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stateOf(r).route = pattern
		if v, ok := r.Context().Value(watchKey{}).(*observedResponse); ok {
			v.route = pattern
		}
		next.ServeHTTP(w, r)
	})
}
