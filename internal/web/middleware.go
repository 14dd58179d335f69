package web

import (
	"maps"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
)

func (s *server) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler || stateOf(r).status != 0 {
				panic(http.ErrAbortHandler) // too late for an answer: cut the connection
			}
			s.Log.ErrorContext(r.Context(), "panic", "cause", cause, "stack", string(debug.Stack()), "request_id", requestID(r))
			s.writeError(w, r, errInternal)
		}()
		next.ServeHTTP(w, r)
	})
}

// SecurityHeaders puts the headers that keep a browser safe on every answer of
// next, also on errors; handlers only make them stricter. Nothing inline, nothing
// from elsewhere, no framing, nothing kept. https says that browsers come by it,
// and has them come by nothing else for a year.
func SecurityHeaders(https bool, next http.Handler) http.Handler {
	headers := http.Header{
		"Content-Security-Policy": {"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"},
		"X-Content-Type-Options":       {"nosniff"},
		"Referrer-Policy":              {"same-origin"},
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"Cache-Control":                {"no-store"},
	}
	if https {
		headers.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), headers) // whoever sets one of them puts another slice in its place
		next.ServeHTTP(w, r)
	})
}

func (s *server) securityHeaders(next http.Handler) http.Handler {
	return SecurityHeaders(s.https(), next)
}

// stripBasePath takes the base URL's path off the request's.
func (s *server) stripBasePath(next http.Handler) http.Handler {
	if s.BaseURL.Path == "" {
		return next
	}
	mux := http.NewServeMux()
	mux.Handle(s.BaseURL.Path+"/", http.StripPrefix(s.BaseURL.Path, next)) // also sends the path without a slash there
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.writeError(w, r, errOutsideBasePath) })
	return mux
}

// canonicalHost sends a page asked for under another local name to the base
// URL, because cookies and mailed links belong to that one. A proxy may use what
// name it likes: who asked it has come by the base URL.
func (s *server) canonicalHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host == s.BaseURL.Host || r.Header.Get("X-Forwarded-For") != "" {
			next.ServeHTTP(w, r)
			return
		}
		isPage := (r.Method == http.MethodGet || r.Method == http.MethodHead) && !s.wantsJSON(r)
		if isPage && isLocalHost(r.Host) && isLocalHost(s.BaseURL.Host) {
			target := *s.BaseURL
			target.Path += r.URL.Path
			target.RawQuery = r.URL.RawQuery
			http.Redirect(w, r, target.String(), http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocalHost reports whether a host, with or without a port, is this machine.
func isLocalHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// notFoundHandler answers what no route matches in our own words; the mux knows
// whether that is a 404 or a 405, and which methods there are.
func (s *server) notFoundHandler(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &muxErrorInterceptor{ResponseWriter: w, r: r}
		mux.ServeHTTP(a, r)
		switch a.dropped {
		case 0:
		case http.StatusMethodNotAllowed:
			if isRead(r) && !s.wantsJSON(r) {
				w.Header().Del("Allow")
				_ = s.redirect(w, r, pageOfForm(s.relativePath(r)))
				return
			}
			s.known(w, r)
			s.writeError(w, r, errMethod) // the mux has set Allow
		default:
			s.known(w, r)
			s.writeError(w, r, errPageNotFound)
		}
	})
}

func isRead(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// pageOfForm returns the page that has the form whose address is opened like a page,
// by a bookmark, a reload after signing in, or the address bar.
func pageOfForm(path string) string {
	switch {
	case path == "/signin", path == "/signout":
		return "/"
	case strings.HasPrefix(path, "/waiting/"):
		return "/waiting"
	}
	return path[:strings.LastIndex(path, "/")]
}

// known finds out who is signed in, for a page of no route: it has the same frame as
// others. Where that can't be found out, the page has the frame of strangers.
func (s *server) known(w http.ResponseWriter, r *http.Request) {
	if s.wantsJSON(r) {
		return
	}
	if current, err := s.session(w, r); err == nil {
		stateOf(r).session = current
	}
}

// muxErrorInterceptor drops what a mux says of its own, where no route matches, but for the
// header and the status.
type muxErrorInterceptor struct {
	http.ResponseWriter
	r       *http.Request
	dropped int // status; 0: nothing was dropped
}

func (a *muxErrorInterceptor) WriteHeader(status int) {
	if a.r.Pattern == "" {
		a.dropped = status
		return
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *muxErrorInterceptor) Write(b []byte) (int, error) {
	if a.r.Pattern == "" {
		return len(b), nil
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (a *muxErrorInterceptor) Unwrap() http.ResponseWriter { return a.ResponseWriter }
