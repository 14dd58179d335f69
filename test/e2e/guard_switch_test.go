package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/test/harness"
)

func TestGuard_SwitchedOffOnTheNextRequest(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		other := g.StartAnother("--guestlist-base-url=" + g.URL) // the app is switched here
		boss := g.boss.At(other)
		p := g.signedIn(addressOf(via), via)
		user, err := g.App.Store.GetUser(t.Context(), g.UserID(t, p.Email))
		harness.Must(t, err)
		token := func(u directory.User) string {
			t.Helper()
			_, secret, err := g.App.Apps.CreateToken(t.Context(), event.Origin{}, g.wiki, u, apps.TokenRequest{ID: apps.NewTokenID(), Name: "Robot", UserID: u.ID, Days: "7"})
			harness.Must(t, err)
			g.Log.AddSecret(secret)
			return secret
		}
		hers, service := token(user), token(directory.User{})
		outsider := harness.NewVisitor(g.Site)
		passes := func(when string) {
			t.Helper()
			g.wantPassed(p, fetch(p, via, "GET", wikiURL+"/page"))
			g.wantPassed(p, p.OpenApp(via, wikiURL+"/page"))
			for _, secret := range []string{hers, service} {
				if v := fetch(outsider, via, "GET", wikiURL+"/api", "X-Guestlist-Token", secret); v.Status != http.StatusOK {
					t.Errorf("%s: a token is answered %d", when, v.Status)
				}
			}
			if v := fetch(outsider, via, "GET", wikiURL+"/health"); v.Status != http.StatusOK {
				t.Errorf("%s: a public path is answered %d", when, v.Status)
			}
		}
		passes("before")

		boss.Post("/apps/" + g.wiki.ID + "/off")
		for _, visitor := range []*harness.Person{p, outsider} {
			for _, path := range []string{"/page", "/health", "/"} {
				wantRefused(t, fetch(visitor, via, "GET", wikiURL+path), http.StatusForbidden)
			}
			v := visitor.OpenApp(via, wikiURL+"/page")
			harness.WantPage(t, v, http.StatusForbidden, "wiki.example.com is switched off", "Try again")
			if href, _ := v.Link("Try again"); href != wikiURL+"/page" {
				t.Errorf("Try again leads to %q", href)
			}
			if strings.Contains(v.Body, "Wiki") {
				t.Errorf("the page names the app: %s", v.Body)
			}
		}
		for _, secret := range []string{hers, service, "guestlist_app_x"} {
			wantRefused(t, fetch(outsider, via, "GET", wikiURL+"/api", "X-Guestlist-Token", secret), http.StatusForbidden)
		}
		g.wantPassed(p, p.OpenApp(via, boardURL+"/")) // another app
		if v := p.Get("/apps"); strings.Contains(v.Text(), "Wiki") {
			t.Errorf("it is among their apps: %s", v.Text())
		}

		boss.Post("/apps/" + g.wiki.ID + "/on")
		passes("switched on") // with the same session and tokens
	})
}

// Signing out on the host of an app that is switched off ends the session all the same.
func TestGuard_SignOutWhileSwitchedOff(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		p := g.signedIn(addressOf(via), via)
		_, err := g.App.Apps.Switch(t.Context(), event.Origin{}, g.wiki.ID, false)
		harness.Must(t, err)
		defer func() {
			_, err := g.App.Apps.Switch(t.Context(), event.Origin{}, g.wiki.ID, true)
			harness.Must(t, err)
		}()
		v := fetch(p, via, "POST", wikiURL+"/.guestlist/signout", "Origin", wikiURL, "Sec-Fetch-Site", "same-origin")
		if v.Status >= 400 && v.Status != http.StatusUnauthorized { // nginx passes on a redirect as 401
			t.Errorf("%d %s", v.Status, v.Text())
		}
		if n := g.Count("SELECT COUNT(*) FROM sessions WHERE user_id = ?", g.UserID(t, p.Email)); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
}
