package e2e

import (
	"net/http"
	neturl "net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// askAs posts a form to an endpoint for clients, without authentication unless change adds some.
func askAs(site *harness.Site, path string, form neturl.Values, change func(*http.Request)) harness.View {
	site.T.Helper()
	program := harness.NewVisitor(site)
	r := program.NewRequest(http.MethodPost, site.URL+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if change != nil {
		change(r)
	}
	return program.DoOnce(r)
}

// codeForm returns the form that redeems a code.
func codeForm(c harness.Client, code string, more ...string) neturl.Values {
	form := neturl.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.RedirectURI}, "code_verifier": {harness.Verifier}}
	for i := 0; i < len(more); i += 2 {
		form.Add(more[i], more[i+1])
	}
	return form
}

func TestOpenID_ClientAuthentication(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		other := site.AddClient(site.AddApp("Other", "https://other.example.com"), openid.ClientInput{RedirectURIs: client.RedirectURI})
		public := site.AddClient(site.AddApp("Public", "https://public.example.com"), openid.ClientInput{Public: true, RedirectURIs: client.RedirectURI})
		ctx, by := t.Context(), event.Origin{}
		_, expiring, err := site.App.Clients.CreateSecret(ctx, by, client.App, time.Hour)
		harness.Must(t, err)
		revoked, revokedText, err := site.App.Clients.CreateSecret(ctx, by, client.App, 0)
		harness.Must(t, err)
		harness.Must(t, site.App.Clients.RevokeSecret(ctx, by, client.App, revoked.ID))
		id, secret := client.App.ID, client.Secret
		basic := func(id, secret string) func(*http.Request) {
			return func(r *http.Request) { r.SetBasicAuth(id, secret) }
		}
		code := client.Authorize(ada).Get("code")
		redeem := func(change func(*http.Request), more ...string) harness.View {
			t.Helper()
			return askAs(site, openid.TokenPath, codeForm(client, code, more...), change)
		}
		for name, v := range map[string]harness.View{
			"nothing":                                     redeem(nil),
			"an id alone":                                 redeem(nil, "client_id", id),
			"an empty secret":                             redeem(nil, "client_id", id, "client_secret", ""),
			"an empty secret in the header":               redeem(basic(id, "")),
			"a secret alone":                              redeem(nil, "client_secret", secret),
			"a wrong secret":                              redeem(basic(id, secret+"x")),
			"a secret in small letters":                   redeem(basic(id, strings.ToLower(secret))),
			"a secret with a space":                       redeem(basic(id, secret+" ")),
			"part of a secret":                            redeem(basic(id, secret[:len(secret)-1])),
			"another client's secret":                     redeem(basic(id, other.Secret)),
			"another client with the secret":              redeem(basic(other.App.ID, secret)),
			"a revoked secret":                            redeem(basic(id, revokedText)),
			"a secret of a public client":                 redeem(basic(public.App.ID, secret)),
			"a wrong secret of a public client":           redeem(nil, "client_id", public.App.ID, "client_secret", "x"),
			"an unknown client":                           redeem(basic("0193c0de-0000-7000-8000-000000000000", secret)),
			"a client in capitals":                        redeem(basic(strings.ToUpper(id), secret)),
			"the code as secret":                          redeem(basic(id, code)),
			"the id as secret":                            redeem(basic(id, id)),
			"an assertion":                                redeem(nil, "client_id", id, "client_assertion", secret, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
			"the query":                                   askAs(site, openid.TokenPath+"?client_id="+id+"&client_secret="+secret, codeForm(client, code), nil),
			"the secret in the query, the id in the body": askAs(site, openid.TokenPath+"?client_secret="+secret, codeForm(client, code, "client_id", id), nil),
			"a bearer token":                              redeem(func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }, "client_id", id),
			"a header that isn't base64":                  redeem(func(r *http.Request) { r.Header.Set("Authorization", "Basic "+id+":"+secret) }),
			"a badly encoded header":                      redeem(basic(id, secret+"%zz")),
			"a cookie":                                    redeem(func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "client_secret", Value: secret}) }, "client_id", id),
		} {
			if v.Status != http.StatusUnauthorized || !strings.Contains(v.Body, `"invalid_client"`) || !strings.HasPrefix(v.Header.Get("WWW-Authenticate"), "Basic ") {
				t.Errorf("%s: %d %s %s", name, v.Status, v.Body, v.Header.Get("WWW-Authenticate"))
			}
		}
		for name, v := range map[string]harness.View{
			"both ways":             redeem(basic(id, secret), "client_secret", secret),
			"both ways, of another": redeem(basic(id, secret), "client_id", other.App.ID, "client_secret", other.Secret),
			"two clients":           redeem(basic(id, secret), "client_id", other.App.ID),
			"two ids":               redeem(nil, "client_id", id, "client_id", id, "client_secret", secret),
			"two secrets":           redeem(nil, "client_id", id, "client_secret", "x", "client_secret", secret),
			"two codes":             redeem(basic(id, secret), "code", code),
			"JSON":                  askAs(site, openid.TokenPath, codeForm(client, code), func(r *http.Request) { r.Header.Set("Content-Type", "application/json"); r.SetBasicAuth(id, secret) }),
			"no type":               askAs(site, openid.TokenPath, codeForm(client, code), func(r *http.Request) { r.Header.Del("Content-Type"); r.SetBasicAuth(id, secret) }),
		} {
			if v.Status != http.StatusBadRequest || !strings.Contains(v.Body, `"invalid_request"`) {
				t.Errorf("%s: %d %s", name, v.Status, v.Body)
			}
		}
		if v := harness.NewVisitor(site).Get(openid.TokenPath + "?" + codeForm(client, code, "client_id", id, "client_secret", secret).Encode()); v.Status != http.StatusNotFound {
			t.Errorf("GET: %d %s", v.Status, v.Body)
		}
		if n := site.Count("SELECT COUNT(*) FROM grant_tokens"); n != 0 {
			t.Fatalf("%d tokens were issued", n)
		}
		tokensOf(t, redeem(basic(id, expiring)))

		// A secret ends on time, and one that is revoked at once, on another instance as well.
		another := site.Replica()
		site.Clock.Advance(time.Hour)
		wantOAuthError(t, askAs(another, openid.IntrospectPath, neturl.Values{"token": {"x"}}, basic(id, expiring)), http.StatusUnauthorized, "invalid_client")
		if v := askAs(another, openid.IntrospectPath, neturl.Values{"token": {"x"}}, basic(id, secret)); v.Status != http.StatusOK {
			t.Errorf("%d %s", v.Status, v.Body)
		}
		secrets, err := site.App.Clients.ListSecrets(ctx, id)
		harness.Must(t, err)
		for _, s := range secrets {
			harness.Must(t, site.App.Clients.RevokeSecret(ctx, by, client.App, s.ID))
		}
		wantOAuthError(t, askAs(another, openid.IntrospectPath, neturl.Values{"token": {"x"}}, basic(id, secret)), http.StatusUnauthorized, "invalid_client")
	})
}

