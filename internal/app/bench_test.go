package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// BenchmarkHandler serves requests of an administrator, with two hundred users and without
// a network.
//
//	go test -run '^$' -bench Handler -count 10 ./internal/app | tee new.txt && benchstat old.txt new.txt
func BenchmarkHandler(b *testing.B) {
	benchmarkHandler(b, harness.Start(b, testdb.SQLite(b), harness.NewClock(harness.Noon)), "/", "/api/session", openid.UserInfoPath, openid.JWKSPath, "/api/users", "/api/users?q=person+com", "/users")
}

// BenchmarkObserved measures the cost of metrics and traces.
func BenchmarkObserved(b *testing.B) {
	const metrics = "--guestlist-metrics-addr=127.0.0.1:0"
	collector := harness.NewTraceCollector(b)
	for name, flags := range map[string][]string{"nothing": nil, "metrics": {metrics}, "metrics and traces": {metrics, collector.Flag()}} {
		b.Run(name, func(b *testing.B) {
			benchmarkHandler(b, harness.Start(b, testdb.SQLite(b), harness.NewClock(harness.Noon), flags...), "/api/session")
		})
	}
}

func benchmarkHandler(b *testing.B, s *harness.Site, paths ...string) {
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	for i := range 200 {
		entry := directory.UserInput{Email: fmt.Sprintf("person%d@example.com", i), Name: fmt.Sprintf("Person %d", i)}
		if _, err := directory.New(directory.Options{Store: s.App.Store, Now: s.Clock.Now}).Add(b.Context(), directory.Actor{}, entry); err != nil {
			b.Fatal(err)
		}
	}
	base, err := url.Parse(s.URL)
	if err != nil {
		b.Fatal(err)
	}
	client := s.AddClient(s.AddAppWith(apps.Input{Name: "Wiki"}, "Engineers"), openid.ClientInput{RedirectURIs: "https://wiki.example.com"})
	s.Join("Engineers", ada.Email)
	var tokens openid.TokenResponse
	if err := json.Unmarshal([]byte(client.Redeem(client.Authorize(ada).Get("code")).Body), &tokens); err != nil {
		b.Fatal(err)
	}
	for _, path := range paths {
		b.Run("path="+path, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := http.NewRequestWithContext(b.Context(), "GET", path, nil)
				if err != nil {
					b.Fatal(err)
				}
				r.Header.Set("Authorization", "Bearer "+tokens.AccessToken)
				if path != openid.UserInfoPath {
					r.Header.Del("Authorization")
				}
				r.Host, r.RemoteAddr = s.Config.BaseURL.Host, "127.0.0.1:1"
				if path != "/" { // redirects signed-in people
					for _, c := range ada.Jar.Cookies(base) {
						r.AddCookie(c)
					}
				}
				w := &answerSink{header: http.Header{}}
				s.App.Handler.ServeHTTP(w, r)
				if w.status != http.StatusOK {
					b.Fatalf("%s: %d", path, w.status)
				}
			}
		})
	}
}

// answerSink is a ResponseWriter that keeps the status only.
type answerSink struct {
	header http.Header
	status int
}

func (a *answerSink) Header() http.Header { return a.header }

func (a *answerSink) WriteHeader(status int) { a.status = status }

func (a *answerSink) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return len(p), nil
}
