package stytchlocal

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/google/uuid"
)

// API serves everything below /v1/, including the page that emailed links open.
func (s *Server) API() http.Handler {
	routes := s.routes()
	calls := s.faults.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if provider, ok := isOAuthStart(r.URL.EscapedPath()); ok {
			s.startOAuth(w, r, provider)
			return
		}
		s.serveCall(routes, w, r)
	}))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", s.clock.Now().UTC().Format(http.TimeFormat)) // SDKs and doctor compare it with their clock
		r = withoutDoubleSlash(r)
		if r.URL.EscapedPath() == redirectPath {
			s.showRedirect(w, r)
			return
		}
		calls.ServeHTTP(w, r)
	})
}

// withoutDoubleSlash returns a request whose path begins with one slash. The Go SDK
// requests //v1/sessions/jwks/… if its base address ends in a slash.
func withoutDoubleSlash(r *http.Request) *http.Request {
	path := r.URL.EscapedPath()
	if !strings.HasPrefix(path, "//") {
		return r
	}
	r = r.Clone(r.Context())
	r.URL.RawPath = "/" + strings.TrimLeft(path, "/")
	r.URL.Path, _ = url.PathUnescape(r.URL.RawPath) // was valid before
	return r
}

func newRequestID() string { return "request-id-test-" + uuid.NewString() }

func (s *Server) serveCall(routes []route, w http.ResponseWriter, r *http.Request) {
	requestID := newRequestID()
	res, err := s.handle(routes, w, r)
	if err == nil {
		write(w, http.StatusOK, requestID, res)
		return
	}
	s.writeErrorOf(w, r, requestID, err)
}

// writeErrorOf writes the response to a failed call. It logs errors that the API does not
// know.
func (s *Server) writeErrorOf(w http.ResponseWriter, r *http.Request, requestID string, err error) {
	var known *apiError
	if !errors.As(err, &known) {
		known = errInternal
		if r.Context().Err() == nil {
			s.opts.Log.Error("call failed", "method", r.Method, "request_id", requestID, "error", s.opts.Explain(err))
		}
	}
	writeError(w, requestID, known)
}

// handle finds the route of a call, checks the credentials and calls the handler.
func (s *Server) handle(routes []route, w http.ResponseWriter, r *http.Request) (res response, err error) {
	found, ids, err := findRoute(routes, r.Method, r.URL.EscapedPath())
	if err != nil {
		return nil, err
	}
	if !found.public {
		if err := s.checkCredentials(r); err != nil {
			w.Header().Set("WWW-Authenticate", `Basic realm="stytch"`)
			return nil, err
		}
	}
	defer func() {
		if v := recover(); v != nil {
			s.opts.Log.Error("panic", "route", found.path, "panic", v, "stack", string(debug.Stack()))
			res, err = nil, errInternal
		}
	}()
	s.purge(r.Context())
	c := &call{ctx: r.Context(), w: w, r: r}
	if len(ids) > 0 {
		c.id = ids[0]
	}
	if len(ids) > 1 {
		c.domain = ids[1]
	}
	return found.handle(c)
}

// findRoute finds the route of an escaped path, so that an escaped slash is part of an id.
// An http.ServeMux would redirect a path with dots or two slashes, match an escaped letter,
// and fall back from search to {user_id} for another method; Stytch does none of this.
func findRoute(routes []route, method, path string) (route, []string, error) {
	var matched string
	var allow []string
	for _, candidate := range routes {
		ids, ok := matchPath(candidate.path, path)
		if !ok || matched != "" && candidate.path != matched {
			continue
		}
		if candidate.method == method {
			return candidate, ids, nil
		}
		matched = candidate.path
		allow = append(allow, candidate.method)
	}
	if matched == "" {
		return route{}, nil, errNoRoute
	}
	refused := newError(http.StatusMethodNotAllowed, "method_not_allowed", "The route does not take this method.")
	refused.allow = strings.Join(allow, ", ")
	return route{}, nil, refused
}

// matchPath compares a route's path with an escaped path and returns the ids in it.
func matchPath(pattern, path string) (ids []string, ok bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	for i, segment := range got {
		if !strings.HasPrefix(want[i], "{") {
			if segment != want[i] {
				return nil, false
			}
			continue
		}
		id, err := url.PathUnescape(segment)
		if err != nil || id == "" {
			return nil, false
		}
		ids = append(ids, id)
	}
	return ids, true
}

// checkCredentials compares the project id and the secret in constant time.
func (s *Server) checkCredentials(r *http.Request) error {
	id, secret, _ := r.BasicAuth()
	sameID := equal(id, s.project.ProjectID)
	sameSecret := equal(secret, s.project.Secret)
	switch {
	case sameID && sameSecret:
		return nil
	case id != "" && !strings.HasPrefix(id, "project-test-"):
		return errInvalidProjectID
	case secret != "" && !strings.HasPrefix(secret, "secret-test-"):
		return errInvalidSecret
	}
	return errCredentials
}

// equal compares two strings in constant time, whatever their lengths.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
