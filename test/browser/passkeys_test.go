package browser

import (
	"testing"

	"github.com/chromedp/cdproto/webauthn"
)

func TestPasskeys(t *testing.T) {
	t.Parallel()
	walk(t, passkeyJourneys)
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

// absent keeps the authenticator from responding, as if its user waited.
func (a authenticator) absent(is bool) {
	a.t.Helper()
	call(a.tab, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: a.id, Enabled: !is})
}

// verifies sets whether the authenticator verifies its user.
func (a authenticator) verifies(does bool) {
	a.t.Helper()
	call(a.tab, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: a.id, IsUserVerified: does})
}

// leave signs out, with the authenticator absent, so that it signs no one in by itself.
func (a authenticator) leave() {
	a.t.Helper()
	a.absent(true)
	a.click("button", "Sign out")
	a.reads("You’ve signed out.")
}

var passkeyJourneys = []journey{
	{"a person adds a passkey after the first sign-in, and signs in with it", func(t *testing.T, chromium browser) {
		b := newTab(t, chromium, startBrowserSite(t, chromium)).withAuthenticator()
		b.signIn("ada@example.com")
		b.sees("heading", "Next time, skip the email")
		b.click("button", "Add a passkey")
		b.announces("Added the passkey Chrome on Linux. You can sign in with it from now on.")
		b.at("/apps")
		b.lacks("heading", "Next time, skip the email")
		b.leave()
		b.absent(false)
		b.click("button", "Sign in with a passkey")
		b.at("/apps")
		b.click("link", "Profile")
		b.reads("Chrome on Linux last used just now · added just now")
	}},
}
