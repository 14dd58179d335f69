package e2e

import (
	"encoding/json"
	"net/http"
	neturl "net/url"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// tokensOf reads a token response.
func tokensOf(t *testing.T, v harness.View) openid.TokenResponse {
	t.Helper()
	var tokens openid.TokenResponse
	if err := json.Unmarshal([]byte(v.Body), &tokens); err != nil || v.Status != http.StatusOK {
		t.Fatalf("status %d: %s", v.Status, v.Body)
	}
	return tokens
}

// wantOAuthError checks an error answer to a client.
func wantOAuthError(t *testing.T, v harness.View, status int, code string) {
	t.Helper()
	var answer struct {
		Error string `json:"error"`
	}
	if err := json.Unmarshal([]byte(v.Body), &answer); err != nil || v.Status != status || answer.Error != code {
		t.Errorf("status %d %s, want %d %s", v.Status, v.Body, status, code)
	}
}

// startWithClient returns an instance with a client that opens to the group staff, of which ada is a member.
func startWithClient(t *testing.T, url string, in openid.ClientInput) (*harness.Site, harness.Client, *harness.Person) {
	t.Helper()
	site := harness.Start(t, url, harness.NewClock(time.Now()))
	admin := site.NewPerson("admin@example.com")
	admin.SignIn()
	admin.Invite("ada@example.com", "name", "Ada Lovelace")
	if in.RedirectURIs == "" {
		in.RedirectURIs = "https://wiki.example.com/callback?x=1"
	}
	client := site.AddClient(site.AddApp("Wiki", "https://wiki.example.com", "staff"), in)
	site.Join("staff", "ada@example.com")
	ada := site.NewPerson("ada@example.com")
	ada.SignIn()
	return site, client, ada
}

func TestOpenID_SignIn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		client.RedirectURI = "https://wiki.example.com/callback"
		v := ada.DoOnce(ada.NewRequest(http.MethodGet, site.URL+client.AuthorizePath("redirect_uri", "https://wiki.example.com/callback?x=1"), nil))
		location, found := strings.CutPrefix(v.Header.Get("Location"), "https://wiki.example.com/callback?x=1&")
		answer, err := neturl.ParseQuery(location)
		if err != nil || !found || v.Status != http.StatusSeeOther || answer.Get("state") != "a state" || answer.Get("iss") != site.URL {
			t.Fatalf("status %d, Location %q: %s", v.Status, v.Header.Get("Location"), v.Body)
		}
		client.RedirectURI = "https://wiki.example.com/callback?x=1"
		tokens := tokensOf(t, client.Redeem(answer.Get("code")))

		provider, err := oidc.NewProvider(t.Context(), site.URL)
		if err != nil {
			t.Fatal(err)
		}
		verifier := provider.Verifier(&oidc.Config{ClientID: client.App.ID, Now: site.Clock.Now})
		token, err := verifier.Verify(t.Context(), tokens.IDToken)
		if err != nil {
			t.Fatal(err)
		}
		if err := token.VerifyAccessToken(tokens.AccessToken); err != nil {
			t.Error(err)
		}
		var claims map[string]any
		if err := token.Claims(&claims); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]any{
			"email": "ada@example.com", "email_verified": true, "name": "Ada Lovelace", "preferred_username": "ada_example.com",
			"nonce": "a nonce", "acr": "aal1",
		} {
			if claims[name] != want {
				t.Errorf("%s is %v, want %v", name, claims[name], want)
			}
		}
		if diff := cmp.Diff([]any{"staff"}, claims["groups"]); diff != "" {
			t.Error(diff)
		}
		var profile map[string]any
		info := client.UserInfo(site, tokens.AccessToken)
		if err := json.Unmarshal([]byte(info.Body), &profile); err != nil || info.Status != http.StatusOK {
			t.Fatalf("status %d: %s", info.Status, info.Body)
		}
		for name, value := range profile {
			if diff := cmp.Diff(claims[name], value); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		renewed := tokensOf(t, client.Renew(tokens.RefreshToken))
		if renewed.AccessToken == tokens.AccessToken || renewed.RefreshToken == tokens.RefreshToken || renewed.IDToken == "" {
			t.Errorf("not renewed: %+v", renewed)
		}
	})
}

func TestOpenID_CodeIsRedeemedOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		code := client.Authorize(ada).Get("code")
		tokens := tokensOf(t, client.Redeem(code))
		wantOAuthError(t, client.Redeem(code), http.StatusBadRequest, "invalid_grant")
		wantOAuthError(t, client.UserInfo(site, tokens.AccessToken), http.StatusUnauthorized, "invalid_token")
		wantOAuthError(t, client.Renew(tokens.RefreshToken), http.StatusBadRequest, "invalid_grant")
	})
}
