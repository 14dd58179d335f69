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

// requestTimeout bounds the work of a request.
const requestTimeout = 10 * time.Second

// requestState is a request under way: what is known of it besides what it says itself,
// and the answer it gets. There is one for each, because that costs less than a
// value in the context for each thing.
type requestState struct {
	middleware.StatusWriter
	path      string          // that was asked for, below the base URL's
	route     string          // the pattern of its route; empty: it has come to none
	requestID string          // what a person can name to find the request in the log
	actor     directory.Actor // of changes that the request makes; authorize and idempotent complete it
	session   session.Session // that guard found; nobody's where it found none. By a token it has a person and no more
	draft     bool            // the page shows what was typed before; see drafts.go
	token     *token.Token    // by which the person acts; nil: by a cookie
}

type visitKey struct{}

// stateOf returns the request's visit; an empty one outside of any.
func stateOf(r *http.Request) *requestState {
	if v, ok := r.Context().Value(visitKey{}).(*requestState); ok {
		return v
	}
	return &requestState{}
}

func requestID(r *http.Request) string { return stateOf(r).requestID }

// actorOf returns the actor of the changes that a request makes.
func actorOf(r *http.Request) directory.Actor { return stateOf(r).actor }

// originOf returns the origin of the events that a request causes.
func originOf(r *http.Request) event.Origin { return stateOf(r).actor.Origin }

// viewer is the session that guard found; nobody's where it found none.
func viewer(r *http.Request) *session.Session { return &stateOf(r).session }

// requestContext begins and ends a request: it has a number, ten seconds for the work,
// and one line in the log. The query stays out of that: it may hold a token.
func (s *server) requestContext(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now() // a stopwatch, which nothing is decided by
		v := &requestState{StatusWriter: middleware.StatusWriter{ResponseWriter: w}, path: s.trimBasePath(r.URL.Path), requestID: newRequestID(w)}
		b := s.browser(r)
		v.actor.Origin = event.Origin{Address: b.Address, UserAgent: b.UserAgent, RequestID: v.requestID}

		ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), visitKey{}, v), requestTimeout)
		defer cancel()
		r = r.WithContext(ctx)
		next.ServeHTTP(v, r)

		s.opts.Log.LogAttrs(ctx, slog.LevelInfo, "request",
			slog.String("method", r.Method), slog.String("path", s.redactedPath(r)), slog.Int("status", max(v.Status, http.StatusOK)),
			slog.Duration("duration", time.Since(begin)), slog.String("request_id", v.requestID))
	})
}

// redactedPath is a request's path as the log has it: with whom it was about left out. The
// audit trail has that, under the request's number.
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

// pathMatcher knows the paths of routes and what is tried below an id, whatever the
// method: a request that is refused before it comes to its route is about somebody, too.
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
				mux.Handle(p, http.NotFoundHandler()) // never asked
			}
		}
	}
	return mux
}

// newRequestID gives a request a number, which its answer bears.
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
