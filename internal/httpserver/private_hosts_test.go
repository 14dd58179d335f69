package httpserver_test

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/httpserver"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestPrivateHostsOnly_Hosts(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-metrics-addr=metrics.example.com:9090", "--guestlist-base-url=http://localhost:PORT")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httpserver.ServeMetrics(listener, httpserver.PrivateHostsOnly(s.Config, s.App.Metrics), slog.New(slog.DiscardHandler))
	t.Cleanup(func() { server.Close() })
	for host, want := range map[string]int{
		"127.0.0.1:9090": 200, "localhost:9090": 200, "LOCALHOST": 200, "[::1]:9090": 200, "10.1.2.3:9090": 200, "[2001:db8::1]": 200,
		"guestlist:9090": 200, "guestlist.default.svc:9090": 200, "guestlist.default.svc.cluster.local": 200, "ip-10-0-0-1.ec2.internal:9090": 200,
		"metrics.example.com:9090": 200, "Metrics.Example.com.": 200,
		"evil.example:9090": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example:9090": 421, "local.evil.example": 421, "evil.com.": 421,
		"notmetrics.example.com": 421, "1.2.3.4.5": 421, ".": 421,
	} {
		for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap?debug=1", "/nothing"} {
			r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+listener.Addr().String()+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = host
			answer, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			if refused := answer.StatusCode == http.StatusMisdirectedRequest; refused != (want == 421) {
				t.Errorf("%s for %s: %d", path, host, answer.StatusCode)
			} else if refused && (strings.Contains(string(body), "go_goroutines") || strings.Contains(string(body), "profile")) {
				t.Errorf("%s for %s: %s", path, host, body)
			}
		}
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Host = ""
	if server.Handler.ServeHTTP(w, r); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("without a host: %d", w.Code)
	}
}
