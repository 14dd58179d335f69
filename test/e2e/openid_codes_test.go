package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// grantsEnded returns how many sign-ins to apps were recorded as ended before their session.
func grantsEnded(s *harness.Site) int {
	return s.Count("SELECT COUNT(*) FROM events WHERE kind = 'grant_ended'")
}

// wantRefusedTokens checks that none of the tokens works.
func wantRefusedTokens(t *testing.T, c harness.Client, site *harness.Site, tokens openid.TokenResponse) {
	t.Helper()
	wantOAuthError(t, c.UserInfo(site, tokens.AccessToken), http.StatusUnauthorized, "invalid_token")
	if tokens.RefreshToken != "" {
		wantOAuthError(t, c.At(site).Renew(tokens.RefreshToken), http.StatusBadRequest, "invalid_grant")
	}
	for _, token := range []string{tokens.AccessToken, tokens.RefreshToken} {
		if token == "" || c.Secret == "" {
			continue
		}
		if v := c.Ask(site, openid.IntrospectPath, map[string][]string{"token": {token}}); v.Status != http.StatusOK || v.Body != `{"active":false}`+"\n" {
			t.Errorf("introspection: %d %s", v.Status, v.Body)
		}
	}
}

func TestOpenID_CodeRedeemedConcurrently(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		other := site.Replica()
		for range 3 {
			code := client.Authorize(ada).Get("code")
			before := grantsEnded(site)
			answers := make([]harness.View, 20)
			harness.Concurrently(len(answers), func(i int) {
				answers[i] = client.At([]*harness.Site{site, other}[i%2]).Redeem(code)
			})
			issued := 0
			for _, v := range answers {
				if v.Status == http.StatusOK {
					issued++
					wantRefusedTokens(t, client, other, tokensOf(t, v)) // the others have ended the grant
					continue
				}
				wantOAuthError(t, v, http.StatusBadRequest, "invalid_grant")
			}
			if issued != 1 {
				t.Errorf("tokens were issued %d times", issued)
			}
			if n := grantsEnded(site) - before; n != 1 {
				t.Errorf("%d events", n)
			}
		}
		if n := site.Count("SELECT COUNT(*) FROM grant_tokens"); n != 0 {
			t.Errorf("%d tokens are left", n)
		}
	})
}

// A code works only for its client, at its redirect URI, with its verifier and for a minute. A
// refused try doesn't use it up.
func TestOpenID_CodeIsBound(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{RedirectURIs: "https://wiki.example.com/callback\nhttps://wiki.example.com/other"})
		thief := site.AddClient(site.AddApp("Thief", "https://thief.example.com"), openid.ClientInput{RedirectURIs: client.RedirectURI})
		publicThief := site.AddClient(site.AddApp("Public", "https://public.example.com"), openid.ClientInput{Public: true, RedirectURIs: client.RedirectURI})
		code := client.Authorize(ada).Get("code")
		for name, v := range map[string]harness.View{
			"another client":              thief.Redeem(code),
			"another, public client":      publicThief.Redeem(code),
			"another redirect URI":        client.Redeem(code, "redirect_uri", "https://wiki.example.com/other"),
			"a redirect URI with a slash": client.Redeem(code, "redirect_uri", client.RedirectURI+"/"),
			"no redirect URI":             client.Redeem(code, "redirect_uri", ""),
			"no verifier":                 client.Redeem(code, "code_verifier", ""),
			"another verifier":            client.Redeem(code, "code_verifier", strings.Repeat("x", 43)),
			"a verifier in capitals":      client.Redeem(code, "code_verifier", strings.ToUpper(harness.Verifier)),
			"a short verifier":            client.Redeem(code, "code_verifier", harness.Verifier[:42]),
			"a long verifier":             client.Redeem(code, "code_verifier", strings.Repeat("x", 129)),
			"the challenge as verifier":   client.Redeem(code, "code_verifier", challengeOf(client)),
			"a code in capitals":          client.Redeem(strings.ToUpper(code)),
			"a code with a space":         client.Redeem(code + " "),
			"half a code":                 client.Redeem(code[:len(code)/2]),
			"the code as refresh token":   client.Renew(code),
		} {
			if v.Status != http.StatusBadRequest || !strings.Contains(v.Body, `"invalid_grant"`) {
				t.Errorf("%s: %d %s", name, v.Status, v.Body)
			}
		}
		wantOAuthError(t, client.UserInfo(site, code), http.StatusUnauthorized, "invalid_token")
		wantOAuthError(t, client.Redeem(code, "code", ""), http.StatusBadRequest, "invalid_request")
		wantOAuthError(t, client.Redeem(code, "grant_type", ""), http.StatusBadRequest, "invalid_request")
		wantOAuthError(t, client.Redeem(code, "grant_type", "password"), http.StatusBadRequest, "unsupported_grant_type")
		wantOAuthError(t, client.Redeem(code, "grant_type", "client_credentials"), http.StatusBadRequest, "unsupported_grant_type")
		tokensOf(t, client.Redeem(code))

		late := client.Authorize(ada).Get("code")
		site.Clock.Advance(time.Minute - time.Microsecond)
		tokensOf(t, client.Redeem(late))
		late = client.Authorize(ada).Get("code")
		site.Clock.Advance(time.Minute)
		wantOAuthError(t, client.Redeem(late), http.StatusBadRequest, "invalid_grant")
	})
}

// challengeOf returns the code challenge of a client's authorization requests.
func challengeOf(c harness.Client) string {
	_, rest, _ := strings.Cut(c.AuthorizePath(), "code_challenge=")
	challenge, _, _ := strings.Cut(rest, "&")
	return challenge
}

// A client without PKCE must not be given a verifier, and with PKCE it must send one: an attacker may
// have removed the challenge or the verifier on the way.
func TestOpenID_PKCEIsNotDowngraded(t *testing.T) {
	t.Parallel()
	_, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{})
	public := client.Site.AddClient(client.Site.AddApp("Phone", "https://phone.example.com"), openid.ClientInput{Public: true, RedirectURIs: "com.example.phone:/callback"})
	refused := func(c harness.Client, more ...string) {
		t.Helper()
		answer := c.Authorize(ada, more...)
		if answer.Get("error") != "invalid_request" || answer.Has("code") || answer.Get("state") != "a state" || answer.Get("iss") != c.Site.URL {
			t.Errorf("%q: %v", more, answer)
		}
	}
	plain := strings.Repeat("x", 43)
	for _, c := range []harness.Client{client, public} {
		refused(c, "code_challenge", plain, "code_challenge_method", "plain")
		refused(c, "code_challenge_method", "plain")
		refused(c, "code_challenge_method", "") // means plain
		refused(c, "code_challenge_method", "s256")
		refused(c, "code_challenge_method", "S512")
		refused(c, "code_challenge", "") // a method without a challenge
		refused(c, "code_challenge", plain[:42])
		refused(c, "code_challenge", plain+"x")
		refused(c, "code_challenge", plain[:42]+"=")
		refused(c, "code_challenge", plain[:42]+"+")
	}
	refused(public, "code_challenge", "", "code_challenge_method", "")

	without := client.Authorize(ada, "code_challenge", "", "code_challenge_method", "").Get("code")
	wantOAuthError(t, client.Redeem(without), http.StatusBadRequest, "invalid_grant") // with a verifier
	tokensOf(t, client.Redeem(without, "code_verifier", ""))
	code := public.Authorize(ada).Get("code")
	wantOAuthError(t, public.Redeem(code, "code_verifier", ""), http.StatusBadRequest, "invalid_grant")
	tokensOf(t, public.Redeem(code))
}
