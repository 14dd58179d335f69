package relyingparties

import (
	"crypto/rand"
	"net/url"
	"testing"

	"github.com/guestlist/guestlist/test/harness"
)

// oauth2Proxy is oauth2-proxy in front of an application, with PKCE. It refreshes its tokens before a request
// in another second than the last refresh: it knows the age of its sessions in whole seconds.
var oauth2Proxy = party{
	name: "oauth2-proxy", callback: "/oauth2/callback", signedOut: "/signed-out",
	start: startOAuth2Proxy, open: openPage, read: readPage,
	refresh: refreshOAuth2Proxy, refreshPath: "/page", endsOnRefusal: true,
	signOut: func(p *person, _ account) harness.View {
		r := p.w.registration
		to := r.issuer + "/oauth/end-session?id_token_hint={id_token}&post_logout_redirect_uri=" + url.QueryEscape(r.url("/signed-out"))
		return p.navigate(r.url("/oauth2/sign_out?rd=" + url.QueryEscape(to)))
	},
}

func startOAuth2Proxy(t *testing.T, r registration) {
	path := harness.FindPeer(t, "oauth2-proxy", harness.RepoPath(".cache/peers/oauth2-proxy"))
	page := startClaimsPage(t, headerNames{
		subject: "X-Forwarded-User", email: "X-Forwarded-Email", username: "X-Forwarded-Preferred-Username", groups: "X-Forwarded-Groups",
		accessToken: "X-Forwarded-Access-Token", idToken: "Authorization",
	})
	issuer, err := url.Parse(r.issuer)
	if err != nil {
		t.Fatal(err)
	}
	harness.Program{Path: path, Dir: t.TempDir(), Args: []string{
		"--provider=oidc", "--oidc-issuer-url=" + r.issuer, "--client-id=" + r.clientID, "--client-secret=" + r.secret,
		"--redirect-url=" + r.url("/oauth2/callback"), "--code-challenge-method=S256", "--scope=" + allScopes,
		"--http-address=" + r.address, "--upstream=http://" + page, "--email-domain=*", "--skip-provider-button", "--skip-auth-route=^/signed-out",
		"--pass-access-token", "--pass-authorization-header", "--cookie-secret=" + rand.Text() + "123456", "--cookie-secure=false", "--cookie-refresh=1ms",
		"--whitelist-domain=" + issuer.Host, "--insecure-oidc-skip-nonce=false",
	}}.Start(t, func() bool { return listens(r.address) })
}

// refreshOAuth2Proxy requests the page until the proxy has refreshed its tokens.
func refreshOAuth2Proxy(p *person, before account) (after account, ok bool) {
	p.T.Helper()
	harness.Eventually(p.T, "a refresh", func() bool {
		after, ok = refreshPage(p, before)
		return !ok || after.AccessToken != before.AccessToken
	})
	return after, ok
}
