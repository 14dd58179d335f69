package main

import (
	"fmt"
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

func TestCookieThatIsNotOurs_IsIgnoredAndLeftAlone(t *testing.T) {
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
				{"GET", "/users?q=x", "/?next=%2Fusers%3Fq%3Dx"},
				{"GET", "/profile", "/?next=%2Fprofile"},
				{"POST", "/users", "/"},
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
				if set := v.header.Values("Set-Cookie"); len(set) > 0 {
					t.Errorf("%s %s sets cookies: %q", request.method, request.path, set)
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

func TestCookieKeys_WithoutTheOldOneSignPeopleOut(t *testing.T) {
	t.Parallel()
	old := start(t, testdb.SQLite(t), newClock(noon), "--guestlist-cookie-keys="+oneKey)
	ada := old.person("ada@example.com")
	ada.signsIn()
	alone := old.another("--guestlist-cookie-keys=" + anotherKey)
	wants(t, ada.at(alone).get("/users"), 200, "Sign in")
	wants(t, ada.at(old).get("/users"), 200, "People") // the other instance's cookie was left alone
}

// Two instances are restarted one after the other, with the keys of docs/security.md.
// At each moment, whoever signs in at one of them is signed in at both.
func TestCookieKeyRotation_KeepsEverybodySignedInOnBothInstances(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		keys := func(keys ...string) string { return "--guestlist-cookie-keys=" + strings.Join(keys, ",") }
		before, added, moved := keys(oneKey), keys(oneKey, anotherKey), keys(anotherKey, oneKey)
		first := start(t, databaseURL, newClock(noon), before, "--guestlist-local-stytch-limits=off")
		ada := first.person("ada@example.com")
		ada.signsIn()
		var grace *person
		for i, step := range [][2]string{{before, before}, {added, before}, {added, added}, {moved, added}, {moved, moved}} {
			here, there := first.another(step[0]), first.another(step[1])
			visitors := []*person{ada}
			for n, site := range []*site{here, there} {
				grace = first.person(fmt.Sprintf("grace%d%d@example.com", i, n))
				ada.at(here).invites(grace.email)
				grace.continues(grace.at(site).opensMail())
				visitors = append(visitors, grace.at(site))
			}
			for _, p := range visitors {
				for _, site := range []*site{here, there, here} {
					if v := p.at(site).get("/profile"); v.status != 200 || v.Heading() == "Sign in" {
						t.Errorf("step %d: %s is signed out: %s", i, p.email, v.Text())
					}
				}
			}
			here.close()
			there.close()
		}
	})
}

func TestTwoProgramsAtOneHost_LeaveEachOthersCookiesAlone(t *testing.T) {
	t.Parallel()
	one, two := start(t, testdb.SQLite(t), newClock(noon)), start(t, testdb.SQLite(t), newClock(noon))
	ada := one.person("ada@example.com")
	ada.signsIn()
	for _, path := range []string{"/", "/users", "/profile", "/signin/sent", "/nothing"} {
		ada.at(two).get(path)
	}
	ada.at(two).posts("/signin", "email", "nobody@example.com")
	wants(t, ada.get("/users"), 200, "People")

	door := two.another("--cookie-name=door") // what the README says to set
	grace := ada.at(door)
	grace.mails, grace.email = two, "grace@example.com"
	grace.signsIn()
	wants(t, grace.get("/profile"), 200, "grace@example.com")
	wants(t, ada.get("/users"), 200, "People")
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
