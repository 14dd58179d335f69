package browser

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestPasskeys(t *testing.T) {
	t.Parallel()
	walk(t, passkeyJourneys)
}

func TestPasskeys_BelowAPathBehindNginx(t *testing.T) {
	t.Parallel()
	walkEverywhere(t, passkeyJourneys[:1])
}

// authenticator is a virtual authenticator of a tab: https://chromedevtools.github.io/devtools-protocol/tot/WebAuthn/
type authenticator struct {
	*tab
	id webauthn.AuthenticatorID
}

// withAuthenticator gives the tab an authenticator that verifies its user at once.
func (b *tab) withAuthenticator() authenticator {
	b.t.Helper()
	call(b, webauthn.Enable, webauthn.EnableParams{})
	added := call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	return authenticator{b, added.AuthenticatorID}
}

// credentials returns the passkeys of the authenticator.
func (a authenticator) credentials() []*webauthn.Credential {
	a.t.Helper()
	return call(a.tab, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: a.id}).Credentials
}

// add gives the authenticator a passkey with a count of signatures. Chromium refuses a parameter that
// webauthn.AddCredentialParams always has.
func (a authenticator) add(c *webauthn.Credential, count float64) {
	a.t.Helper()
	command := cdp.Command[map[string]any, cdp.Empty]{Method: webauthn.CommandAddCredential}
	call(a.tab, command, map[string]any{"authenticatorId": a.id, "credential": map[string]any{
		"credentialId": c.CredentialID, "isResidentCredential": true, "rpId": c.RpID, "privateKey": c.PrivateKey, "userHandle": c.UserHandle, "signCount": count,
	}})
}

// verifies sets whether the authenticator verifies its user.
func (a authenticator) verifies(does bool) {
	a.t.Helper()
	call(a.tab, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: a.id, IsUserVerified: does})
}

// addPasskey adds a passkey on the profile.
func (a authenticator) addPasskey() {
	a.t.Helper()
	a.visit("/profile")
	a.click("button", "Add a passkey")
	a.reads("You can sign in with it from now on.")
}

// joined signs in and adds a passkey.
func joined(t *testing.T, chromium browser) authenticator {
	t.Helper()
	b := newTab(t, chromium, startBrowserSite(t, chromium)).withAuthenticator()
	b.signIn("ada@example.com")
	b.addPasskey()
	return b
}

// overrides makes the authenticator respond wrongly.
func (a authenticator) overrides(bits webauthn.SetResponseOverrideBitsParams) {
	a.t.Helper()
	bits.AuthenticatorID = a.id
	call(a.tab, webauthn.SetResponseOverrideBits, bits)
}

// withoutAutofill keeps the sign-in page from using a passkey by itself, as the authenticator would.
func (b *tab) withoutAutofill() {
	b.t.Helper()
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: "if (window.PublicKeyCredential) PublicKeyCredential.isConditionalMediationAvailable = async () => false",
	})
}

const (
	useButton     = "Sign in with a passkey"
	notAccepted   = "That passkey wasn’t accepted. Try again, or sign in by email."
	passkeyIsGone = "This passkey was removed, so it no longer works."
)

