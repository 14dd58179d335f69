package e2e

import (
	"net/http"
	neturl "net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// Every answer on the way to an app can't be framed, kept in a cache or revealed to other sites.
func TestOpenID_HeadersOfTheWayIn(t *testing.T) {
	t.Parallel()
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{})
	visitor, boss := ada.InNewBrowser(), signInAdmin(site)
	signIn := followHere(visitor, client.Visit(visitor))
	views := map[string]harness.View{
		"to the sign-in page":    client.Visit(visitor),
		"the sign-in page":       signIn,
		"to the client":          client.Visit(ada),
		"an error to the client": client.Visit(ada, "response_type", "token"),
		"an error page":          client.Visit(ada, "redirect_uri", "https://evil.example.com"),

		"the page that refuses":      client.Visit(boss),
		"an address that isn't one":  ada.Get("/oauth/continue?r=x"),
		"the page for another":       followHere(boss, client.Visit(boss, "id_token_hint", tokensOf(t, client.Redeem(client.Authorize(ada).Get("code"))).IDToken)),
		"the page after the sign-in": signInAt(visitor, signIn),
	}
	site.Clock.Advance(time.Second)
	views["the choice of an account"] = client.Visit(ada, "prompt", "select_account")
	views["the page for a proof"] = followHere(ada, client.Visit(ada, "prompt", "login"))
	for name, v := range views {
		h := v.Header
		policy := h.Get("Content-Security-Policy")
		if !strings.Contains(policy, "frame-ancestors 'none'") || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s (%d): %v", name, v.Status, h)
		}
		if policy := h.Get("Referrer-Policy"); policy != "no-referrer" && policy != "same-origin" {
			t.Errorf("%s: Referrer-Policy %q", name, policy)
		}
		if strings.HasPrefix(h.Get("Location"), client.RedirectURI) && h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: the next page is told where the browser came from", name)
		}
		for header := range h {
			if strings.HasPrefix(header, "Access-Control-") {
				t.Errorf("%s: %s: %s", name, header, h.Get(header))
			}
		}
	}
	if v := views["the choice of an account"]; v.Status != http.StatusOK || v.Heading() != "Continue to Wiki" {
		t.Errorf("%d %q", v.Status, v.Heading())
	}
	if v := views["the page after the sign-in"]; answerAt(t, client, v).Get("code") == "" {
		t.Errorf("%d %s", v.Status, v.Text())
	}
}

