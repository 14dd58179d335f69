package demo_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/demo"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/testdb"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// app is a demo app with a signer of its own.
type app struct {
	http.Handler
	signer *identity.Signer
	now    time.Time
}

func newApp(t *testing.T) *app {
	t.Helper()
	a := &app{now: noon}
	clock := func() time.Time { return a.now }
	log := slog.New(slog.DiscardHandler)
	db, err := store.Open(testdb.SQLite(t), clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context(), log); err != nil {
		t.Fatal(err)
	}
	home := &url.URL{Scheme: "http", Host: "localhost:8080"}
	if a.signer, err = identity.NewSigner(identity.Options{Store: db, CookieKeys: []string{"key"}, Issuer: home.String(), Now: clock, Log: log}); err != nil {
		t.Fatal(err)
	}
	if err := a.signer.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.Handler = demo.New(demo.Options{AppID: "demo", Home: home, Keys: a.signer.PublicKeys, Now: clock, Log: log})
	return a
}

// headers returns those of a user's request to an app.
func (a *app) headers(t *testing.T, appID string) http.Header {
	t.Helper()
	h, err := a.signer.Headers(t.Context(), identity.Identity{
		AppID: appID, UserID: "0193-chloe", Email: "chloe@example.com", Name: `Chloé <b>100%</b>`, Handle: "chloe_example.com", Groups: []string{"Köln, Nord", "staff"}, SessionID: "session-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (a *app) get(target string, h http.Header) (*http.Response, string) {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "http://demo.localhost:8080"+target, nil)
	if h != nil {
		r.Header = h
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w.Result(), w.Body.String()
}

func TestPage_ShowsTheIdentity(t *testing.T) {
	t.Parallel()
	a := newApp(t)
	h := a.headers(t, "demo")
	h.Set("X-Forwarded-For", "<script>alert(1)</script>")
	res, body := a.get("/deep?x=%3Cscript%3E", h)
	if res.StatusCode != http.StatusOK || res.Header.Get("Cache-Control") != "no-store" || !strings.Contains(res.Header.Get("Content-Security-Policy"), "form-action 'self' http://localhost:8080") {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	for _, want := range []string{
		"Hello, Chloé &lt;b&gt;100%&lt;/b&gt;", "chloe@example.com", "chloe_example.com", "Köln, Nord, staff", "Signature verified", "0193-chloe",
		"session-1", "<code>X-Guestlist-Jwt</code>", "from Guestlist", "/deep?x=%3Cscript%3E", "&lt;script&gt;alert(1)", `action="/.guestlist/signout"`, "1772366400 (12:00:00 UTC)",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in %s", want, body)
		}
	}
	if strings.Contains(body, "<script>") || strings.Contains(body, "ZgotmplZ") {
		t.Error(body)
	}
}

func TestPage_RefusesBadTokens(t *testing.T) {
	t.Parallel()
	a := newApp(t)
	valid := a.headers(t, "demo").Get("X-Guestlist-Jwt")
	for name, token := range map[string]string{
		"none": "", "no token": "x", "for another app": a.headers(t, "another").Get("X-Guestlist-Jwt"), "changed": valid[:len(valid)-8] + "AAAAAAAA",
	} {
		if _, body := a.get("/", http.Header{"Remote-Name": {"Eve"}, "X-Guestlist-Jwt": {token}}); !strings.Contains(body, "Not valid") || strings.Contains(body, "Signature verified") {
			t.Errorf("%s: %s", name, body)
		}
	}
	h := a.headers(t, "demo")
	a.now = a.now.Add(10 * time.Minute)
	if _, body := a.get("/", h); !strings.Contains(body, "It has expired") {
		t.Errorf("expired: %s", body)
	}
}

func TestPage_WithoutIdentity(t *testing.T) {
	t.Parallel()
	a := newApp(t)
	if _, body := a.get("/", nil); !strings.Contains(body, "No one is signed in") || strings.Contains(body, "Sign out</button>") {
		t.Error(body)
	}
}

func TestAssets_AreServed(t *testing.T) {
	t.Parallel()
	a := newApp(t)
	_, body := a.get("/", nil)
	for _, part := range strings.Split(body, `href="`)[1:] {
		path, _, _ := strings.Cut(part, `"`)
		if !strings.HasSuffix(path, ".css") && !strings.HasSuffix(path, ".svg") {
			continue
		}
		if res, content := a.get(path, nil); res.StatusCode != http.StatusOK || content == "" {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}
