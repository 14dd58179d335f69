package middleware

import (
	"net/http"
	"net/url"
	"strings"
)

// CrossOrigin sends requests that a browser makes for another site to refuse, unless they only
// read or exempt returns true. It is stricter than http.CrossOriginProtection, which ignores the
// scheme of Origin.
func CrossOrigin(base *url.URL, exempt func(*http.Request) bool, refuse http.Handler) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !IsSameOrigin(r.Method, r.Header, r.Host, base) && !exempt(r) {
				refuse.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// IsSameOrigin reports whether a request only reads, or comes from one of our own pages or from a
// program. host is the requested one, and base the URL of our pages. Browsers set Sec-Fetch-Site, which pages can't change (https://www.w3.org/TR/fetch-metadata/).
// Without it, because the browser is old or a proxy removed it, Origin decides. A request with
// neither header doesn't come from a browser.
func IsSameOrigin(method string, header http.Header, host string, base *url.URL) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	switch strings.ToLower(strings.Join(header.Values("Sec-Fetch-Site"), ",")) {
	case "same-origin", "none":
		return true
	case "":
		origins := header.Values("Origin")
		return len(origins) == 0 || len(origins) == 1 && isOwnOrigin(origins[0], host, base)
	}
	return false
}

// isOwnOrigin reports whether an Origin header names the base URL, or the requested host with the
// scheme of the base URL.
func isOwnOrigin(origin, host string, base *url.URL) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != base.Scheme || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	return sameHost(u.Scheme, u.Host, base.Host) || sameHost(u.Scheme, u.Host, host)
}

// sameHost compares two hosts; the scheme's default port may be left out.
func sameHost(scheme, a, b string) bool {
	port := ":80"
	if scheme == "https" {
		port = ":443"
	}
	return strings.EqualFold(strings.TrimSuffix(a, port), strings.TrimSuffix(b, port))
}

// isCrossSite reports whether a browser says that another site caused the request
// (https://www.w3.org/TR/fetch-metadata/).
func isCrossSite(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}
