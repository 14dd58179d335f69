package proxy_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/guard/proxy"
)

// BenchmarkServe compares the proxy with the standard library's ReverseProxy, on which it is
// built, for small and large answers.
func BenchmarkServe(b *testing.B) {
	answers := map[string]string{"64 B": strings.Repeat("x", 64), "64 KB": strings.Repeat("x", 64<<10)}
	for name, answer := range answers {
		app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, answer) }))
		b.Cleanup(app.Close)
		upstream, err := url.Parse(app.URL)
		if err != nil {
			b.Fatal(err)
		}
		p := proxy.New(proxy.Options{
			ClientIP: func(*http.Request) string { return "203.0.113.9" }, Cookies: []string{"__Host-guestlist", "__Host-guestlist-app"},
			Timeouts: proxy.DefaultTimeouts, Installation: "people.example.com", Log: slog.New(slog.DiscardHandler),
		})
		target := proxy.Target{
			Name: "Wiki", URL: &url.URL{Scheme: "https", Host: "wiki.example.com"}, Upstream: upstream,
			Identity: http.Header{"Remote-User": {"ada"}, "Remote-Email": {"ada@example.com"}, "X-Guestlist-Jwt": {strings.Repeat("x", 500)}},
		}
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = 64
		plain := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(upstream); r.SetXForwarded() }}
		for kind, handler := range map[string]http.Handler{
			"proxy":        http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.Serve(w, r, target) }),
			"ReverseProxy": plain,
		} {
			b.Run(name+" "+kind, func(b *testing.B) {
				front := httptest.NewServer(handler)
				defer front.Close()
				client := front.Client()
				client.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						r, _ := http.NewRequest("GET", front.URL+"/page?q=1", nil)
						r.Header = http.Header{"User-Agent": {"Mozilla/5.0"}, "Accept": {"text/html"}, "Cookie": {"__Host-guestlist-app=secret; app=1"}, "Accept-Language": {"en"}}
						res, err := client.Do(r)
						if err != nil {
							b.Error(err)
							return
						}
						_, _ = io.Copy(io.Discard, res.Body)
						res.Body.Close()
					}
				})
			})
		}
	}
}
