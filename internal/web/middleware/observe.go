package middleware

import (
	"context"
	"net/http"
)

// RequestObserver is called before a request is served, with whether a trusted proxy sent it. It
// returns the context to serve the request in, and a function that is called afterwards with the
// pattern of the request's route, empty if it matched none, and the status.
type RequestObserver func(r *http.Request, fromProxy bool) (ctx context.Context, done func(route string, status int))

// Observe calls the observer for every request. A nil observer changes nothing.
func Observe(observer RequestObserver, proxies Proxies) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if observer == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, done := observer(r, proxies.Sent(r))
			observed := &observedResponse{StatusWriter: StatusWriter{ResponseWriter: w}}
			defer func() { done(observed.route, max(observed.Status, http.StatusOK)) }() // also when the connection is aborted
			next.ServeHTTP(observed, r.WithContext(context.WithValue(ctx, observedKey{}, observed)))
		})
	}
}

type observedKey struct{}

type observedResponse struct {
	StatusWriter
	route string
}

// SetRoute records which route a request matched, for the observer.
func SetRoute(ctx context.Context, pattern string) {
	if observed, ok := ctx.Value(observedKey{}).(*observedResponse); ok {
		observed.route = pattern
	}
}
