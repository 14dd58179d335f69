package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
)

func TestBelowAPathOfItsHostEverythingWorksAsAtTheRoot(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon), "--guestlist-base-url=http://localhost:PORT/people")
	ada := s.person("ada@example.com")
	page := ada.get("/users?role=member")
	wants(t, page, 200, "Sign in")
	ada.submits(page, "Email me a link", "Email address", ada.email)
	link := ada.newMail()
	if !strings.HasPrefix(link, s.url+"/v1/magic_links/redirect?") {
		t.Errorf("the link is %s", link)
	}
	list := ada.continues(ada.opens(link))
	if list.path != "/users?role=member" {
		t.Errorf("ada comes back to %s", list.path)
	}
	form := follows(t, ada, list, "Invite people")
	wants(t, ada.submits(form, "Send invitation", "Email address", "grace@example.com"), 200, "People", "grace@example.com")
	entry := follows(t, ada, ada.get("/users"), "grace@example.com")
	wants(t, ada.submits(entry, "Suspend"), 200, "grace@example.com", "is suspended")
	grace := s.person("grace@example.com")
	wants(t, grace.asks(), 200, "Check your email")
	wants(t, ada.submits(list, "Sign out"), 200, "Sign in", "You’ve signed out.")

	for path, status := range map[string]int{"/": 404, "/users": 404, "/api/users": 404, "/peoples": 404, "/people": 200, "/people/": 200, "/people/healthz": 200} {
		if v := grace.get(s.host + path); v.status != status {
			t.Errorf("%s: got %d, want %d", path, v.status, status)
		}
	}
}

func TestAPageAskedForUnderAnotherLocalNameIsAtTheBaseURL(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"http://localhost:PORT", "http://localhost:PORT/people"} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			s := start(t, testdb.SQLite(t), newClock(noon), "--guestlist-base-url="+base)
			direct := "http://" + s.cfg.Addr + s.cfg.BaseURL.Path
			nobody := newcomer(s)
			for _, path := range []string{"/", "/users?q=ada&sort=-name", app.CallbackPath + "?token=abc"} {
				v := nobody.only(nobody.request("GET", direct+path, nil))
				if v.status != http.StatusTemporaryRedirect || v.header.Get("Location") != s.url+path {
					t.Errorf("%s: %d, leads to %q, want %q", path, v.status, v.header.Get("Location"), s.url+path)
				}
			}
			// What programs ask for is answered where it is asked.
			for path, status := range map[string]int{"/healthz": 200, "/readyz": 200, "/api/session": 401} {
				if v := nobody.only(nobody.request("GET", direct+path, nil)); v.status != status {
					t.Errorf("%s: got %d, want %d", path, v.status, status)
				}
			}
		})
	}
}

func TestTheMailsAndTheAPIOfTheStandInAreForThisMachineAlone(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon))
	for _, path := range []string{"/dev/inbox", "/dev/inbox.json", "/dev/faults", "/dev/faults.json", "/v1/debug/whoami"} {
		for name, change := range map[string]func(*http.Request){
			"under a name from outside": func(r *http.Request) { r.Host = "evil.example" },
			"through a proxy":           func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") },
		} {
			nobody := newcomer(s)
			r := nobody.request("GET", s.url+path, nil)
			change(r)
			if v := nobody.only(r); v.status != http.StatusNotFound {
				t.Errorf("%s %s: %d", path, name, v.status)
			}
		}
		if v := newcomer(s).get(path); v.status == http.StatusNotFound {
			t.Errorf("%s is not there at all", path)
		}
	}
	// With the real Stytch, none of it is there.
	c := newClock(noon)
	stytch := newRemote(t, c)
	real := start(t, testdb.SQLite(t), c, stytch.flags()...)
	for _, path := range []string{"/dev/inbox", "/dev/inbox.json", "/dev/faults", "/dev/faults.json", "/v1/debug/whoami", "/v1/magic_links/redirect?token=x"} {
		if v := newcomer(real).get(path); v.status != http.StatusNotFound {
			t.Errorf("with the real Stytch, %s: %d", path, v.status)
		}
	}
}
