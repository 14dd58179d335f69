package harness

import (
	"net/http"
	"net/url"
)

// TLSProxy sends requests for https addresses to an instance at an address by http, like a proxy that
// ends TLS.
type TLSProxy struct{ Addr string }

// RoundTrip sends a request.
func (p TLSProxy) RoundTrip(r *http.Request) (*http.Response, error) {
	inner := r.Clone(r.Context())
	inner.Host = r.URL.Host
	inner.URL = &url.URL{Scheme: "http", Host: p.Addr, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	answer, err := http.DefaultTransport.RoundTrip(inner)
	if err == nil {
		answer.Request = r
	}
	return answer, err
}
