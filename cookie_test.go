package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
)

const (
	oneKey     = "one key of thirty-two characters or more"
	anotherKey = "another key that is just as long as the first"
)

func TestACookieThatIsNotOursIsASignOutAndNotAnError(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon), "--guestlist-cookie-keys="+oneKey)
	ada := s.person("ada@example.com")
	ada.signsIn()
	good, _ := ada.cookie()
	elsewhere := s.another("--guestlist-cookie-keys=" + anotherKey)
	grace := elsewhere.person("ada@example.com")
	grace.signsIn()
	foreign, _ := grace.cookie()
	flow := ""
	for _, c := range ada.jar.Cookies(s.cfg.BaseURL) {
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
				{"GET", "/users?q=x", "/?expired&next=%2Fusers%3Fq%3Dx"},
				{"GET", "/profile", "/?expired&next=%2Fprofile"},
				{"POST", "/users", "/?expired"},
				{"GET", "/api/users", ""},
				{"DELETE", "/api/users/x", ""},
			} {
				nobody := newcomer(s)
				r := nobody.request(request.method, s.url+request.path, nil)
				r.Header.Set("Cookie", s.cfg.CookieName+"="+cookie.value)
				v := nobody.only(r)
				want := http.StatusSeeOther
				if request.leads == "" {
					want = http.StatusUnauthorized
				}
				if v.status != want || v.header.Get("Location") != request.leads {
					t.Errorf("%s %s: %d, leads to %q", request.method, request.path, v.status, v.header.Get("Location"))
				}
				if set := v.header.Get("Set-Cookie"); !strings.HasPrefix(set, s.cfg.CookieName+"=") || !strings.Contains(set, "Max-Age=0") {
					t.Errorf("%s %s: the cookie is not taken away: %q", request.method, request.path, set)
				}
			}
			nobody := newcomer(s)
			r := nobody.request("GET", s.url+"/", nil)
			r.Header.Set("Cookie", s.cfg.CookieName+"="+cookie.value)
			wants(t, nobody.only(r), 200, "Sign in")
		})
	}
	wants(t, ada.get("/users"), 200, "People") // the good one is as good as before
}

func TestANewCookieKeyInFrontKeepsPeopleSignedInAndAloneSignsThemOut(t *testing.T) {
	t.Parallel()
	old := start(t, testdb.SQLite(t), newClock(noon), "--guestlist-cookie-keys="+oneKey)
	ada := old.person("ada@example.com")
	ada.signsIn()

	both := old.another("--guestlist-cookie-keys=" + anotherKey + "," + oneKey)
	wants(t, ada.at(both).get("/users"), 200, "People")
	alone := old.another("--guestlist-cookie-keys=" + anotherKey)
	wants(t, ada.at(alone).get("/users"), 200, "Sign in", "Your session has ended")
}

func TestTheSessionCookieIsOfTheKindThatScriptsAndOtherSitesCannotUse(t *testing.T) {
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
			s := start(t, testdb.SQLite(t), newClock(noon), row.flags...)
			ada := s.person("ada@example.com")
			ask := ada.request("POST", s.url+"/signin", strings.NewReader(url.Values{"email": {ada.email}}.Encode()))
			ask.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			ada.only(ask)
			v := ada.only(ada.press(ada.newMail()))
			if v.status != http.StatusSeeOther {
				t.Fatalf("not signed in: %d %s", v.status, v.Text())
			}
			var set string
			for _, line := range v.header.Values("Set-Cookie") {
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

// edit changes one character.
func edit(s string, at int) string {
	c := byte('A')
	if s[at] == c {
		c = 'B'
	}
	return s[:at] + string(c) + s[at+1:]
}
