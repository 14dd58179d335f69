package web

import (
	"net/http"
	"strings"
)

// withErrorPages answers requests that no route matches with our own pages and JSON. The mux
// decides whether that is a 404 or a 405, and which methods are allowed.
func (s *server) withErrorPages(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		intercepted := &muxErrorInterceptor{ResponseWriter: w, r: r}
		mux.ServeHTTP(intercepted, r)
		switch intercepted.status {
		case 0:
		case http.StatusMethodNotAllowed:
			if isReadOnly(r) && !s.wantsJSON(r) {
				w.Header().Del("Allow")
				_ = s.redirect(w, r, pageOfForm(s.relativePath(r)))
				return
			}
			s.loadViewer(w, r)
			s.writeError(w, r, errMethod) // the mux has set Allow
		default:
			s.loadViewer(w, r)
			s.writeError(w, r, errPageNotFound)
		}
	})
}

// pageOfForm returns the page that has the form which posts to path. It is for someone who opens
// that address like a page, by a bookmark or a reload after signing in.
func pageOfForm(path string) string {
	switch {
	case path == "/signin", path == "/signout", strings.HasPrefix(path, "/signin/passkey"):
		return "/"
	case strings.HasPrefix(path, "/profile/passkeys"):
		return "/profile"
	case strings.HasPrefix(path, "/waiting/"):
		return "/waiting"
	}
	return path[:strings.LastIndex(path, "/")]
}

// loadViewer stores the session of a request that matched no route, so that its error page has the
// usual navigation. If the session can't be loaded, the page is that of a visitor.
func (s *server) loadViewer(w http.ResponseWriter, r *http.Request) {
	if s.wantsJSON(r) {
		return
	}
	if current, err := s.completeSession(w, r); err == nil {
		stateOf(r).session = current
	}
}

// muxErrorInterceptor drops the body and status that a mux writes when no route matches.
type muxErrorInterceptor struct {
	http.ResponseWriter
	r      *http.Request
	status int // that was dropped; 0 if nothing was
}

func (i *muxErrorInterceptor) WriteHeader(status int) {
	if i.r.Pattern == "" {
		i.status = status
		return
	}
	i.ResponseWriter.WriteHeader(status)
}

func (i *muxErrorInterceptor) Write(b []byte) (int, error) {
	if i.r.Pattern == "" {
		return len(b), nil
	}
	return i.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (i *muxErrorInterceptor) Unwrap() http.ResponseWriter { return i.ResponseWriter }
