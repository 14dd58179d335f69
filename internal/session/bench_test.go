package session_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/session"
)

func BenchmarkCookiesToken(b *testing.B) {
	cookies, err := session.NewCookies(session.CookieOptions{
		Keys: []string{"the key of the benchmark"}, Name: "guestlist", Path: "/", MaxAge: time.Hour, Now: newClock().now,
	})
	if err != nil {
		b.Fatal(err)
	}
	const token = "mZAYn5aLEqKUlZ_Ad9U_fWr38GaAQ1oFAhT8ds245v7Q"
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	if err := cookies.SetToken(w, r, token); err != nil {
		b.Fatal(err)
	}
	r.Header = http.Header{"Cookie": {w.Result().Cookies()[0].String()}}
	b.ReportAllocs()
	for b.Loop() {
		if opened, _ := cookies.Token(r); opened != token {
			b.Fatalf("opened %q", opened)
		}
	}
}
