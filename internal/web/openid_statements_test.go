package web

import (
	"context"
	"encoding/json"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
)

// Each statement is a round trip to the database.
func TestOpenID_Statements(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Member, "ada@example.com")
	group := f.addGroup("staff")
	f.joinUser(group, ada.user.ID, f.clock.now().AddDate(1, 0, 0))
	app := f.addApp("Wiki", "https://wiki.example.com", group)
	if _, err := f.server.opts.Clients.Save(t.Context(), event.Origin{}, app, openid.ClientInput{Public: true, RedirectURIs: "https://wiki.example.com/callback"}); err != nil {
		t.Fatal(err)
	}
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // https://www.rfc-editor.org/rfc/rfc7636#appendix-B
	authorize := url.Values{
		"client_id": {app.ID}, "redirect_uri": {"https://wiki.example.com/callback"}, "response_type": {"code"}, "scope": {"openid profile offline_access"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	ask := func(form url.Values) (tokens openid.TokenResponse) {
		t.Helper()
		form.Set("client_id", app.ID)
		a := f.visitor().send("POST", openid.TokenPath, form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		if err := json.Unmarshal([]byte(a.body), &tokens); err != nil || a.status != 200 {
			t.Fatal(a.status, a.body)
		}
		return tokens
	}
	var statements []string
	f.store.Watch(func(_ context.Context, name string) func(error) {
		statements = append(statements, name)
		return func(error) {}
	})
	exchange := func() openid.TokenResponse {
		location, err := url.Parse(ada.get(openid.AuthorizePath + "?" + authorize.Encode()).header.Get("Location"))
		if err != nil || location.Query().Get("code") == "" {
			t.Fatal(location, err)
		}
		return ask(url.Values{
			"grant_type": {"authorization_code"}, "code": {location.Query().Get("code")}, "redirect_uri": {"https://wiki.example.com/callback"}, "code_verifier": {verifier},
		})
	}
	exchange() // creates the key that signs ID tokens
	statements = nil
	tokens := exchange()
	if diff := cmp.Diff([]string{
		"GetSession", "CheckOpenIDClient", "InsertGrant",
		"GetClientWithSecret", "CheckGrantByCode", "UseGrantCode", "InsertGrantTokens", "InsertEvent",
	}, statements); diff != "" {
		t.Errorf("authorize and redeem (-want +got):\n%s", diff)
	}
	statements = nil
	ask(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.RefreshToken}})
	if diff := cmp.Diff([]string{
		"GetClientWithSecret", "CheckGrantByToken", "ListMembershipsForApp", "LockGrant", "ReplaceRefreshToken", "InsertGrantTokens",
	}, statements); diff != "" {
		t.Errorf("refresh (-want +got):\n%s", diff)
	}
	statements = nil
	if a := f.visitor().send("GET", openid.UserInfoPath, "", "Authorization", "Bearer "+tokens.AccessToken); a.status != 200 {
		t.Fatal(a.status, a.body)
	}
	if diff := cmp.Diff([]string{"CheckGrantByToken", "ListMembershipsForApp"}, statements); diff != "" {
		t.Errorf("userinfo (-want +got):\n%s", diff)
	}
}
