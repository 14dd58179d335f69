package httpserver_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/httpserver"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// internal/web tests the headers of pages. This tests all other responses of the program.
func TestStartupHandler_SecurityHeaders(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, name string, header http.Header, https bool) {
		t.Helper()
		hsts := header.Get("Strict-Transport-Security")
		if want := map[bool]string{true: "max-age=31536000; includeSubDomains"}[https]; hsts != want {
			t.Errorf("%s: Strict-Transport-Security is %q", name, hsts)
		}
		if csp := header.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none';") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: Content-Security-Policy is %q", name, csp)
		}
		for header, got := range map[string]string{
			"nosniff": header.Get("X-Content-Type-Options"), "no-store": header.Get("Cache-Control"), "same-origin": header.Get("Cross-Origin-Resource-Policy"),
			"": header.Get("Access-Control-Allow-Origin"),
		} {
			if got != header {
				t.Errorf("%s: %q, want %q", name, got, header)
			}
		}
		if header.Get("Referrer-Policy") == "" {
			t.Errorf("%s: no Referrer-Policy", name)
		}
	}
	for base, https := range map[string]bool{"http://localhost:PORT": false, "https://localhost:PORT/people": true} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-base-url="+base)
			for _, path := range []string{
				"/", "/users", "//users", "/users/../", "/dev", "/dev/", "/dev/inbox", "/dev/inbox.json", "/dev/faults", "/dev/faults.json", "/dev/nothing",
				"/v1", "/v1/", "/v1/users/x", "/v1/magic_links/redirect?token=x", s.Config.BaseURL.Path + "/v1/magic_links/redirect?token=x", s.Config.BaseURL.Path,
			} {
				for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
					for _, peer := range []string{"127.0.0.1:999", "192.0.2.1:999"} {
						r := httptest.NewRequestWithContext(t.Context(), method, "http://localhost"+path, strings.NewReader("{}"))
						r.RemoteAddr = peer
						r.Header.Set("Origin", "https://evil.example")
						w := httptest.NewRecorder()
						s.App.Handler.ServeHTTP(w, r)
						check(t, method+" "+path+" from "+peer, w.Header(), https)
					}
				}
			}
			front := httpserver.NewStartupHandler(s.Config.BaseURL, nil)
			gone, leave := context.WithCancel(t.Context())
			leave()
			for path, status := range map[string]int{"/": 503, "/users": 503, s.Config.BaseURL.Path + "/healthz": 200} {
				w := httptest.NewRecorder()
				front.ServeHTTP(w, httptest.NewRequestWithContext(gone, "GET", path, nil))
				if w.Code != status {
					t.Errorf("%s while it starts: %d", path, w.Code)
				}
				check(t, path+" while it starts", w.Header(), https)
			}
		})
	}
}
