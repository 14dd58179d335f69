package relyingparties

import (
	"net/http"
	"testing"

	"github.com/guestlist/guestlist/test/harness"
)

// behaviour is what must be so with every tool.
type behaviour struct {
	name string
	run  func(t *testing.T, w *world)
}

var behaviours = []behaviour{
	{"a person signs in, and the tool gets name and groups", func(t *testing.T, w *world) {
		p := w.invite("Writers", "Night shift")
		a := p.enter()
		status, info := w.registration.userInfo(t, a.AccessToken)
		if status != http.StatusOK || info.Subject != p.id() || info.Name != "Zoë Person" || info.Username == "" || !sameGroups(info.Groups, []string{"Night shift", "Writers"}) {
			t.Fatalf("user info: %d %+v", status, info)
		}
		if a.Claims.Subject != info.Subject || a.Claims.Username != info.Username || !sameGroups(a.Claims.Groups, info.Groups) {
			t.Errorf("the tool got %+v, want %+v", a.Claims, info)
		}
		if name := a.Claims.Name; name != "" && name != info.Name { // oauth2-proxy has none
			t.Errorf("the tool got the name %q", name)
		}
		if !p.inside() {
			t.Error("not let in again")
		}
	}},
	{"a person outside the app's groups isn't let in", func(t *testing.T, w *world) {
		p := w.invite("Night shift")
		if a, _, ok := p.open(); ok {
			t.Fatalf("let in as %+v", a.Claims)
		}
		if p.inside() {
			t.Error("let in the second time")
		}
		w.site.Join("Writers", p.Email)
		p.enter()
	}},
	{"a refresh brings new tokens and groups", func(t *testing.T, w *world) {
		p := w.invite("Writers")
		before := p.enter()
		w.site.Join("Night shift", p.Email)
		after, ok := w.party.refresh(p, before)
		p.keepSecrets(after)
		if !ok || after.AccessToken == before.AccessToken || after.Claims.Subject != before.Claims.Subject {
			t.Fatalf("refreshed: %t %+v, before %+v", ok, after.Claims, before.Claims)
		}
		if after.RefreshToken == before.RefreshToken && before.RefreshToken != "" {
			t.Error("the refresh token is the same")
		}
		if !sameGroups(after.Claims.Groups, []string{"Night shift", "Writers"}) {
			t.Errorf("the groups are %q after a refresh", after.Claims.Groups)
		}
		if status, _ := w.registration.userInfo(t, after.AccessToken); status != http.StatusOK {
			t.Errorf("user info with the new token: %d", status)
		}
	}},
	{"a removed person is refused at once", func(t *testing.T, w *world) {
		refusedAfter(t, w, true, func(p *person) { p.administer("/remove") })
	}},
	{"a suspended person is refused at once", func(t *testing.T, w *world) {
		refusedAfter(t, w, true, func(p *person) { p.administer("/suspend") })
	}},
	{"a person who left the app's group is refused at once", func(t *testing.T, w *world) {
		refusedAfter(t, w, false, func(p *person) { p.leave("Writers") })
	}},
	{"a switched-off app refuses its users at once", func(t *testing.T, w *world) {
		refusedAfter(t, w, false, func(*person) { w.switchApp(false) })
		w.switchApp(true)
		w.invite("Writers").enter()
	}},
	{"requests at the same moment can all refresh", func(t *testing.T, w *world) {
		if w.party.refreshPath == "" {
			t.Skip("the tool doesn't refresh by itself")
		}
		p := w.invite("Writers")
		before := p.enter()
		harness.Eventually(t, "a refresh", func() bool { // oauth2-proxy waits for the next second
			var views [6]harness.View
			harness.Concurrently(len(views), func(i int) {
				r := p.AppRequest("GET", w.registration.url(w.party.refreshPath))
				views[i], _ = p.Try(r, p.staying) // a zero View after an error
			})
			var after account
			for _, v := range views {
				var ok bool
				if after, ok = readPage(p, v); !ok || after.Claims.Email != p.Email {
					t.Fatalf("got %d: %s", v.Status, v.Body)
				}
			}
			return after.AccessToken != before.AccessToken
		})
		if after, ok := w.party.refresh(p, before); !ok {
			t.Errorf("the next refresh failed: %+v", after.Claims)
		}
	}},
	{"signing out at Guestlist ends the tokens, and the tool's session by back-channel", func(t *testing.T, w *world) {
		p := w.invite("Writers")
		other := w.invite("Writers")
		a := p.enter()
		other.enter()
		p.Submit(p.Get("/"), "Sign out")
		if p.signedInAtGuestlist() {
			t.Fatal("still signed in at Guestlist")
		}
		if status, _ := w.registration.userInfo(t, a.AccessToken); status != http.StatusUnauthorized {
			t.Errorf("user info: got %d, want 401", status)
		}
		if w.party.backchannel != "" {
			harness.Eventually(t, "the end of the tool's session", func() bool { return !p.inside() })
		}
		if !other.inside() {
			t.Error("another person was signed out, too")
		}
	}},
	{"signing out at the tool ends the session at Guestlist", func(t *testing.T, w *world) {
		if w.party.signedOut == "" {
			t.Skip("the tool doesn't sign out at Guestlist")
		}
		p := w.invite("Writers")
		a := p.enter()
		v := w.party.signOut(p, a)
		if v.Status != http.StatusOK || v.Path != w.registration.url(w.party.signedOut) && v.Path != w.party.signedOut {
			t.Errorf("signing out ends at %d %s: %s", v.Status, v.Path, v.Text())
		}
		if p.signedInAtGuestlist() {
			t.Error("still signed in at Guestlist")
		}
		if status, _ := w.registration.userInfo(t, a.AccessToken); status != http.StatusUnauthorized {
			t.Errorf("user info: got %d, want 401", status)
		}
		if p.inside() {
			t.Error("still let in")
		}
	}},
	{"new keys are taken at once", func(t *testing.T, w *world) {
		if w.party.keepsKeys {
			t.Skip("the tool fetches keys once a minute at most")
		}
		w.invite("Writers").enter()
		if _, err := w.site.App.Signer.Rotate(t.Context(), by, true); err != nil {
			t.Fatal(err)
		}
		if err := w.site.App.Signer.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.invite("Writers").enter()
	}},
}

// refusedAfter checks that a change of a person who is signed in to the tool takes effect at the user info
// endpoint and at a refresh at once. It also checks that the tool doesn't let the person in any longer, if it
// hears of it: from a refused refresh, or by back-channel if the change signs the person out.
func refusedAfter(t *testing.T, w *world, signsOut bool, change func(p *person)) {
	t.Helper()
	p := w.invite("Writers")
	a := p.enter()
	if status, _ := w.registration.userInfo(t, a.AccessToken); status != http.StatusOK {
		t.Fatalf("user info: got %d, want 200", status)
	}
	change(p)
	if status, _ := w.registration.userInfo(t, a.AccessToken); status != http.StatusUnauthorized {
		t.Errorf("user info: got %d, want 401", status)
	}
	if a.RefreshToken != "" {
		w.registration.wantRefreshRefused(t, a.RefreshToken)
	}
	if _, ok := w.party.refresh(p, a); ok {
		t.Error("the tool could refresh")
	}
	if w.party.endsOnRefusal || signsOut && w.party.backchannel != "" {
		harness.Eventually(t, "the end of the tool's session", func() bool { return !p.inside() })
	}
}
