package guard_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// BenchmarkForward measures one check of a signed-in user, as Caddy asks for it.
func BenchmarkForward(b *testing.B) {
	s := harness.Start(b, testdb.SQLite(b), harness.NewClock(harness.Noon), "--guestlist-admins=ada@example.com", "--guestlist-base-url=http://localhost:PORT")
	app := s.AddApp("Wiki", "https://wiki.example.com", "Staff")
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	s.Join("Staff", ada.Email)
	if v := ada.OpenApp(harness.Askers[0], app.URL()+"/"); v.Status != http.StatusOK {
		b.Fatalf("%d %s", v.Status, v.Text())
	}
	r := ada.AppRequest("GET", app.URL()+"/page?q=x")
	for _, c := range ada.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	ask, err := harness.Askers[0].Ask(s, r)
	if err != nil {
		b.Fatal(err)
	}
	ask.RequestURI, ask.RemoteAddr = "/guard/forward", "127.0.0.1:999"
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		s.App.Handler.ServeHTTP(w, ask)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}

// BenchmarkSession measures Guestlist's own check of a session, to compare.
func BenchmarkSession(b *testing.B) {
	s := harness.Start(b, testdb.SQLite(b), harness.NewClock(harness.Noon), "--guestlist-admins=ada@example.com", "--guestlist-base-url=http://localhost:PORT")
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	r := ada.NewRequest("GET", s.URL+"/api/session", nil)
	for _, c := range ada.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	r.RequestURI, r.RemoteAddr = "/api/session", "127.0.0.1:999"
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		s.App.Handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}
