package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// BenchmarkGuard checks requests of a member of three groups for an app, as another proxy asks and by
// the built-in proxy, without a network on the visitor's side.
func BenchmarkGuard(b *testing.B) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 64)) }))
	b.Cleanup(upstream.Close)
	s := harness.Start(b, testdb.SQLite(b), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	email, err := directory.ParseEmail(ada.Email)
	if err != nil {
		b.Fatal(err)
	}
	user, err := s.App.Directory.GetUserByEmail(b.Context(), email)
	if err != nil {
		b.Fatal(err)
	}
	var opens string
	for _, name := range []string{"Engineers", "Editors", "Visitors"} {
		g, err := s.App.Groups.Create(b.Context(), event.Origin{}, name)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.App.Groups.Join(b.Context(), event.Origin{}, g.ID, user.ID, time.Time{}); err != nil {
			b.Fatal(err)
		}
		opens = g.ID
	}
	app, err := s.App.Apps.Create(b.Context(), event.Origin{}, apps.Input{
		Name: "Wiki", URL: "http://wiki.example.com", Audience: "groups", GroupIDs: []string{opens}, Upstream: upstream.URL,
	})
	if err != nil {
		b.Fatal(err)
	}
	sessions, err := s.App.Store.ListSessions(b.Context(), user.ID)
	if err != nil || len(sessions) != 1 {
		b.Fatalf("%d sessions, %v", len(sessions), err)
	}
	cookie := apps.NewCredential()
	code := apps.Code{Hash: "code", AppID: app.ID, SessionHash: sessions[0].TokenHash}
	if err := s.App.Store.CreateCode(b.Context(), code); err != nil {
		b.Fatal(err)
	}
	if err := s.App.Store.RedeemCode(b.Context(), code.Hash, time.Time{}, func(c apps.Code, v session.Session, _ int) (apps.Credential, error) {
		return apps.Credential{CookieHash: apps.HashCredential(cookie), AppID: c.AppID, SessionHash: c.SessionHash, ExpiresAt: v.ExpiresAt}, nil
	}); err != nil {
		b.Fatal(err)
	}
	for name, host := range map[string]string{"/guard/forward": s.Config.BaseURL.Host, "/": app.Host} {
		b.Run("path="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := http.NewRequestWithContext(b.Context(), "GET", name, nil)
				if err != nil {
					b.Fatal(err)
				}
				r.Host, r.RemoteAddr, r.RequestURI = host, "127.0.0.1:1", name
				r.Header = http.Header{
					"Cookie": {"guestlist-app=" + cookie}, "User-Agent": {"bench"}, "Accept": {"*/*"}, "X-Forwarded-Method": {"GET"},
					"X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {app.Host}, "X-Forwarded-Uri": {"/page"}, "X-Forwarded-For": {"192.0.2.1"},
				}
				w := &answerSink{header: http.Header{}}
				s.App.Handler.ServeHTTP(w, r)
				if w.status != http.StatusOK {
					b.Fatal(fmt.Sprint(name, w.status))
				}
			}
		})
	}
}
