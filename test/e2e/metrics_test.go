package e2e

import (
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// metricsOn enables metrics; tests use the handler, not the listener.
const metricsOn = "--guestlist-metrics-addr=127.0.0.1:0"

// scraped is the result of a scrape, by family name.
type scraped map[string]*dto.MetricFamily

// scrape requests and parses the metrics of an instance like Prometheus.
func scrape(t *testing.T, s *harness.Site) scraped {
	t.Helper()
	w := httptest.NewRecorder()
	s.App.Metrics.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	if at := strings.Index(text, "example."); w.Code != 200 || at >= 0 {
		t.Fatalf("a scrape gets %d, an address at %d:\n%s", w.Code, at, text)
	}
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return families
}

// value returns the sum of the metrics with these labels, given as pairs of name and value.
// For a histogram it returns the number of observations.
func (s scraped) value(family string, labels ...string) float64 {
	sum := 0.0
	for _, m := range s[family].GetMetric() {
		has := map[string]string{}
		for _, pair := range m.GetLabel() {
			has[pair.GetName()] = pair.GetValue()
		}
		fits := true
		for i := 0; i < len(labels); i += 2 {
			fits = fits && has[labels[i]] == labels[i+1]
		}
		if fits {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return sum
}

// eventfulDay does what happens on a busy day: people sign in, also to an app, a link and a code are used
// twice, and Stytch is unavailable during an invitation.
func eventfulDay(t *testing.T, s *harness.Site) {
	t.Helper()
	ada := s.NewPerson("ada@example.com")
	ada.RequestLink()
	link := ada.NextLink()
	landing := ada.OpenLink(link)
	harness.WantPage(t, ada.PressContinue(landing), 200, "My apps", "People")
	if v := ada.InNewBrowser().PressContinue(landing); v.Status != 410 {
		t.Fatalf("a spent link gets %d", v.Status)
	}
	if v := ada.CallAPI("GET", "/api/session", ""); v.Status != 200 {
		t.Fatalf("the session is not there: %s", v.Body)
	}
	ada.Get("/nowhere/at/all")
	client := s.AddClient(s.AddApp("Wiki", "https://wiki.example.com"), openid.ClientInput{RedirectURIs: "https://wiki.example.com/callback"})
	code := client.Authorize(ada).Get("code")
	tokens := tokensOf(t, client.Redeem(code))
	wantOAuthError(t, client.Redeem(code), 400, "invalid_grant")
	wantOAuthError(t, client.Renew(tokens.RefreshToken), 400, "invalid_grant")
	wantOAuthError(t, client.Redeem(code, "grant_type", "password"), 400, "unsupported_grant_type")
	if v := harness.NewVisitor(s).CallAPI("PUT", "/dev/faults.json", `{"rules":[{"route":"/v1/*","kind":"down"}]}`); v.Status != 200 {
		t.Fatalf("the faults: %d %s", v.Status, v.Body)
	}
	if v := ada.CallAPI("POST", "/api/invite_user", `{"email":"grace@example.com"}`); v.Status != 202 {
		t.Fatalf("an invitation while Stytch is down: %d %s", v.Status, v.Body)
	}
}

func TestMetrics_AfterAnEventfulDay(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), metricsOn)
		eventfulDay(t, s)
		s.Clock.Advance(90_000_000_000)
		got := scrape(t, s)
		check := "GetSession"
		if !strings.HasPrefix(databaseURL, "sqlite:") {
			check = "GetSessions" // one of the concurrent queries
		}
		for _, row := range []struct {
			family string
			labels []string
			want   float64 // at least
			most   float64
		}{
			{"guestlist_build_info", nil, 1, 1},
			{"guestlist_http_requests_total", []string{"route", "GET /api/session", "code", "200"}, 1, 1},
			{"guestlist_http_requests_total", []string{"route", "POST /api/authenticate_magic_link", "code", "303"}, 1, 1},
			{"guestlist_http_requests_total", []string{"route", "POST /api/authenticate_magic_link", "code", "410"}, 1, 1},
			{"guestlist_http_requests_total", []string{"route", "none", "code", "404"}, 1, 1},
			{"guestlist_http_request_duration_seconds", []string{"route", "GET /api/session"}, 1, 1},
			{"guestlist_db_query_duration_seconds", []string{"query", check}, 1, 1000},
			{"guestlist_db_query_duration_seconds", []string{"query", "InsertSession"}, 1, 1},
			{"guestlist_db_query_duration_seconds", []string{"query", "other"}, 0, 0},
			{"guestlist_db_connections_max", nil, 9, 32},
			{"guestlist_db_connections_open", nil, 1, 32},
			{"guestlist_stytch_calls_total", []string{"method", "send magic link", "outcome", "ok"}, 1, 1},
			{"guestlist_stytch_calls_total", []string{"method", "authenticate magic link", "outcome", "refused"}, 1, 2},
			{"guestlist_stytch_calls_total", []string{"method", "invite", "outcome", "unavailable"}, 1, 10},
			{"guestlist_stytch_call_duration_seconds", []string{"method", "invite"}, 1, 10},
			{"guestlist_sign_ins_total", []string{"outcome", "signed_in"}, 1, 1},
			{"guestlist_sign_ins_total", []string{"outcome", "link_spent"}, 1, 1},
			{"guestlist_openid_token_requests_total", []string{"grant", "authorization_code", "result", "issued"}, 1, 1},
			{"guestlist_openid_token_requests_total", []string{"grant", "authorization_code", "result", "invalid_grant"}, 1, 1},
			{"guestlist_openid_token_requests_total", []string{"grant", "refresh_token", "result", "invalid_grant"}, 1, 1},
			{"guestlist_openid_token_requests_total", []string{"grant", "other", "result", "unsupported_grant_type"}, 1, 1},
			{"guestlist_openid_token_requests_total", nil, 4, 4},
			{"guestlist_http_requests_total", []string{"route", "POST /oauth/token", "code", "400"}, 3, 3},
			{"guestlist_outbox_jobs", []string{"state", "waiting"}, 1, 1},
			{"guestlist_outbox_jobs", []string{"state", "parked"}, 0, 0},
			{"guestlist_outbox_oldest_seconds", nil, 89, 91},
			{"go_goroutines", nil, 1, 10000},
			{"process_cpu_seconds_total", nil, 0, 10000},
		} {
			if n := got.value(row.family, row.labels...); got[row.family] == nil || n < row.want || n > row.most {
				t.Errorf("%s %q is %v, want %v to %v", row.family, row.labels, n, row.want, row.most)
			}
		}
	})
}