var passkeyJourneys = []journey{
	{"a person adds a passkey after the first sign-in, and signs in with it", func(t *testing.T, chromium browser) {
		b := newTab(t, chromium, startBrowserSite(t, chromium)).withAuthenticator()
		b.withoutAutofill()
		b.signIn("ada@example.com")
		b.sees("heading", "Next time, skip the email")
		b.click("button", "Add a passkey")
		b.announces("Added the passkey Chrome on Linux. You can sign in with it from now on.")
		b.at("/apps")
		b.lacks("heading", "Next time, skip the email")
		b.click("button", "Sign out")
		b.click("button", useButton)
		b.at("/apps")
		b.click("link", "Profile")
		b.reads("Chrome on Linux last used just now · added just now")
	}},

	{"a person who doesn’t want a passkey isn’t asked again", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site).withAuthenticator()
		b.signIn("ada@example.com")
		b.click("button", "Not now")
		b.at("/apps")
		b.lacks("heading", "Next time, skip the email")
		other := newTab(t, chromium, site)
		other.signIn("ada@example.com")
		other.sees("heading", "My apps")
		other.lacks("heading", "Next time, skip the email")
	}},

	{"the email field offers the passkey, which leads to the page that was asked for", func(t *testing.T, chromium browser) {
		b := joined(t, chromium)
		b.visit("/apps")
		b.site.Clock.Advance(8 * 24 * time.Hour)
		b.click("link", "Profile") // the session has ended; the authenticator chooses the passkey that the field offers
		b.at("/profile")
		b.reads("Chrome on Linux last used just now · added 8 days ago")
	}},

	{"by keyboard alone", func(t *testing.T, chromium browser) {
		b := newTab(t, chromium, startBrowserSite(t, chromium)).withAuthenticator()
		b.withoutAutofill()
		b.signIn("ada@example.com")
		b.visit("/profile")
		b.tabTo(`button "Add a passkey"`)
		b.press(kb.Enter)
		b.announces("Added the passkey Chrome on Linux. You can sign in with it from now on.")
		b.sees("button", "Add a passkey")
		b.tabTo(`link "Remove Chrome on Linux"`)
		b.visit("/apps")
		b.tabTo(`button "Sign out"`)
		b.press(kb.Enter)
		b.reads("You’ve signed out.")
		b.tabTo(`button "` + useButton + `"`)
		b.press(kb.Enter)
		b.at("/apps")
	}},

	{"a person renames a passkey and removes it, and it no longer works", func(t *testing.T, chromium browser) {
		b := joined(t, chromium)
		b.withoutAutofill()
		eval[chromedp.Void](b.tab, `document.querySelector("details.edit").open = true`)
		b.fill("textbox", "Name", "My laptop")
		b.click("button", "Save the name of Chrome on Linux")
		b.announces("Renamed the passkey.")
		kept := b.credentials()[0]
		b.click("link", "Remove My laptop")
		b.sees("heading", "Remove My laptop?")
		b.click("link", "Cancel")
		b.click("link", "Remove My laptop")
		b.click("button", "Remove My laptop")
		b.announces("Removed My laptop: it no longer works.")
		b.await("the browser to forget the passkey", func() bool { return len(b.credentials()) == 0 })

		b.click("button", "Sign out")
		b.sees("button", useButton)
		b.add(kept, kept.SignCount) // to one that didn't hear of it
		b.click("button", useButton)
		b.reads(passkeyIsGone)
		b.await("the browser to forget the passkey", func() bool { return len(b.credentials()) == 0 })
	}},

	{"passkeys that aren’t right are refused beside the button", func(t *testing.T, chromium browser) {
		b := joined(t, chromium)
		b.withoutAutofill()
		b.click("button", "Sign out")
		b.sees("button", useButton)
		yes, no := true, false
		for _, row := range []struct {
			name string
			bits webauthn.SetResponseOverrideBitsParams
			want string
		}{
			{"a bogus signature", webauthn.SetResponseOverrideBitsParams{IsBogusSignature: &yes}, notAccepted},
			{"without verifying its user", webauthn.SetResponseOverrideBitsParams{IsBadUV: &yes}, "Your device didn’t check that it’s you."},
		} {
			b.visit("/")
			b.overrides(row.bits)
			b.click("button", useButton)
			b.reads(row.want)
			b.focused(`button "` + useButton + `"`)
			b.overrides(webauthn.SetResponseOverrideBitsParams{IsBogusSignature: &no, IsBadUV: &no})
		}
		b.verifies(false) // the browser itself finds that the user can't be verified
		b.click("button", useButton)
		b.reads("That was cancelled or took too long. Try again.")
		b.verifies(true)

		// The counter of signatures goes back, as that of a copy does.
		credential := b.credentials()[0]
		b.click("button", useButton)
		b.at("/apps")
		b.click("button", "Sign out")
		b.sees("button", useButton)
		call(b.tab, webauthn.RemoveCredential, webauthn.RemoveCredentialParams{AuthenticatorID: b.id, CredentialID: credential.CredentialID})
		b.add(credential, 1)
		b.click("button", useButton)
		b.reads(notAccepted)
	}},

	{"a passkey is used once, also from two tabs, and not from another origin", func(t *testing.T, chromium browser) {
		b := joined(t, chromium)
		b.withoutAutofill()
		b.click("button", "Sign out")
		// The page's own call, so that its result can be sent twice.
		b.sees("button", useButton)
		credential := eval[string](b.tab, useByHand)
		post := fmt.Sprintf(`fetch("/signin/passkey", {method: "POST", credentials: "omit", redirect: "manual", body: new URLSearchParams({credential: %q})}).then((answer) => answer.type + answer.status)`, credential)
		if got := eval[string](b.tab, post); got != "opaqueredirect0" {
			t.Errorf("the first time: %s", got)
		}
		if got := eval[string](b.tab, post); got != "basic422" {
			t.Errorf("the second time: %s", got)
		}
		b.visit("/")
		b.click("button", useButton)
		b.at("/apps")
		b.click("button", "Sign out")

		other := newTab(t, chromium, b.site)
		other.visit(strings.Replace(b.site.URL, "localhost", "app.localhost", 1) + "/healthz")
		got := eval[string](other, fmt.Sprintf(`fetch(%q, {method: "POST"}).then((answer) => answer.status, (error) => error.name)`, b.site.URL+"/signin/passkey/start"))
		if got != "TypeError" {
			t.Errorf("another origin gets options: %s", got)
		}
	}},

	{"two tabs sign in one after the other", func(t *testing.T, chromium browser) {
		b := joined(t, chromium)
		b.withoutAutofill()
		b.click("button", "Sign out")
		b.sees("button", useButton)
		first := eval[string](b.tab, useByHand)
		second := eval[string](b.tab, useByHand) // another tab's options don't spoil those of the first
		for i, credential := range []string{first, second} {
			got := eval[string](b.tab, fmt.Sprintf(`fetch("/signin/passkey", {method: "POST", redirect: "manual", body: new URLSearchParams({credential: %q})}).then((answer) => answer.type)`, credential))
			if got != "opaqueredirect" {
				t.Errorf("tab %d: %s", i+1, got)
			}
		}
		b.visit("/profile")
		b.sees("heading", "ada@example.com")
	}},

	{"adding a passkey long after signing in asks to confirm that first", func(t *testing.T, chromium browser) {
		b := joined(t, chromium)
		b.site.Clock.Advance(time.Hour)
		b.visit("/profile")
		b.click("link", "Remove Chrome on Linux")
		b.click("button", "Remove Chrome on Linux")
		b.sees("heading", "Confirm it’s you")
		b.reads("remove a passkey")
		b.click("button", "Use your passkey")
		b.announces("Removed Chrome on Linux: it no longer works.")
		b.site.Clock.Advance(time.Hour)
		b.click("button", "Add a passkey")
		b.sees("heading", "Confirm it’s you")
		b.reads("add a passkey")
	}},

	{"a passkey is the second factor that someone needs", func(t *testing.T, chromium browser) {
		s := chromium.start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off", "--guestlist-second-factor=everyone")
		b := newTab(t, chromium, &browserSite{Site: s, mailboxes: map[string]*harness.Person{}}).withAuthenticator()
		b.withoutAutofill()
		b.visit("/")
		b.fill("textbox", "Email address", "ada@example.com")
		b.click("button", "Email me a link")
		b.sees("heading", "Check your email")
		b.visit(b.site.link("ada@example.com"))
		b.click("button", "Add a passkey")
		b.announces("Added the passkey Chrome on Linux. You can sign in with it from now on.")
		b.at("/apps")
		b.click("button", "Sign out")
		b.click("button", useButton)
		b.at("/apps") // and no second factor besides
	}},

	{"without JavaScript the pages say that passkeys need it", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.withoutScripts()
		b.visit("/apps")
		b.lacks("heading", "Next time, skip the email")
		b.visit("/profile")
		b.reads("To add a passkey, turn on JavaScript in your browser.")
		b.lacks("button", "Add a passkey")
		b.click("button", "Sign out")
		b.reads("To sign in with a passkey, turn on JavaScript in your browser.")
		b.lacks("button", useButton)
	}},
}

// useByHand is an expression for the credential that the sign-in page would send.
const useByHand = `fetch(document.querySelector("[data-passkey]").dataset.options, {method: "POST"}).then((answer) => answer.json())
	.then((options) => navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)})).then((used) => JSON.stringify(used))`
