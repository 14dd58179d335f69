package web

import (
	"context"
	"net/http"
)

// Watch is told of each request before it is answered, and whether a trusted proxy
// sent it, and returns the context to answer it in and whom to tell the pattern of its
// route, empty where it has none, and the status.
type Watch func(r *http.Request, fromProxy bool) (ctx context.Context, done func(route string, status int))

// watched tells whoever watches of every request, also of one there is no place for.
func (s *server) watched(next http.Handler) http.Handler {
	if s.Watch == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, done := s.Watch(r, s.fromProxy(r))
		v := &watchedVisit{ResponseWriter: w, status: http.StatusOK}
		defer func() { done(v.route, v.status) }() // also where the connection is cut
		next.ServeHTTP(v, r.WithContext(context.WithValue(ctx, watchKey{}, v)))
	})
}

type watchKey struct{}

// watchedVisit is an answer under way, and what whoever watches wants to know of it.
type watchedVisit struct {
	http.ResponseWriter
	route  string
	status int
}

func (v *watchedVisit) WriteHeader(status int) {
	v.status = status
	v.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController through.
func (v *watchedVisit) Unwrap() http.ResponseWriter { return v.ResponseWriter }

// named notes which route a request has come to.
func (s *server) named(pattern string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		visitOf(r).route = pattern
		if v, ok := r.Context().Value(watchKey{}).(*watchedVisit); ok {
			v.route = pattern
		}
		next.ServeHTTP(w, r)
	})
}