// Only a client with a secret learns about a token, and only about its own.
func TestOpenID_IntrospectionByOtherClients(t *testing.T) {
	t.Parallel()
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{})
	public := site.AddClient(site.AddApp("Public", "https://public.example.com"), openid.ClientInput{Public: true, RedirectURIs: client.RedirectURI})
	tokens := tokensOf(t, client.Redeem(client.Authorize(ada).Get("code")))
	own := tokensOf(t, public.Redeem(public.Authorize(ada).Get("code")))
	for _, token := range []string{tokens.AccessToken, tokens.RefreshToken, own.AccessToken, "x"} {
		form := neturl.Values{"token": {token}}
		wantOAuthError(t, askAs(site, openid.IntrospectPath, form, nil), http.StatusUnauthorized, "invalid_client")
		wantOAuthError(t, public.Ask(site, openid.IntrospectPath, neturl.Values{"token": {token}}), http.StatusUnauthorized, "invalid_client")
		wantOAuthError(t, askAs(site, openid.RevokePath, form, nil), http.StatusUnauthorized, "invalid_client")
		wantOAuthError(t, askAs(site, openid.IntrospectPath, form, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }), http.StatusUnauthorized, "invalid_client")
		program := ada // whose browser has a session
		r := program.NewRequest(http.MethodPost, site.URL+openid.IntrospectPath, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		wantOAuthError(t, program.DoOnce(r), http.StatusUnauthorized, "invalid_client")
	}
	for _, token := range []string{tokens.IDToken, own.AccessToken, own.RefreshToken, "x", client.Secret, tokens.AccessToken + " "} {
		if v := client.Ask(site, openid.IntrospectPath, neturl.Values{"token": {token}}); v.Status != http.StatusOK || v.Body != `{"active":false}`+"\n" {
			t.Errorf("%d %s", v.Status, v.Body)
		}
	}
	wantOAuthError(t, client.Ask(site, openid.IntrospectPath, neturl.Values{}), http.StatusBadRequest, "invalid_request")
	for _, token := range []string{tokens.AccessToken, tokens.RefreshToken} {
		if v := client.Ask(site, openid.IntrospectPath, neturl.Values{"token": {token}}); !strings.Contains(v.Body, `"active":true`) {
			t.Errorf("%d %s", v.Status, v.Body)
		}
	}
	for _, token := range []string{own.AccessToken, tokens.AccessToken} {
		if v := client.UserInfo(site, token); v.Status != http.StatusOK {
			t.Errorf("a stranger has ended a token: %d %s", v.Status, v.Body)
		}
	}
	if v := client.Ask(site, openid.RevokePath, neturl.Values{"token": {tokens.RefreshToken}}); v.Status != http.StatusOK || v.Body != "" {
		t.Errorf("%d %s", v.Status, v.Body)
	}
	wantRefusedTokens(t, client, site, tokens)
}

