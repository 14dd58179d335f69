package web

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/event"
)

// Limits on a request.
const (
	maxBody     = 64 << 10
	workTimeout = 10 * time.Second
)

type requestIDKey struct{}

// requestID is what a person can name to find the request in the log.
func requestID(r *http.Request) string {
	id, _ := r.Context().Value(requestIDKey{}).(string)
	return id
}

func (s *server) withRequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()[:16]
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// withOrigin says where what a request does comes from; guard adds who does it.
func (s *server) withOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := s.browser(r)
		next.ServeHTTP(w, r.WithContext(event.WithOrigin(r.Context(), event.Origin{
			Address: b.Address, UserAgent: b.UserAgent, RequestID: requestID(r),
		})))
	})
}

// logRequest writes one line a request. The query stays out: it may hold a token.
func (s *server) logRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now() // a stopwatch, which nothing is decided by
		noted := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(noted, r)
		s.Log.Info("request", "method", r.Method, "path", r.URL.Path, "status", noted.status,
			"duration", time.Since(begin), "request_id", requestID(r))
	})
}

// statusWriter remembers the status that was sent.
type statusWriter struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (w *statusWriter) WriteHeader(status int) {
	if !w.wrote {
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController through.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (s *server) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		noted := &statusWriter{ResponseWriter: w}
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler || noted.wrote {
				panic(http.ErrAbortHandler) // too late for an answer: cut the connection
			}
			s.Log.Error("panic", "cause", cause, "stack", string(debug.Stack()), "request_id", requestID(r))
			s.problem(w, r, errInternal)
		}()
		next.ServeHTTP(noted, r)
	})
}

// SecurityHeaders puts the headers that keep a browser safe on every answer of
// next, also on errors; handlers only make them stricter. Nothing inline, nothing
// from elsewhere, no framing, nothing kept. https says that browsers come by it,
// and has them come by nothing else for a year.
func SecurityHeaders(https bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if https {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

func (s *server) securityHeaders(next http.Handler) http.Handler {
	return SecurityHeaders(s.https(), next)
}

// belowBasePath takes the base URL's path off the request's.
func (s *server) belowBasePath(next http.Handler) http.Handler {
	if s.BaseURL.Path == "" {
		return next
	}
	mux := http.NewServeMux()
	mux.Handle(s.BaseURL.Path+"/", http.StripPrefix(s.BaseURL.Path, next)) // also sends the path without a slash there
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { s.problem(w, r, errNoPage) })
	return mux
}

func (s *server) limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		ctx, cancel := context.WithTimeout(r.Context(), workTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// canonicalHost sends a page asked for under another local name to the base
// URL, because cookies and mailed links belong to that one.
func (s *server) canonicalHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isPage := (r.Method == http.MethodGet || r.Method == http.MethodHead) && !s.forPrograms(r)
		if isPage && r.Host != s.BaseURL.Host && isLocal(r.Host) && isLocal(s.BaseURL.Host) {
			target := *s.BaseURL
			target.Path += r.URL.Path
			target.RawQuery = r.URL.RawQuery
			http.Redirect(w, r, target.String(), http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLocal reports whether a host, with or without a port, is this machine.
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// sameOriginWrites refuses unsafe methods that a browser sends for another site.
func (s *server) sameOriginWrites(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	if err := protection.AddTrustedOrigin(s.BaseURL.Scheme + "://" + s.BaseURL.Host); err != nil {
		panic(err) // config has checked the base URL
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.problem(w, r, errOtherSite)
	}))
	return protection.Handler(next)
}

// namedProblems answers what no route matches in our own words; the mux knows
// whether that is a 404 or a 405, and which methods there are.
func (s *server) namedProblems(mux *http.ServeMux, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own, pattern := mux.Handler(r)
		if pattern != "" {
			next.ServeHTTP(w, r)
			return
		}
		unsent := &headerOnly{header: http.Header{}}
		own.ServeHTTP(unsent, r)
		if unsent.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", unsent.header.Get("Allow"))
			s.problem(w, r, errMethod)
			return
		}
		s.problem(w, r, errNoPage)
	})
}

// headerOnly takes an answer's status and header and drops the rest.
type headerOnly struct {
	header http.Header
	status int
}

func (h *headerOnly) Header() http.Header         { return h.header }
func (h *headerOnly) WriteHeader(status int)      { h.status = status }
func (h *headerOnly) Write(b []byte) (int, error) { return len(b), nil }
