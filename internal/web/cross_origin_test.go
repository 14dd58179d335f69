package web

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
)

func TestCrossOrigin_WritesAreRefusedOnEveryRoute(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	target := f.add(directory.User{Email: directory.Email{Display: "target@example.com"}})
	boss := f.signedIn(directory.Admin, "ada@example.com")
	signs := []struct {
		name    string
		headers []string
		refused bool
	}{
		{"another site", []string{"Sec-Fetch-Site", "cross-site"}, true},
		{"another site that knows our address", []string{"Sec-Fetch-Site", "cross-site", "Origin", "http://evil.example", "Referer", "http://localhost:8080/users"}, true},
		{"a neighbour under the same domain", []string{"Sec-Fetch-Site", "same-site"}, true},
		{"another site, in an old browser", []string{"Origin", "http://evil.example"}, true},
		{"another port of this host", []string{"Origin", "http://localhost:8081"}, true},
		{"our host by another scheme, for another site", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://localhost:8080"}, true},
		{"a name that begins as ours", []string{"Origin", "http://localhost:8080.evil.example"}, true},
		{"a name that ends as ours", []string{"Origin", "http://evil-localhost:8080"}, true},
		{"a sandboxed frame", []string{"Origin", "null"}, true},
		{"no origin that can be read", []string{"Origin", "::"}, true},
		{"an empty origin", []string{"Origin", ""}, true},
		{"our host by another scheme, in an old browser", []string{"Origin", "https://localhost:8080"}, true},
		{"our host by a scheme of another kind", []string{"Origin", "ftp://localhost:8080"}, true},
		{"our host without its port", []string{"Origin", "http://localhost"}, true},
		{"our host as a user name", []string{"Origin", "http://localhost:8080@evil.example"}, true},
		{"our host behind a user name", []string{"Origin", "http://evil@localhost:8080"}, true},
		{"another site with our origin", []string{"Sec-Fetch-Site", "cross-site", "Origin", "http://localhost:8080"}, true},
		{"a word that is none of the four", []string{"Sec-Fetch-Site", "same-origin-ish", "Origin", "http://localhost:8080"}, true},

		{"our own page", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://localhost:8080"}, false},
		{"our own page, in an old browser", []string{"Origin", "http://localhost:8080"}, false},
		{"our own page, in capitals", []string{"Origin", "http://LOCALHOST:8080"}, false},
		{"our own page, which hides its origin", []string{"Sec-Fetch-Site", "same-origin", "Origin", "null"}, false},
		{"the address bar", []string{"Sec-Fetch-Site", "none"}, false},
		{"a program", nil, false},
	}
	for _, r := range f.server.routes {
		method, path := r.address(target.ID)
		for _, sign := range signs {
			before := f.rows()
			a := boss.send(method, path, "", sign.headers...)
			refused := a.status == http.StatusForbidden
			reads := method == http.MethodGet || method == http.MethodOptions
			ignoresCookies := slices.Contains(clientPaths, path) || slices.Contains(replacedPaths, path)
			if want := sign.refused && !reads && !ignoresCookies; refused != want {
				t.Errorf("%s from %s: %d", r.pattern, sign.name, a.status)
			}
			if diff := cmp.Diff(before, f.rows()); refused && diff != "" {
				t.Errorf("%s from %s: the database has changed:\n%s", r.pattern, sign.name, diff)
			}
			if !sign.refused && method != http.MethodGet { // it took effect, and may have signed out
				boss = f.signedIn(directory.Admin, "ada@example.com")
				target = f.add(directory.User{Email: directory.Email{Display: "target" + target.ID + "@example.com"}})
				_, path = r.address(target.ID)
			}
		}
	}
}

func TestCrossOrigin_AllowsOwnPagesBehindAProxy(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.BaseURL = &url.URL{Scheme: "https", Host: "people.example.com"} })
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for origin, status := range map[string]int{
		"https://people.example.com": http.StatusSeeOther, "http://people.example.com": http.StatusForbidden, "https://example.com": http.StatusForbidden,
	} {
		if a := ada.send("POST", "/signout", "", "Origin", origin); a.status != status {
			t.Errorf("%s: %d, want %d", origin, a.status, status)
		}
	}
}
