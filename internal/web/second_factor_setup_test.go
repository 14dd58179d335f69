package web

import (
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
)

// newForcedFixture is newAuthenticatorFixture where everyone needs a second factor.
func newForcedFixture(t *testing.T) *fixture {
	t.Helper()
	f, _ := newAuthenticatorFixture(t, nil)
	f.replaceSessions(session.Options{Factors: factor.Policy{SecondFactor: factor.Everyone}})
	return f
}

func TestSecondFactorSetup_CompletesTheSignIn(t *testing.T) {
	t.Parallel()
	f := newForcedFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	if a := ada.get("/users"); a.status == 200 {
		t.Fatalf("the list opens: %s", a.Text())
	}
	page := ada.get("/second-factor/setup?next=%2Fusers%3Fq%3Dx")
	form, ok := page.Form("Set up an authenticator app")
	if page.status != 200 || !ok || form.Values.Get("next") != "/users?q=x" {
		t.Fatalf("%d %s", page.status, page.Text())
	}
	shown := shownSetup(t, ada.form(form.Action, "next", form.Values.Get("next")))
	if back, _ := shown.Link("Cancel"); back != "/second-factor/setup?next=%2Fusers%3Fq%3Dx" {
		t.Errorf("Cancel leads to %q", back)
	}
	if a := ada.get("/users"); a.status == 200 {
		t.Fatalf("the list opens: %s", a.Text())
	}
	codes := ada.confirmSetup(shown.sealed, rightCode)
	if next, _ := codes.Link("I’ve saved them"); codes.status != 200 || next != "/users?q=x" {
		t.Errorf("%d, on to %q: %s", codes.status, next, codes.Text())
	}
	if a := ada.get("/users"); a.status != 200 {
		t.Errorf("the list: %d %s", a.status, a.Text())
	}
	if a := ada.get("/second-factor/setup?next=/users"); a.header.Get("Location") != "/users" {
		t.Errorf("set up already: %d %s", a.status, a.Text())
	}
}

func TestSecondFactorSetup_NeverLeadsElsewhere(t *testing.T) {
	t.Parallel()
	f := newForcedFixture(t)
	ada := f.signedIn(directory.Member, "ada@example.com")
	for _, next := range []string{"https://evil.example.com/", "//evil.example.com", "/users/../../evil", `/\evil.example.com`, "/api/users"} {
		if form, _ := ada.get("/second-factor/setup?next=" + strings.ReplaceAll(next, "/", "%2F")).Form("Set up an authenticator app"); form.Values.Get("next") != "" {
			t.Errorf("%s is kept: %q", next, form.Values.Get("next"))
		}
		shown := ada.beginSetup(next)
		if on, _ := ada.confirmSetup(shown.sealed, rightCode).Link("I’ve saved them"); on != "/profile" {
			t.Errorf("%s: on to %q", next, on)
		}
		f.exec("DELETE FROM user_factors")
	}
}

// Without any second factor, only a session that has just come in may set one up.
func TestSecondFactorSetup_StaleSessionSignsInAgain(t *testing.T) {
	t.Parallel()
	f := newForcedFixture(t)
	ada := f.signedIn(directory.Member, "ada@example.com")
	begun := ada.beginSetup("")
	f.clock.advance(factor.FreshFor)
	before := f.allRows()
	page := ada.get("/second-factor/setup?next=/apps")
	if form, ok := page.Form("Sign in again"); !ok || form.Action != "/signout" {
		t.Errorf("%d %s", page.status, page.Text())
	}
	if _, ok := page.Form("Set up an authenticator app"); ok {
		t.Error("it can be set up")
	}
	for name, a := range map[string]answer{"begin": ada.form("/profile/authenticator", "next", "/apps"), "complete": ada.confirmSetup(begun.sealed, rightCode)} {
		if a.status != 303 || !strings.HasPrefix(a.header.Get("Location"), "/second-factor/setup") {
			t.Errorf("%s: %d %s", name, a.status, a.Text())
		}
	}
	if f.allRows() != before {
		t.Errorf("something changed: %s\n%s", before, f.allRows())
	}
	if a := f.signedIn(directory.Member, "ada@example.com").setUp(); a.status != 200 {
		t.Errorf("after a new sign-in: %d %s", a.status, a.Text())
	}
}

// A mailbox alone adds no second factor to a user who has one.
func TestSecondFactorSetup_NeedsTheFactorThatExists(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"passkey", "totp"} {
		f := newForcedFixture(t)
		thief := f.signedIn(directory.Member, "ada@example.com")
		begun := thief.beginSetup("")
		f.exec("INSERT INTO user_factors (id, user_id, kind, provider_id, name, codes_left, created_at, last_used_at) VALUES ('f', ?, ?, 'of-ada', 'Key', 0, 1, 1)", thief.user.ID, kind)
		before := f.allRows()
		for name, a := range map[string]answer{
			"page":     thief.get("/second-factor/setup"),
			"begin":    thief.form("/profile/authenticator"),
			"complete": thief.confirmSetup(begun.sealed, rightCode), // begun before the user set one up
		} {
			location := a.header.Get("Location")
			if a.status != 403 && a.status != 303 || strings.HasPrefix(location, "/second-factor/setup") || strings.Contains(a.Text(), "c0de") {
				t.Errorf("%s, %s: %d %q %s", kind, name, a.status, location, a.Text())
			}
		}
		if a := thief.get("/apps"); a.status == 200 {
			t.Errorf("%s: the apps open", kind)
		}
		if after := f.allRows(); after != before {
			t.Errorf("%s: something changed: %s\n%s", kind, before, after)
		}
	}
}

func TestSecondFactorSetup_LastOneIsRemovedWithAWarning(t *testing.T) {
	t.Parallel()
	f := newForcedFixture(t)
	ada := f.signedIn(directory.Member, "ada@example.com")
	ada.setUp()
	if text := ada.get("/profile/authenticator/remove").Text(); !strings.Contains(text, "this is your only one. You’ll have to set up another") {
		t.Errorf("the page says %s", text)
	}
	ada.form("/profile/authenticator/remove")
	profile := ada.get("/profile")
	if profile.status != 200 || !strings.Contains(profile.Text(), "You’ll set up a second factor when you next sign in, or now.") {
		t.Errorf("%d %s", profile.status, profile.Text())
	}
	ada.setUp()
	f.exec("INSERT INTO user_factors (id, user_id, kind, provider_id, name, codes_left, created_at, last_used_at) VALUES ('f', ?, 'passkey', 'of-ada', 'Key', 0, 1, 1)", ada.user.ID)
	if text := ada.get("/profile/authenticator/remove").Text(); strings.Contains(text, "only one") {
		t.Errorf("with a passkey, the page says %s", text)
	}
}
