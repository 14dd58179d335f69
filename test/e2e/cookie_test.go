package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestCookie_OfAnotherProgramIsIgnored(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-cookie-keys="+harness.CookieKey)
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	good, _ := ada.SessionCookie()
	elsewhere := s.StartAnother("--guestlist-cookie-keys=" + harness.AnotherKey)
	grace := elsewhere.NewPerson("ada@example.com")
	grace.SignIn()
	foreign, _ := grace.SessionCookie()
	flow := ""
	for _, c := range ada.Jar.Cookies(s.Config.BaseURL) {
		if strings.HasSuffix(c.Name, "-signin") {
			flow = c.Value
		}
	}

	cookies := []struct{ name, value string }{
		{"from another key", foreign},
		{"cut at the end", good[:len(good)-1]},
		{"cut in the middle", good[:len(good)/2]},
		{"edited at the start", edit(good, 0)},
		{"edited in the middle", edit(good, len(good)/2)},
		{"edited at the end", edit(good, len(good)-1)},
		{"with something behind it", good + "x"},
		{"twice over", good + good},
		{"empty", ""},
		{"made up", "ada"},
		{"of another purpose", flow},
		{"very long", strings.Repeat("A", 8000)},
	}
	for _, cookie := range cookies {
		t.Run(cookie.name, func(t *testing.T) {
			if cookie.value == good {
				t.Fatal("the cookie is as it was")
			}
			for _, request := range []struct{ method, path, leads string }{
				{"GET", "/users?q=x", "/?next=%2Fusers%3Fq%3Dx"},
				{"GET", "/profile", "/?next=%2Fprofile"},
				{"POST", "/users", "/"},
				{"GET", "/api/users", ""},
				{"DELETE", "/api/users/x", ""},
			} {
				visitor := harness.NewVisitor(s)
				r := visitor.NewRequest(request.method, s.URL+request.path, nil)
				r.Header.Set("Cookie", s.Config.CookieName+"="+cookie.value)
				v := visitor.DoOnce(r)
				want := http.StatusSeeOther
				if request.leads == "" {
					want = http.StatusUnauthorized
				}
				if v.Status != want || v.Header.Get("Location") != request.leads {
					t.Errorf("%s %s: %d, leads to %q", request.method, request.path, v.Status, v.Header.Get("Location"))
				}
				if set := v.Header.Values("Set-Cookie"); len(set) > 0 {
					t.Errorf("%s %s sets cookies: %q", request.method, request.path, set)
				}
			}
			visitor := harness.NewVisitor(s)
			r := visitor.NewRequest("GET", s.URL+"/", nil)
			r.Header.Set("Cookie", s.Config.CookieName+"="+cookie.value)
			harness.WantPage(t, visitor.DoOnce(r), 200, "Sign in")
		})
	}
	harness.WantPage(t, ada.Get("/users"), 200, "People") // the valid cookie still works
}

func TestCookieKeys_WithoutTheOldKeyEndSessions(t *testing.T) {
	t.Parallel()
	old := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-cookie-keys="+harness.CookieKey)
	ada := old.NewPerson("ada@example.com")
	ada.SignIn()
	alone := old.StartAnother("--guestlist-cookie-keys=" + harness.AnotherKey)
	harness.WantPage(t, ada.At(alone).Get("/users"), 200, "Sign in")
	harness.WantPage(t, ada.At(old).Get("/users"), 200, "People") // the other instance's cookie is unchanged
}

// Two instances are restarted one after the other, as docs/security.md describes. A session
// that starts at one of them is valid at both at every moment.
func TestCookieKeys_RotationKeepsSessions(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		keys := func(keys ...string) string { return "--guestlist-cookie-keys=" + strings.Join(keys, ",") }
		before, added, moved := keys(harness.CookieKey), keys(harness.CookieKey, harness.AnotherKey), keys(harness.AnotherKey, harness.CookieKey)
		first := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), before, "--guestlist-local-stytch-limits=off")
		ada := first.NewPerson("ada@example.com")
		ada.SignIn()
		var grace *harness.Person
		for i, step := range [][2]string{{before, before}, {added, before}, {added, added}, {moved, added}, {moved, moved}} {
			here, there := first.StartAnother(step[0]), first.StartAnother(step[1])
			visitors := []*harness.Person{ada}
			for n, site := range []*harness.Site{here, there} {
				grace = first.NewPerson(fmt.Sprintf("grace%d%d@example.com", i, n))
				ada.At(here).Invite(grace.Email)
				grace.PressContinue(grace.At(site).OpenNextLink())
				visitors = append(visitors, grace.At(site))
			}
			for _, p := range visitors {
				for _, site := range []*harness.Site{here, there, here} {
					if v := p.At(site).Get("/profile"); v.Status != 200 || v.Heading() == "Sign in" {
						t.Errorf("step %d: %s is signed out: %s", i, p.Email, v.Text())
					}
				}
			}
			here.Close()
			there.Close()
		}
	})
}

func TestCookie_TwoInstancesOnOneHost(t *testing.T) {
	t.Parallel()
	one, two := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon)), harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := one.NewPerson("ada@example.com")
	ada.SignIn()
	for _, path := range []string{"/", "/users", "/profile", "/signin/sent", "/nothing"} {
		ada.At(two).Get(path)
	}
	ada.At(two).Post("/signin", "email", "nobody@example.com")
	harness.WantPage(t, ada.Get("/users"), 200, "People")

	door := two.StartAnother("--cookie-name=door") // as the docs describe
	grace := ada.At(door)
	grace.MailSite, grace.Email = two, "grace@example.com"
	grace.SignIn()
	harness.WantPage(t, grace.Get("/profile"), 200, "grace@example.com")
	harness.WantPage(t, ada.Get("/users"), 200, "People")
}

func TestCookie_Attributes(t *testing.T) {
	t.Parallel()
	behindTLS := "--guestlist-base-url=https://localhost:PORT"
	for _, row := range []struct {
		name       string
		flags      []string
		cookie     string
		attributes []string
	}{
		{"over http", nil, "guestlist", []string{"Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=604800"}},
		{"over https", []string{behindTLS}, "__Host-guestlist", []string{"Path=/", "HttpOnly", "SameSite=Lax", "Secure"}},
		{"over https under a path", []string{behindTLS + "/people"}, "__Secure-guestlist", []string{"Path=/people/", "HttpOnly", "SameSite=Lax", "Secure"}},
		{"for a day, under a name of our own", []string{"--cookie-name=door", "--guestlist-session-duration=24h"}, "door", []string{"Path=/", "Max-Age=86400"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), row.flags...)
			ada := s.NewPerson("ada@example.com")
			ask := ada.NewRequest("POST", s.URL+"/signin", strings.NewReader(url.Values{"email": {ada.Email}}.Encode()))
			ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			ada.DoOnce(ask)
			v := ada.DoOnce(ada.ContinueRequest(ada.NextLink()))
			if v.Status != http.StatusSeeOther {
				t.Fatalf("not signed in: %d %s", v.Status, v.Text())
			}
			var set string
			for _, line := range v.Header.Values("Set-Cookie") {
				if strings.HasPrefix(line, row.cookie+"=") {
					set = line
				}
			}
			for _, attribute := range row.attributes {
				if !strings.Contains(set+";", "; "+attribute+";") {
					t.Errorf("the cookie has no %s: %q", attribute, set)
				}
			}
		})
	}
}

// edit changes the character at an index.
func edit(s string, at int) string {
	c := byte('A')
	if s[at] == c {
		c = 'B'
	}
	return s[:at] + string(c) + s[at+1:]
}
