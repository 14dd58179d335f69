package e2e

import (
	"net/http"
	neturl "net/url"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// refreshGrace is how long a refresh token can be used again.
const refreshGrace = 10 * time.Second

func TestOpenID_RefreshTokenReused(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		first := tokensOf(t, client.Redeem(client.Authorize(ada).Get("code")))
		second := tokensOf(t, client.Renew(first.RefreshToken))
		site.Clock.Advance(refreshGrace - time.Microsecond)
		third := tokensOf(t, client.Renew(first.RefreshToken)) // the answer may have been lost
		for _, tokens := range []openid.TokenResponse{first, second, third} {
			if v := client.UserInfo(site, tokens.AccessToken); v.Status != http.StatusOK {
				t.Errorf("within the grace: %d %s", v.Status, v.Body)
			}
		}
		fourth := tokensOf(t, client.Renew(third.RefreshToken)) // doesn't extend the grace of the first
		if n := grantsEnded(site); n != 0 {
			t.Errorf("%d sign-ins have ended", n)
		}
		site.Clock.Advance(time.Microsecond)
		wantOAuthError(t, client.Renew(first.RefreshToken), http.StatusBadRequest, "invalid_grant")
		for _, tokens := range []openid.TokenResponse{first, second, third, fourth} {
			wantRefusedTokens(t, client, site, tokens)
		}
		if n := grantsEnded(site); n != 1 {
			t.Errorf("%d events say that the sign-in has ended", n)
		}
		if v := ada.Get("/apps"); v.Heading() != "My apps" {
			t.Errorf("the session has ended: %s", v.Text())
		}
	})
}

func TestOpenID_RefreshTokenUsedConcurrently(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		other := site.Replica()
		first := tokensOf(t, client.Redeem(client.Authorize(ada).Get("code")))
		answers := make([]harness.View, 20)
		harness.Concurrently(len(answers), func(i int) {
			answers[i] = client.At([]*harness.Site{site, other}[i%2]).Renew(first.RefreshToken)
		})
		var last openid.TokenResponse
		for _, v := range answers {
			last = tokensOf(t, v)
			if v := client.UserInfo(site, last.AccessToken); v.Status != http.StatusOK {
				t.Errorf("%d %s", v.Status, v.Body)
			}
		}
		site.Clock.Advance(refreshGrace)
		wantOAuthError(t, client.Renew(first.RefreshToken), http.StatusBadRequest, "invalid_grant")
		for _, v := range answers {
			wantOAuthError(t, client.UserInfo(other, tokensOf(t, v).AccessToken), http.StatusUnauthorized, "invalid_token")
		}

		// Used and reused at the same time: afterwards nothing works.
		first = tokensOf(t, client.Redeem(client.Authorize(ada).Get("code")))
		second := tokensOf(t, client.Renew(first.RefreshToken))
		site.Clock.Advance(refreshGrace)
		harness.Concurrently(len(answers), func(i int) {
			token := []string{first.RefreshToken, second.RefreshToken}[i/2%2]
			answers[i] = client.At([]*harness.Site{site, other}[i%2]).Renew(token)
		})
		wantRefusedTokens(t, client, site, second)
		for _, v := range answers {
			if v.Status == http.StatusOK {
				wantRefusedTokens(t, client, other, tokensOf(t, v))
				continue
			}
			wantOAuthError(t, v, http.StatusBadRequest, "invalid_grant")
		}
		if n := site.Count("SELECT COUNT(*) FROM grant_tokens"); n != 0 {
			t.Errorf("%d tokens are left", n)
		}
	})
}

func TestOpenID_RefreshTokenIsBound(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		thief := site.AddClient(site.AddApp("Thief", "https://thief.example.com"), openid.ClientInput{RedirectURIs: client.RedirectURI})
		tokens := tokensOf(t, client.Redeem(client.Authorize(ada, "scope", "openid email offline_access").Get("code")))
		wantOAuthError(t, thief.Renew(tokens.RefreshToken), http.StatusBadRequest, "invalid_grant")
		wantOAuthError(t, client.Renew(tokens.AccessToken), http.StatusBadRequest, "invalid_grant")
		wantOAuthError(t, client.Renew(tokens.IDToken), http.StatusBadRequest, "invalid_grant")
		wantOAuthError(t, client.UserInfo(site, tokens.RefreshToken), http.StatusUnauthorized, "invalid_token")
		wantOAuthError(t, client.UserInfo(site, tokens.IDToken), http.StatusUnauthorized, "invalid_token")
		renew := func(scope string) harness.View {
			return client.Ask(site, openid.TokenPath, neturl.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens.RefreshToken}, "scope": {scope}})
		}
		wantOAuthError(t, renew("openid email profile"), http.StatusBadRequest, "invalid_scope")
		wantOAuthError(t, renew("groups"), http.StatusBadRequest, "invalid_scope")
		renewed := tokensOf(t, renew("openid"))
		if renewed.Scope.Has("profile") || renewed.Scope.Has("groups") {
			t.Errorf("the scope was widened to %q", renewed.Scope)
		}
		tokensOf(t, client.Renew(tokens.RefreshToken)) // the thief's try ended nothing

		// Neither revocation nor introspection by another client has an effect.
		for _, token := range []string{renewed.AccessToken, renewed.RefreshToken} {
			if v := thief.Ask(site, openid.RevokePath, neturl.Values{"token": {token}}); v.Status != http.StatusOK {
				t.Errorf("%d %s", v.Status, v.Body)
			}
			if v := thief.Ask(site, openid.IntrospectPath, neturl.Values{"token": {token}}); v.Body != `{"active":false}`+"\n" {
				t.Errorf("another client is told %s", v.Body)
			}
		}
		if v := client.UserInfo(site, renewed.AccessToken); v.Status != http.StatusOK {
			t.Errorf("%d %s", v.Status, v.Body)
		}

		// Without offline_access there is no refresh token, and without another scope nothing but the user's id.
		least := tokensOf(t, client.Redeem(client.Authorize(ada, "scope", "openid").Get("code")))
		if v := client.UserInfo(site, least.AccessToken); least.RefreshToken != "" || v.Body != `{"sub":"`+site.UserID(t, "ada@example.com")+"\"}\n" {
			t.Errorf("%+v, %s", least, v.Body)
		}
	})
}
