package browser

import (
	"fmt"
	"testing"
)

// opens returns the status of /api/users with the token shown in a field.
const opens = `fetch("/api/users", {credentials: "omit", headers: {Authorization: "Bearer " + %q}}).then((answer) => answer.status)`

func TestTokens(t *testing.T) {
	t.Parallel()
	walk(t, tokenJourneys)
}

var tokenJourneys = []journey{
	{"an administrator makes a token, copies it, uses it and revokes it", func(t *testing.T, chromium browser) {
		b := newTab(t, chromium, startBrowserSite(t, chromium))
		b.signIn("ada@example.com")
		b.click("link", "Profile")
		secret := b.createToken("deploy")
		b.click("button", "Copy")
		b.sees("button", "Copied")
		if chosen := eval[string](b, `document.getSelection().toString()`); chosen != secret {
			t.Errorf("chosen is %q", chosen)
		}
		if status := eval[int](b, fmt.Sprintf(opens, secret)); status != 200 {
			t.Errorf("the token: %d", status)
		}
		b.visit("/profile/tokens") // as if the address were entered by hand
		b.at("/profile")
		b.lacks("textbox", "Token")
		b.reads("deploy Read only")
		b.reads("last used just now")
		b.click("link", "Revoke deploy")
		b.sees("heading", "Revoke deploy?")
		b.click("link", "Cancel")
		b.click("link", "Revoke deploy")
		b.click("button", "Revoke deploy")
		b.announces("Revoked deploy: it no longer works.")
		b.lacks("link", "Revoke deploy")
		if status := eval[int](b, fmt.Sprintf(opens, secret)); status != 401 {
			t.Errorf("the token, revoked: %d", status)
		}
	}},

	{"a new token is loaded again, and is not shown again", func(t *testing.T, chromium browser) {
		b := newTab(t, chromium, startBrowserSite(t, chromium))
		b.signIn("ada@example.com")
		b.click("link", "Profile")
		b.createToken("deploy")
		eval[any](b, `location.reload()`) // submits the form again
		b.announces("A token is shown only once, when it’s created. If you haven’t saved it, revoke it and create another.")
		b.lacks("textbox", "Token")
		b.sees("link", "Revoke deploy")
		if n := b.site.Count("SELECT COUNT(*) FROM tokens"); n != 1 {
			t.Errorf("there are %d tokens", n)
		}
	}},

	{"without JavaScript an administrator makes a token and revokes it", func(t *testing.T, chromium browser) {
		b := newTab(t, chromium, startBrowserSite(t, chromium))
		b.signIn("ada@example.com")
		b.withoutScripts()
		b.click("link", "Profile")
		b.createToken("deploy")
		b.lacks("button", "Copy")
		b.click("link", "Revoke deploy")
		b.click("button", "Revoke deploy")
		b.reads("Revoked deploy: it no longer works.")
	}},
}

// createToken creates a token on the profile page and returns it.
func (b *tab) createToken(name string) string {
	b.t.Helper()
	b.fill("textbox", "Token name", name)
	b.choose("Expires in", "90 days")
	b.click("button", "Create token")
	b.announces("Token " + name + " created.")
	b.sees("textbox", "Token")
	secret := eval[string](b, `document.getElementById("made").value`)
	b.site.Log.AddSecret(secret)
	return secret
}