// metricName matches the names of Guestlist's and Go's metrics.
var metricName = regexp.MustCompile(`\b(?:guestlist|go|process)_[a-z_]+`)

func TestMetrics_DocsAndDashboardNameExistingMetrics(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), metricsOn)
	eventfulDay(t, s)
	got := scrape(t, s)
	for _, file := range []string{"deploy/grafana.json", "docs/observability.md"} {
		text, err := os.ReadFile(harness.RepoPath(file))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".json") && !json.Valid(text) {
			t.Errorf("%s is no JSON", file)
		}
		names := metricName.FindAllString(string(text), -1)
		for _, name := range names {
			family := name
			for _, ending := range []string{"_bucket", "_count", "_sum"} {
				family = strings.TrimSuffix(family, ending)
			}
			// No query has failed in this test.
			if got[family] == nil && name != "go_version" && name != "guestlist_db_query_errors_total" {
				t.Errorf("%s speaks of %s, which no scrape has", file, name)
			}
		}
		if len(names) < 10 {
			t.Errorf("%s speaks of %d metrics", file, len(names))
		}
	}
}

func TestMetrics_AreOnTheirOwnListenerOnly(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), metricsOn)
	metrics := httptest.NewServer(s.App.Metrics)
	t.Cleanup(metrics.Close)
	for path, want := range map[string]int{
		"/metrics": 200, "/debug/pprof/": 200, "/debug/pprof/heap": 200, "/debug/pprof/symbol": 200, "/debug/pprof/cmdline": 404, "/": 404, "/users": 404,
	} {
		answer, err := metrics.Client().Get(metrics.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("the metrics' listener answers %s with %d", path, answer.StatusCode)
		}
		if v := harness.NewVisitor(s).Get(path); strings.HasPrefix(path, "/debug") && v.Status != 404 || path == "/metrics" && v.Status != 404 {
			t.Errorf("the main listener answers %s with %d", path, v.Status)
		}
	}
	if off := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon)); off.App.Metrics != nil {
		t.Error("metrics are collected although they are disabled")
	}
}
