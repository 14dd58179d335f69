package stytchlocal_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/guestlist/guestlist/internal/stytchlocal"
)

func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, peer, host string
		header           string
		want             int
	}{
		{"lets localhost in", "127.0.0.1:5000", "localhost:8080", "", 200},
		{"lets 127.0.0.1 in", "127.0.0.1:5000", "127.0.0.1", "", 200},
		{"lets IPv6 in", "[::1]:5000", "[::1]:8080", "", 200},
		{"lets IPv6 without port in", "[::1]:5000", "[::1]", "", 200},
		{"lets a mapped address in", "[::ffff:127.0.0.1]:5000", "LOCALHOST", "", 200},
		{"refuses another peer", "192.0.2.1:5000", "localhost:8080", "", 404},
		{"refuses a peer it can't read", "@", "localhost:8080", "", 404},
		{"refuses another host", "127.0.0.1:5000", "guestlist.example", "", 404},
		{"refuses a host bound to 127.0.0.1", "127.0.0.1:5000", "localhost.evil.example:8080", "", 404},
		{"refuses another loopback address as host", "127.0.0.1:5000", "127.0.0.2:8080", "", 404},
		{"refuses no host", "127.0.0.1:5000", "", "", 404},
		{"refuses a forwarded request", "127.0.0.1:5000", "localhost:8080", "X-Forwarded-For", 404},
		{"refuses a request forwarded by the standard", "127.0.0.1:5000", "localhost:8080", "Forwarded", 404},
		{"refuses a request with its true address", "127.0.0.1:5000", "localhost:8080", "X-Real-Ip", 404},
		{"refuses a request by way of others", "127.0.0.1:5000", "localhost:8080", "Via", 404},
		{"refuses a request through Cloudflare", "127.0.0.1:5000", "localhost:8080", "Cf-Connecting-Ip", 404},
		{"refuses a request through a tunnel", "127.0.0.1:5000", "localhost:8080", "Tailscale-User-Login", 404},
		{"refuses a request with the address under another name", "127.0.0.1:5000", "localhost:8080", "True-Client-Ip", 404},
		{"lets a browser's headers in", "127.0.0.1:5000", "localhost:8080", "Sec-Fetch-Site", 200},
		{"refuses a request through Fly", "127.0.0.1:5000", "localhost:8080", "Fly-Client-Ip", 404},
		{"refuses a header with underscores", "127.0.0.1:5000", "localhost:8080", "X_forwarded_for", 404},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr, r.Host = test.peer, test.host
			if test.header != "" {
				r.Header[test.header] = []string{"203.0.113.7"}
			}
			w := httptest.NewRecorder()
			stytchlocal.LoopbackOnly(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
			if w.Code != test.want {
				t.Errorf("answers %d, want %d", w.Code, test.want)
			}
		})
	}
}
