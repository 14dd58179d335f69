package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestBaseURL_WithPath(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-base-url=http://localhost:PORT/people")
	ada := s.NewPerson("ada@example.com")
	page := ada.Get("/users?role=member")
	harness.WantPage(t, page, 200, "Sign in")
	ada.Submit(page, "Email me a link", "Email address", ada.Email)
	link := ada.NextLink()
	if !strings.HasPrefix(link, s.URL+"/v1/magic_links/redirect?") {
		t.Errorf("the link is %s", link)
	}
	list := ada.PressContinue(ada.OpenLink(link))
	if list.Path != "/users?role=member" {
		t.Errorf("ada comes back to %s", list.Path)
	}
	form := harness.FollowLink(t, ada, list, "Invite people")
	harness.WantPage(t, ada.Submit(form, "Send invitation", "Email address", "grace@example.com"), 200, "People", "grace@example.com")
	entry := harness.FollowLink(t, ada, ada.Get("/users"), "grace@example.com")
	harness.WantPage(t, ada.Submit(entry, "Suspend"), 200, "grace@example.com", "is suspended")
	grace := s.NewPerson("grace@example.com")
	harness.WantPage(t, grace.RequestLink(), 200, "Check your email")
	harness.WantPage(t, ada.Submit(list, "Sign out"), 200, "Sign in", "You’ve signed out.")

	for path, status := range map[string]int{"/": 404, "/users": 404, "/api/users": 404, "/peoples": 404, "/people": 200, "/people/": 200, "/people/healthz": 200} {
		if v := grace.Get(s.Host + path); v.Status != status {
			t.Errorf("%s: got %d, want %d", path, v.Status, status)
		}
	}
}

func TestBaseURL_OtherLocalNameRedirects(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"http://localhost:PORT", "http://localhost:PORT/people"} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-base-url="+base)
			direct := "http://" + s.Config.Addr + s.Config.BaseURL.Path
			visitor := harness.NewVisitor(s)
			for _, path := range []string{"/", "/users?q=ada&sort=-name", app.CallbackPath + "?token=abc"} {
				v := visitor.DoOnce(visitor.NewRequest("GET", direct+path, nil))
				if v.Status != http.StatusTemporaryRedirect || v.Header.Get("Location") != s.URL+path {
					t.Errorf("%s: %d, leads to %q, want %q", path, v.Status, v.Header.Get("Location"), s.URL+path)
				}
			}
			// API requests are answered without a redirect.
			for path, status := range map[string]int{"/healthz": 200, "/readyz": 200, "/api/session": 401} {
				if v := visitor.DoOnce(visitor.NewRequest("GET", direct+path, nil)); v.Status != status {
					t.Errorf("%s: got %d, want %d", path, v.Status, status)
				}
			}
		})
	}
}

func TestLocalStytch_IsLoopbackOnly(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	for _, path := range []string{"/dev/inbox", "/dev/inbox.json", "/dev/faults", "/dev/faults.json", "/v1/debug/whoami", "/v1/public/oauth/google/start"} {
		for name, change := range map[string]func(*http.Request){
			"under a name from outside": func(r *http.Request) { r.Host = "evil.example" },
			"through a proxy":           func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") },
		} {
			visitor := harness.NewVisitor(s)
			r := visitor.NewRequest("GET", s.URL+path, nil)
			change(r)
			if v := visitor.DoOnce(r); v.Status != http.StatusNotFound {
				t.Errorf("%s %s: %d", path, name, v.Status)
			}
		}
		if v := harness.NewVisitor(s).Get(path); v.Status == http.StatusNotFound {
			t.Errorf("%s is not there at all", path)
		}
	}
	// With the real Stytch, these routes don't exist.
	c := harness.NewClock(harness.Noon)
	stytch := harness.NewRemoteStytch(t, c)
	real := harness.Start(t, testdb.SQLite(t), c, stytch.Flags()...)
	for _, path := range []string{"/dev/inbox", "/dev/inbox.json", "/dev/faults", "/dev/faults.json", "/dev/oauth/google", "/v1/debug/whoami", "/v1/public/oauth/google/start", "/v1/magic_links/redirect?token=x"} {
		if v := harness.NewVisitor(real).Get(path); v.Status != http.StatusNotFound {
			t.Errorf("with the real Stytch, %s: %d", path, v.Status)
		}
	}
}
