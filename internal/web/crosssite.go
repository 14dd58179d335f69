package web

import (
	"net/http"
	"net/url"
	"strings"
)

// crossOriginProtection refuses unsafe methods that a browser sends for another site.
func (s *server) crossOriginProtection(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.isSameOrigin(r) {
			s.writeError(w, r, errCrossOrigin)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isSameOrigin reports whether a request only reads, or comes from our own pages
// or from a program. Browsers say it in Sec-Fetch-Site, which pages can't set
// (https://www.w3.org/TR/fetch-metadata/). Where the header is missing, because the
// browser is older or a proxy has removed it, Origin decides, with its scheme:
// http.CrossOriginProtection compares the host alone. A request with neither
// header is not a browser's.
func (s *server) isSameOrigin(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	switch strings.ToLower(strings.Join(r.Header.Values("Sec-Fetch-Site"), ",")) {
	case "same-origin", "none":
		return true
	case "":
		origins := r.Header.Values("Origin")
		return len(origins) == 0 || len(origins) == 1 && s.isOwnOrigin(origins[0], r.Host)
	}
	return false
}

// isOwnOrigin reports whether an Origin header names the base URL, or the host that
// was asked by the base URL's scheme.
func (s *server) isOwnOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != s.BaseURL.Scheme || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	return sameHost(u.Scheme, u.Host, s.BaseURL.Host) || sameHost(u.Scheme, u.Host, host)
}

// sameHost compares two hosts, with or without the scheme's own port.
func sameHost(scheme, a, b string) bool {
	port := ":80"
	if scheme == "https" {
		port = ":443"
	}
	return strings.EqualFold(strings.TrimSuffix(a, port), strings.TrimSuffix(b, port))
}
