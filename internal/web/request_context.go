package web

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/web/middleware"
)

// requestTimeout limits the work on a request.
const requestTimeout = 10 * time.Second

// requestState is what the program knows about a request in progress. One value per request costs
// less than one context value for each field.
type requestState struct {
	middleware.StatusWriter
	path    string          // below the base URL's path
	route   string          // pattern of the route; empty if none matched yet
	actor   directory.Actor // of changes the request makes; authorize and idempotent complete it
	session session.Session // set by authorize; only the user is set if an API token is used

	restored session.Message // on a page with a restored form; see drafts.go

	incomplete bool         // the session lacks the second factor that it needs; set by authorize
	token      *token.Token // the API token used; nil if the session cookie is
}

type stateKey struct{}

// stateOf returns the state of a request, or an empty one outside of requestContext.
func stateOf(r *http.Request) *requestState {
	if state, ok := r.Context().Value(stateKey{}).(*requestState); ok {
		return state
	}
	return &requestState{}
}

// requestID returns the ID that finds the request in the log and the audit log.
func requestID(r *http.Request) string { return stateOf(r).actor.RequestID }

// actorOf returns the actor of the changes a request makes.
func actorOf(r *http.Request) directory.Actor { return stateOf(r).actor }

// originOf returns the origin of the events a request causes.
func originOf(r *http.Request) event.Origin { return stateOf(r).actor.Origin }

// viewer returns the session that authorize found, or an empty one.
func viewer(r *http.Request) *session.Session { return &stateOf(r).session }

// requestContext gives a request its state, ID and deadline, and logs it when it is done. The query
// is not logged, because it may contain a token.
func (s *server) requestContext(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		state := &requestState{StatusWriter: middleware.StatusWriter{ResponseWriter: w}, path: s.trimBasePath(r.URL.Path)}
		state.actor.Origin = event.Origin{Address: s.proxies.ClientIP(r), UserAgent: r.UserAgent(), RequestID: newRequestID(w)}

		ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), stateKey{}, state), requestTimeout)
		defer cancel()
		r = r.WithContext(ctx)
		next.ServeHTTP(state, r)

		s.logRequest(r, s.redactedPath(r), requestID(r), state.Status, begin)
	})
}

// logRequest logs a request that has been answered, with a path that names no one. status is 0 if
// nothing was written.
func (s *server) logRequest(r *http.Request, path, id string, status int, begin time.Time) {
	s.opts.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("method", r.Method), slog.String("path", path), slog.Int("status", max(status, http.StatusOK)),
		slog.Duration("duration", time.Since(begin)), slog.String("request_id", id))
}

// redactedPath returns a request's path for the log, with the ID of a user or another item replaced
// by "{id}". The audit log has it under the request's ID.
func (s *server) redactedPath(r *http.Request) string {
	path, pattern := s.relativePath(r), stateOf(r).route
	if pattern == "" {
		_, pattern = s.paths.Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: path}})
	}
	if at := strings.Index(pattern, "/"); strings.Contains(pattern, "{id}") {
		return strings.TrimSuffix(r.URL.Path, path) + pattern[at:]
	}
	return r.URL.Path
}

// pathMatcher matches the paths of routes whatever the method, and anything below an ID, so that
// redactedPath also works for requests that reach no route.
func pathMatcher(routes []route) *http.ServeMux {
	mux, known := http.NewServeMux(), map[string]bool{}
	for _, r := range routes {
		_, path, _ := strings.Cut(r.pattern, " ")
		paths := []string{path}
		if before, _, about := strings.Cut(path, "{id}"); about {
			paths = append(paths, before+"{id}", before+"{id}/{rest...}")
		}
		for _, p := range paths {
			if !known[p] {
				known[p] = true
				mux.Handle(p, http.NotFoundHandler()) // never called
			}
		}
	}
	return mux
}

// newRequestID creates the ID of a request and sets it in the response.
func newRequestID(w http.ResponseWriter) string {
	id := rand.Text()[:16]
	w.Header().Set("X-Request-Id", id)
	return id
}

// withRoute records which route a request matched.
func (s *server) withRoute(pattern string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stateOf(r).route = pattern
		middleware.SetRoute(r.Context(), pattern)
		next.ServeHTTP(w, r)
	})
}