// Bad tokens are answered without a trace: they write nothing, and tell nothing.
func TestOpenID_ThousandBadTokens(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		tokens := tokensOf(t, client.Redeem(client.Authorize(ada).Get("code")))
		events, limits := site.Count("SELECT COUNT(*) FROM events"), site.Count("SELECT COUNT(*) FROM limits")
		bad := []string{"x", "gla_" + strings.Repeat("A", 52), tokens.RefreshToken, tokens.IDToken, tokens.AccessToken + "x", strings.ToLower(tokens.AccessToken), "'; DROP TABLE grants; --", strings.Repeat("a", 8000)}
		begin := time.Now()
		harness.Concurrently(4, func(n int) {
			for i := range 250 {
				if v := client.UserInfo(site, bad[(n+i)%len(bad)]); v.Status != http.StatusUnauthorized {
					t.Errorf("%d %s", v.Status, v.Body)
				}
			}
		})
		t.Logf("1,000 bad tokens: %s", time.Since(begin))
		for range 20 {
			wantOAuthError(t, client.Redeem("glc_"+strings.Repeat("A", 52)), http.StatusBadRequest, "invalid_grant")
			wantOAuthError(t, client.Renew("glr_"+strings.Repeat("A", 52)), http.StatusBadRequest, "invalid_grant")
		}
		if v := client.UserInfo(site, tokens.AccessToken); v.Status != http.StatusOK {
			t.Errorf("%d %s", v.Status, v.Body)
		}
		if e, l := site.Count("SELECT COUNT(*) FROM events"), site.Count("SELECT COUNT(*) FROM limits"); e != events || l != limits {
			t.Errorf("%d events and %d rows of limits were written", e-events, l-limits)
		}
		program := harness.NewVisitor(site)
		for name, change := range map[string]func(*http.Request){
			"no token":     func(*http.Request) {},
			"Basic":        func(r *http.Request) { r.SetBasicAuth("x", tokens.AccessToken) },
			"no scheme":    func(r *http.Request) { r.Header.Set("Authorization", tokens.AccessToken) },
			"an empty one": func(r *http.Request) { r.Header.Set("Authorization", "Bearer ") },
			"the query":    func(r *http.Request) { r.URL.RawQuery = "access_token=" + tokens.AccessToken },
			"a cookie":     func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "access_token", Value: tokens.AccessToken}) },
		} {
			r := program.NewRequest(http.MethodGet, site.URL+openid.UserInfoPath, nil)
			change(r)
			wantOAuthError(t, program.DoOnce(r), http.StatusUnauthorized, "invalid_token")
			if t.Failed() {
				t.Fatal(name)
			}
		}
		wantOAuthError(t, ada.DoOnce(ada.NewRequest(http.MethodGet, site.URL+openid.UserInfoPath, nil)), http.StatusUnauthorized, "invalid_token") // with a session
	})
}
