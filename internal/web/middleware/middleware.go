// Package middleware holds the HTTP middleware that needs nothing of the pages: each function
// returns a plain func(http.Handler) http.Handler.
package middleware

import (
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/guestlist/guestlist/internal/netutil"
)

// Chain wraps a handler in middleware. The first is the outermost.
func Chain(handler http.Handler, middleware ...func(http.Handler) http.Handler) http.Handler {
	for _, wrap := range slices.Backward(middleware) {
		handler = wrap(handler)
	}
	return handler
}

// StatusWriter records the status of a response.
type StatusWriter struct {
	http.ResponseWriter
	Status int // 0 while nothing was sent
}

// WriteHeader records the status and sends it.
func (w *StatusWriter) WriteHeader(status int) {
	if w.Status == 0 {
		w.Status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body, and the status 200 if none was sent.
func (w *StatusWriter) Write(b []byte) (int, error) {
	if w.Status == 0 {
		w.Status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (w *StatusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Recover calls respond, which logs the cause and answers with an error, when the handler panics.
// It aborts the connection instead if the response has begun or the cause is http.ErrAbortHandler.
func Recover(respond func(w http.ResponseWriter, r *http.Request, cause any)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			recorded := &StatusWriter{ResponseWriter: w}
			defer func() {
				cause := recover()
				if cause == nil {
					return
				}
				if cause == http.ErrAbortHandler || recorded.Status != 0 {
					panic(http.ErrAbortHandler)
				}
				respond(w, r, cause)
			}()
			next.ServeHTTP(recorded, r)
		})
	}
}

// SecurityHeaders sets the headers that restrict what a browser does with a response: nothing
// inline, nothing from other sites, no framing, no caching. Handlers may replace them. With https,
// HSTS makes browsers use nothing else for a year.
func SecurityHeaders(https bool) func(http.Handler) http.Handler {
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
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			maps.Copy(w.Header(), headers) // the slices are shared: Set replaces one, and nothing may add to it
			next.ServeHTTP(w, r)
		})
	}
}

// BasePath strips a path such as "/people" from every request, and redirects the path without a
// slash at its end. Requests for other paths go to outside. The empty path changes nothing.
func BasePath(path string, outside http.Handler) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if path == "" {
			return next
		}
		mux := http.NewServeMux()
		mux.Handle(path+"/", http.StripPrefix(path, next))
		mux.Handle("/", outside)
		return mux
	}
}

// CanonicalHost redirects pages requested under another name of this machine, such as 127.0.0.1,
// to the base URL, because cookies and emailed links belong to that one. It leaves requests alone
// that came through a proxy, which may use any name.
func CanonicalHost(base *url.URL, isPage func(*http.Request) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			isRead := r.Method == http.MethodGet || r.Method == http.MethodHead
			isOther := r.Host != base.Host && r.Header.Get("X-Forwarded-For") == ""
			if !isOther || !isRead || !isPage(r) || !netutil.IsLoopback(r.Host) || !netutil.IsLoopback(base.Host) {
				next.ServeHTTP(w, r)
				return
			}
			target := *base
			target.Path += r.URL.Path
			target.RawQuery = r.URL.RawQuery
			http.Redirect(w, r, target.String(), http.StatusTemporaryRedirect)
		})
	}
}