// Scripts of every site may ask what clients ask, but never with the cookies of a user, which are read
// by none of these routes.
func TestOpenID_OtherSitesAndCookies(t *testing.T) {
	t.Parallel()
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{})
	tokens := tokensOf(t, client.Redeem(client.Authorize(ada).Get("code")))
	send := func(method, path, body string, headers ...string) harness.View {
		t.Helper()
		r := ada.NewRequest(method, site.URL+path, strings.NewReader(body)) // with ada's cookies
		r.Header.Set("Origin", "https://evil.example.com")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return ada.DoOnce(r)
	}
	secretForm := neturl.Values{"client_id": {client.App.ID}, "client_secret": {client.Secret}, "token": {tokens.AccessToken}}.Encode()
	for name, v := range map[string]harness.View{
		"token":            send("POST", openid.TokenPath, "grant_type=authorization_code&code=x&client_id="+client.App.ID),
		"a preflight":      send("OPTIONS", openid.TokenPath, "", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization"),
		"userinfo":         send("GET", openid.UserInfoPath, "", "Authorization", "Bearer "+tokens.AccessToken),
		"userinfo, none":   send("GET", openid.UserInfoPath, ""),
		"userinfo, a form": send("POST", openid.UserInfoPath, "access_token="+tokens.AccessToken),
		"introspection":    send("POST", openid.IntrospectPath, secretForm),
		"revocation":       send("POST", openid.RevokePath, "token=x"),
		"discovery":        send("GET", "/.well-known/openid-configuration", ""),
		"keys":             send("GET", openid.JWKSPath, ""),
		"webfinger":        send("GET", "/.well-known/webfinger?resource=acct:ada@example.com", ""),
	} {
		h := v.Header
		if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Credentials") != "" || len(h.Values("Set-Cookie")) > 0 || v.Status >= 500 {
			t.Errorf("%s: %d %v", name, v.Status, h)
		}
	}
	wantOAuthError(t, send("GET", openid.UserInfoPath, ""), http.StatusUnauthorized, "invalid_token")
	wantOAuthError(t, send("POST", openid.TokenPath, "grant_type=refresh_token&refresh_token="+tokens.RefreshToken), http.StatusUnauthorized, "invalid_client")
	for _, path := range []string{openid.TokenPath, openid.UserInfoPath, openid.IntrospectPath} {
		if v := send("POST", path, "token="+tokens.AccessToken); v.Status == http.StatusOK {
			t.Errorf("%s: a session is enough: %s", path, v.Body)
		}
	}
	wantCached(t, client, site, tokens)

	// Pages are refused as ever.
	for _, path := range []string{"/signout", "/signin", "/confirm", "/api/logout", "/profile/signout"} {
		if v := send("POST", path, "session=all"); v.Status != http.StatusForbidden {
			t.Errorf("%s: %d", path, v.Status)
		}
	}
	if v := ada.Get("/apps"); v.Heading() != "My apps" {
		t.Errorf("another site has signed ada out: %s", v.Text())
	}
	// An authorization request of another site only leads to the client.
	r := ada.NewRequest(http.MethodGet, site.URL+client.AuthorizePath(), nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if v := ada.DoOnce(r); answerAt(t, client, v).Get("code") == "" {
		t.Errorf("%d %v", v.Status, v.Header)
	}
}

// wantCached checks that answers with tokens or claims are kept nowhere.
func wantCached(t *testing.T, client harness.Client, site *harness.Site, tokens openid.TokenResponse) {
	t.Helper()
	for name, v := range map[string]harness.View{
		"userinfo": client.UserInfo(site, tokens.AccessToken), "refresh": client.Renew(tokens.RefreshToken), "an error": client.Redeem("x"),
		"introspection": client.Ask(site, openid.IntrospectPath, neturl.Values{"token": {tokens.AccessToken}}),
	} {
		if v.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(v.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%s: %v", name, v.Header)
		}
	}
}

// A client of several providers can tell which has answered, and so can't be made to send this one's
// code to another (https://www.rfc-editor.org/rfc/rfc9207).
func TestOpenID_ResponsesNameTheIssuer(t *testing.T) {
	t.Parallel()
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{})
	var metadata map[string]any
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		metadata = decodeJSON[map[string]any](t, harness.NewVisitor(site).Get(path).Body)
		if metadata["issuer"] != site.URL || metadata["authorization_response_iss_parameter_supported"] != true {
			t.Errorf("%s: %v", path, metadata)
		}
	}
	for _, more := range [][]string{nil, {"prompt", "none"}, {"response_type", "token"}, {"response_type", "code token"}, {"scope", "x"}, {"request", "x"}, {"request_uri", "x"}, {"registration", "x"}, {"prompt", "x"}, {"response_mode", "fragment"}, {"response_mode", "form_post"}, {"iss", "https://evil.example.com"}, {"issuer", "x"}} {
		answer := client.Authorize(ada, more...)
		if len(answer["iss"]) != 1 || answer.Get("iss") != metadata["issuer"] || answer.Has("code") == answer.Has("error") {
			t.Errorf("%q: %v", more, answer)
		}
	}
	claims := claimsOf(t, site, tokensOf(t, client.Redeem(client.Authorize(ada).Get("code"))).IDToken)
	if claims["iss"] != site.URL || claims["aud"] != client.App.ID {
		t.Errorf("%v", claims)
	}
}
