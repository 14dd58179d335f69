package browser

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/stytchapi"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"
	stytchwebauthn "github.com/stytchauth/stytch-go/v16/stytch/consumer/webauthn"
	"github.com/stytchauth/stytch-go/v16/stytch/stytcherror"

	"github.com/guestlist/guestlist/test/harness"
)

func TestLocalPasskeys(t *testing.T) {
	t.Parallel()
	walk(t, []journey{{"Chromium registers and uses a passkey of another program at the local Stytch", useLocalPasskey}})
}

// useLocalPasskey drives the local Stytch with the official SDK, as another program would,
// and Chromium's own credentials.
func useLocalPasskey(t *testing.T, chromium browser) {
	site := startBrowserSite(t, chromium)
	env := harness.StytchEnv(t, site.Site)
	sdk, err := stytchapi.NewClient(env["STYTCH_PROJECT_ID"], env["STYTCH_SECRET"],
		stytchapi.WithBaseURI(env["STYTCH_BASE_URL"]), stytchapi.WithInitializationContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	user, err := sdk.Users.Create(t.Context(), &users.CreateParams{Email: "ada@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	b := newTab(t, chromium, site)
	b.visit("/no-such-page") // on the sign-in page, the program's own script would use the passkey
	call(b, webauthn.Enable, webauthn.EnableParams{})
	authenticator := call(b, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})

	creation, err := sdk.WebAuthn.RegisterStart(t.Context(), &stytchwebauthn.RegisterStartParams{
		UserID: user.UserID, Domain: "localhost", ReturnPasskeyCredentialOptions: true, UseBase64URLEncoding: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	created := eval[string](b, `navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(`+
		creation.PublicKeyCredentialCreationOptions+`)}).then((made) => JSON.stringify(made.toJSON()))`)
	registered, err := sdk.WebAuthn.Register(t.Context(), &stytchwebauthn.RegisterParams{UserID: user.UserID, PublicKeyCredential: created})
	if err != nil {
		t.Fatal(err)
	}

	use := func() string {
		t.Helper()
		start, err := sdk.WebAuthn.AuthenticateStart(t.Context(), &stytchwebauthn.AuthenticateStartParams{Domain: "localhost", ReturnPasskeyCredentialOptions: true})
		if err != nil {
			t.Fatal(err)
		}
		return eval[string](b, `navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(`+
			withBase64URL(t, start.PublicKeyCredentialRequestOptions)+`)}).then((used) => JSON.stringify(used.toJSON()))`)
	}
	authenticate := func(credential string) (*stytchwebauthn.AuthenticateResponse, string) {
		res, err := sdk.WebAuthn.Authenticate(t.Context(), &stytchwebauthn.AuthenticateParams{PublicKeyCredential: credential, SessionDurationMinutes: 60})
		var refused stytcherror.Error
		if errors.As(err, &refused) {
			return res, string(refused.ErrorType)
		} else if err != nil {
			t.Fatal(err)
		}
		return res, ""
	}
	first := use()
	got, refused := authenticate(first)
	if refused != "" || got.UserID != user.UserID || got.WebAuthnRegistrationID != registered.WebAuthnRegistrationID {
		t.Errorf("the passkey is of %+v, %s", got, refused)
	}
	const wrong = "unable_to_auth_webauthn_registration"
	if _, refused := authenticate(first); refused != wrong {
		t.Errorf("the same response again: %q", refused)
	}
	override := func(bogus bool) {
		call(b, webauthn.SetResponseOverrideBits, webauthn.SetResponseOverrideBitsParams{AuthenticatorID: authenticator.AuthenticatorID, IsBogusSignature: &bogus})
	}
	override(true)
	if _, refused := authenticate(use()); refused != wrong {
		t.Errorf("a bogus signature: %q", refused)
	}
	override(false)
	if _, refused := authenticate(use()); refused != "" {
		t.Errorf("after a bogus signature: %q", refused)
	}
	if _, err := sdk.Users.DeleteWebAuthnRegistration(t.Context(), &users.DeleteWebAuthnRegistrationParams{WebAuthnRegistrationID: registered.WebAuthnRegistrationID}); err != nil {
		t.Fatal(err)
	}
	if _, refused := authenticate(use()); refused != "webauthn_registration_not_found" {
		t.Errorf("a removed passkey: %q", refused)
	}
}

// withBase64URL returns request options with the challenge in base64url, which browsers
// expect. As at Stytch, it is in standard base64.
func withBase64URL(t *testing.T, options string) string {
	t.Helper()
	var parsed map[string]any
	if err := json.Unmarshal([]byte(options), &parsed); err != nil {
		t.Fatal(err)
	}
	challenge, _ := parsed["challenge"].(string)
	parsed["challenge"] = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(challenge), "=")
	text, err := json.Marshal(parsed)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
