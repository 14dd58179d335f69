package stytchlocal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/oauth"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"
)

const (
	loginURL  = "http://localhost:3000/login?from=oauth"
	signupURL = "http://localhost:3000/signup"
)

// browser is a developer's browser that signs in by OAuth.
type browser struct {
	f        *fixture
	provider string
	query    url.Values // of the start route
}

// at returns a browser that starts at a provider. More parameters come in pairs; an empty
// value removes one.
func (f *fixture) at(provider string, more ...string) *browser {
	query := url.Values{
		"public_token": {f.server.Credentials().PublicToken}, "login_redirect_url": {loginURL}, "signup_redirect_url": {signupURL},
	}
	for i := 0; i < len(more); i += 2 {
		query.Set(more[i], more[i+1])
		if more[i+1] == "" {
			query.Del(more[i])
		}
	}
	return &browser{f, provider, query}
}

// start requests the start route and returns the page it leads to.
func (b *browser) start() string {
	b.f.t.Helper()
	r, _ := http.NewRequestWithContext(b.f.t.Context(), "GET", b.f.url+"/v1/public/oauth/"+b.provider+"/start?"+b.query.Encode(), nil)
	status, header, body := b.f.raw(r)
	page := header.Get("Location")
	if status != http.StatusFound || !strings.HasPrefix(page, "/dev/oauth/"+b.provider+"?") {
		b.f.t.Fatalf("start: %d, to %q: %s", status, page, body)
	}
	return b.f.url + page
}

// submit sends the provider's page and returns the response.
func (b *browser) submit(form url.Values) (int, http.Header, string) {
	b.f.t.Helper()
	r, _ := http.NewRequestWithContext(b.f.t.Context(), "POST", b.start(), strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.f.raw(b.f.withKey(r))
}

// signIn pretends to be the provider of a person and returns the address, without its
// query, that the browser comes back to, and the token.
func (b *browser) signIn(email string, verified bool) (to, token string) {
	b.f.t.Helper()
	form := url.Values{"email": {email}, "action": {"continue"}}
	if verified {
		form.Set("verified", "yes")
	}
	status, header, body := b.submit(form)
	u, err := url.Parse(header.Get("Location"))
	if err != nil || status != http.StatusSeeOther || u.Query().Get("stytch_token_type") != "oauth" {
		b.f.t.Fatalf("submit: %d, to %q: %s", status, header.Get("Location"), body)
	}
	return u.Path, u.Query().Get("token")
}

func (f *fixture) oauth(params *oauth.AuthenticateParams) (*oauth.AuthenticateResponse, string) {
	f.t.Helper()
	res, err := f.sdk.OAuth.Authenticate(f.t.Context(), params)
	return res, errorType(err)
}

func TestOAuth_SignIn(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for i, row := range []struct{ provider, providerType string }{{"google", "Google"}, {"github", "Github"}, {"microsoft", "Microsoft"}} {
			email := fmt.Sprintf("ada%d@example.com", i)
			to, token := f.at(row.provider, "custom_scopes", "calendar files").signIn(" Ada"+email[3:]+" ", true)
			if to != "/signup" {
				t.Errorf("a new user comes back to %s", to)
			}
			first, failed := f.oauth(&oauth.AuthenticateParams{Token: token, SessionDurationMinutes: 60})
			if failed != "" {
				t.Fatal(failed)
			}
			if e := first.User.Emails; len(e) != 1 || e[0].Email != email || !e[0].Verified || first.User.Status != "active" {
				t.Errorf("the user is %+v", first.User)
			}
			want := []users.OAuthProvider{{ProviderType: row.providerType, ProviderSubject: first.ProviderSubject, OAuthUserRegistrationID: first.OAuthUserRegistrationID}}
			if diff := cmp.Diff(want, first.User.Providers); diff != "" || first.ProviderType != row.providerType || first.ProviderSubject == "" {
				t.Errorf("the providers are %s", diff)
			}
			if v := first.ProviderValues; v.AccessToken == "" || !strings.HasSuffix(strings.Join(v.Scopes, " "), " calendar files") || !v.ExpiresAt.Equal(f.clock.now().Add(time.Hour)) {
				t.Errorf("the provider's values are %+v", v)
			}
			s := first.UserSession
			if s == nil || first.SessionToken == "" || first.SessionJWT == "" {
				t.Fatalf("no session: %+v", first)
			}
			factor := s.AuthenticationFactors[0]
			if factor.Type != "oauth" || string(factor.DeliveryMethod) != "oauth_"+row.provider {
				t.Errorf("the factor is %+v", factor)
			}
			detail := dig(f.ok("GET", "/v1/sessions?user_id="+first.UserID, nil), "sessions", 0, "authentication_factors", 0, row.provider+"_oauth_factor")
			if dig(detail, "id") != first.OAuthUserRegistrationID || dig(detail, "provider_subject") != first.ProviderSubject || dig(detail, "email_id") != first.User.Emails[0].EmailID {
				t.Errorf("the factor is %v", detail)
			}

			to, token = f.at(row.provider).signIn(email, true)
			if to != "/login" {
				t.Errorf("a known user comes back to %s", to)
			}
			again, failed := f.oauth(&oauth.AuthenticateParams{Token: token, SessionToken: first.SessionToken})
			if failed != "" || again.UserID != first.UserID || again.OAuthUserRegistrationID != first.OAuthUserRegistrationID ||
				again.SessionToken != first.SessionToken || len(again.UserSession.AuthenticationFactors) != 1 {
				t.Errorf("again: %+v, %s", again, failed)
			}
			found := f.ok("POST", "/v1/users/search", object{"query": object{"operator": "AND", "operands": []object{{"filter_name": "oauth_provider", "filter_value": []string{row.provider}}}}})
			if dig(found, "results", 0, "user_id") != first.UserID || dig(found, "results", 1) != nil {
				t.Errorf("searched: %v", found)
			}
		}
	})
}

func TestOAuth_WhoseAccount(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada := f.signIn("ada@example.com")["user_id"].(string)
		unproven := f.user("grace@example.com")

		_, token := f.at("google").signIn("ada@example.com", false)
		unverified, _ := f.oauth(&oauth.AuthenticateParams{Token: token})
		if unverified.UserID == ada || len(unverified.User.Emails) != 0 {
			t.Errorf("an unverified address became %+v", unverified.User)
		}
		_, token = f.at("google").signIn("ada@example.com", true)
		if later, _ := f.oauth(&oauth.AuthenticateParams{Token: token}); later.UserID != unverified.UserID || len(later.User.Emails) != 0 {
			t.Errorf("the account of the unverified address became %+v", later.User)
		}
		_, token = f.at("github").signIn("ada@example.com", true)
		if got, _ := f.oauth(&oauth.AuthenticateParams{Token: token}); got.UserID != ada || len(got.User.Providers) != 1 {
			t.Errorf("the verified address became %+v", got.User)
		}
		_, token = f.at("google").signIn("grace@example.com", true)
		if got, _ := f.oauth(&oauth.AuthenticateParams{Token: token}); got.UserID != unproven || !got.User.Emails[0].Verified {
			t.Errorf("the address that no one had verified became %+v", got.User)
		}
		_, token = f.at("google").signIn("new@example.com", false)
		impostor, _ := f.oauth(&oauth.AuthenticateParams{Token: token})
		if len(impostor.User.Emails) != 0 {
			t.Errorf("the new, unverified address became %+v", impostor.User)
		}
		if owner := f.signIn("new@example.com"); owner["user_id"] == impostor.UserID {
			t.Error("the owner of the address shares the user of an account that had not verified it")
		}
		_, token = f.at("google").signIn("new@example.com", true)
		if got, _ := f.oauth(&oauth.AuthenticateParams{Token: token}); got.UserID != impostor.UserID || len(got.User.Emails) != 0 {
			t.Errorf("verified later, the account of the unverified address became %+v", got.User)
		}
		_, token = f.at("google").signIn("later@example.com", false)
		f.oauth(&oauth.AuthenticateParams{Token: token})
		_, token = f.at("google").signIn("later@example.com", true)
		if got, _ := f.oauth(&oauth.AuthenticateParams{Token: token}); len(got.User.Emails) != 1 || !got.User.Emails[0].Verified {
			t.Errorf("verified later, the address became %+v", got.User)
		}
	})
}

func TestOAuth_TokenRefusals(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		_, token := f.at("google", "code_challenge", challenge()).signIn("ada@example.com", true)
		for _, row := range []struct {
			name, errorType string
			params          oauth.AuthenticateParams
		}{
			{"no verifier", "pkce_expected_code_verifier", oauth.AuthenticateParams{Token: token}},
			{"another verifier", "pkce_mismatch", oauth.AuthenticateParams{Token: token, CodeVerifier: verifier + "x"}},
			{"a verifier of no form", "invalid_pkce_code_verifier", oauth.AuthenticateParams{Token: token, CodeVerifier: "short"}},
			{"a session that is too short", "invalid_session_duration_minutes", oauth.AuthenticateParams{Token: token, CodeVerifier: verifier, SessionDurationMinutes: 1}},
			{"none of the mistakes costs the token", "", oauth.AuthenticateParams{Token: token, CodeVerifier: verifier}},
			{"twice", "oauth_token_not_found", oauth.AuthenticateParams{Token: token, CodeVerifier: verifier}},
			{"no form", "invalid_token", oauth.AuthenticateParams{Token: "short"}},
			{"unknown", "oauth_token_not_found", oauth.AuthenticateParams{Token: strings.Repeat("x", 44)}},
		} {
			if _, got := f.oauth(&row.params); got != row.errorType {
				t.Errorf("%s: got %q, want %q", row.name, got, row.errorType)
			}
		}
		_, token = f.at("google").signIn("ada@example.com", true)
		if _, got := f.oauth(&oauth.AuthenticateParams{Token: token, CodeVerifier: verifier}); got != "pkce_did_not_expect_code_verifier" {
			t.Errorf("a verifier that is not expected: %q", got)
		}
		f.clock.advance(5 * time.Minute)
		if _, got := f.oauth(&oauth.AuthenticateParams{Token: token}); got != "oauth_token_not_found" {
			t.Errorf("after five minutes: %q", got)
		}
	})
}

func TestOAuth_OtherKindsOfTokens(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		link, _ := f.link("ada@example.com", nil)
		_, token := f.at("google").signIn("grace@example.com", true)
		attach := f.ok("POST", "/v1/oauth/attach", object{"provider": "google", "user_id": f.user("linus@example.com")})["oauth_attach_token"]
		for _, wrong := range []any{link, attach} {
			f.refused("POST", "/v1/oauth/authenticate", object{"token": wrong}, 404, "oauth_token_not_found")
		}
		for _, wrong := range []any{token, attach} {
			f.refused("POST", "/v1/magic_links/authenticate", object{"token": wrong}, 404, "magic_link_not_found")
		}
		form := url.Values{"email": {"mallory@example.com"}, "action": {"continue"}, "verified": {"yes"}}
		for _, wrong := range []string{link, token} {
			if status, _, _ := f.at("google", "oauth_attach_token", wrong).submit(form); status != 404 {
				t.Errorf("to attach an account: %d", status)
			}
		}
		f.ok("POST", "/v1/magic_links/authenticate", object{"token": link}) // none is spent
		f.ok("POST", "/v1/oauth/authenticate", object{"token": token})
		if to, _ := f.at("google", "oauth_attach_token", attach.(string)).signIn("linus@example.org", true); to != "/login" {
			t.Errorf("attaching leads to %s", to)
		}
	})
}

func TestOAuth_OneTokenConcurrently(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		_, token := f.at("google").signIn("ada@example.com", true)
		got := make([]string, 8)
		var calls sync.WaitGroup
		for i := range got {
			calls.Go(func() { _, got[i] = f.oauth(&oauth.AuthenticateParams{Token: token, SessionDurationMinutes: 60}) })
		}
		calls.Wait()
		signedIn := 0
		for _, errorType := range got {
			switch errorType {
			case "":
				signedIn++
			case "oauth_token_not_found":
			default:
				t.Errorf("got %q", errorType)
			}
		}
		if signedIn != 1 {
			t.Errorf("%d calls signed in", signedIn)
		}
	})
}

func TestOAuth_Attach(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		signedIn := f.signIn("ada@example.com")
		attached, err := f.sdk.OAuth.Attach(t.Context(), &oauth.AttachParams{Provider: "google", SessionToken: signedIn["session_token"].(string)})
		if err != nil {
			t.Fatal(err)
		}
		f.refused("POST", "/v1/oauth/attach", object{"provider": "google"}, 400, "no_user_selection_arguments")
		f.refused("POST", "/v1/oauth/attach", object{"provider": "google", "user_id": signedIn["user_id"], "session_token": signedIn["session_token"]}, 400, "bad_request")
		f.refused("POST", "/v1/oauth/attach", object{"provider": "yahoo", "user_id": signedIn["user_id"]}, 404, "oauth_config_not_found")

		form := url.Values{"email": {"ada@other.example"}, "action": {"continue"}, "verified": {"yes"}}
		if status, _, _ := f.at("github", "oauth_attach_token", attached.OAuthAttachToken).submit(form); status != 404 {
			t.Errorf("at another provider: %d", status)
		}
		_, token := f.at("google", "oauth_attach_token", attached.OAuthAttachToken).signIn("ada@other.example", true)
		got, failed := f.oauth(&oauth.AuthenticateParams{Token: token})
		if failed != "" || got.UserID != signedIn["user_id"] || len(got.User.Emails) != 2 || len(got.User.Providers) != 1 {
			t.Errorf("attached: %+v, %s", got.User, failed)
		}
		if status, _, body := f.at("google", "oauth_attach_token", attached.OAuthAttachToken).submit(form); status != 404 || !strings.Contains(body, "This sign-in can’t go on") {
			t.Errorf("twice: %d %s", status, body)
		}
		grace := f.ok("POST", "/v1/oauth/attach", object{"provider": "google", "user_id": f.user("grace@example.com")})["oauth_attach_token"].(string)
		if status, _, body := f.at("google", "oauth_attach_token", grace).submit(form); status != 409 || !strings.Contains(body, "belongs to another user") {
			t.Errorf("of another user: %d %s", status, body)
		}
	})
}

func TestOAuth_StartRefusals(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	for _, row := range []struct {
		browser   *browser
		status    int
		errorType string
	}{
		{f.at("yahoo"), 404, "oauth_config_not_found"},
		{f.at("google", "public_token", ""), 400, "public_token_required"},
		{f.at("google", "public_token", "public-token-test-other"), 404, "public_token_not_found"},
		{f.at("google", "login_redirect_url", "https://evil.example/"), 400, "no_match_for_provided_oauth_url"},
		{f.at("google", "signup_redirect_url", "https://evil.example/"), 400, "no_match_for_provided_oauth_url"},
		{f.at("google", "login_redirect_url", callback+"&x=1"), 400, "no_match_for_provided_oauth_url"},
		{f.at("google", "login_redirect_url", "javascript:alert(1)"), 400, "no_match_for_provided_oauth_url"},
		{f.at("google", "code_challenge", "short"), 400, "invalid_pkce_code_challenge"},
		{f.at("google", "custom_scopes", strings.Repeat("x", 1001)), 400, "bad_request"},
	} {
		f.refused("GET", "/v1/public/oauth/"+row.browser.provider+"/start?"+row.browser.query.Encode(), nil, row.status, row.errorType)
		// The provider's page checks the same: the browser could have changed its address.
		r, _ := http.NewRequestWithContext(t.Context(), "POST", f.url+"/dev/oauth/"+row.browser.provider+"?"+row.browser.query.Encode(), strings.NewReader("email=ada@example.com"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if status, header, body := f.raw(f.withKey(r)); status != row.status || header.Get("Location") != "" || !strings.Contains(body, "can’t go on") {
			t.Errorf("%s: %d %s", row.errorType, status, body)
		}
	}
	f.refused("POST", "/v1/public/oauth/google/start", nil, 405, "method_not_allowed")
	if to, _ := f.at("google", "login_redirect_url", "", "signup_redirect_url", "").signIn("ada@example.com", true); to != "/api/authenticate_magic_link" {
		t.Errorf("by default, a sign-in leads to %s", to)
	}
}

func TestOAuth_Page(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	b := f.at("github")
	page := b.start()
	r, _ := http.NewRequestWithContext(t.Context(), "GET", page, nil)
	if status, _, body := f.raw(r); status != 404 || !strings.Contains(body, "This page needs a key") || !strings.Contains(body, `href="/dev/oauth/github?`) {
		t.Errorf("without the key: %d %s", status, body)
	}
	status, header, body := f.raw(f.withKey(r))
	if status != 200 || !strings.Contains(body, "<h1>Pretend to be GitHub</h1>") || !strings.Contains(body, "localhost:3000") {
		t.Errorf("the page is %d %s", status, body)
	}
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' http://localhost:3000") {
		t.Errorf("the form may lead to %s", csp)
	}
	status, _, body = b.submit(url.Values{"email": {"<ada"}, "action": {"continue"}})
	if status != 422 || !strings.Contains(body, `value="&lt;ada"`) || !strings.Contains(body, `aria-invalid="true"`) || strings.Contains(body, " checked") {
		t.Errorf("a bad address: %d %s", status, body)
	}
	_, header, _ = b.submit(url.Values{"action": {"cancel"}})
	u, err := url.Parse(header.Get("Location"))
	if err != nil || u.Path != "/login" || u.Query().Get("from") != "oauth" || u.Query().Get("error") != "access_denied" || u.Query().Get("token") != "" {
		t.Errorf("cancelling leads to %s", header.Get("Location"))
	}
	cross, _ := http.NewRequestWithContext(t.Context(), "POST", page, strings.NewReader("email=ada@example.com"))
	cross.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	cross.Header.Set("Sec-Fetch-Site", "cross-site")
	if status, _, _ := f.raw(f.withKey(cross)); status != 403 {
		t.Errorf("a form of another site: %d", status)
	}
}

func TestOAuth_Faults(t *testing.T) {
	t.Parallel()
	f := onSQLite(t)
	b := f.at("google")
	r, _ := http.NewRequestWithContext(t.Context(), "PUT", f.url+"/dev/faults.json", strings.NewReader(`{"rules":[{"route":"/v1/public/oauth/*","kind":"status","status":500},{"route":"/v1/webauthn/*","kind":"status","status":429}]}`))
	r.Header.Set("Content-Type", "application/json")
	if status, _, body := f.raw(f.withKey(r)); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	f.refused("GET", "/v1/public/oauth/google/start?"+b.query.Encode(), nil, 500, "internal_server_error")
	f.refused("POST", "/v1/webauthn/authenticate/start", object{"domain": domain}, 429, "too_many_requests")
}

func TestOAuth_Deletions(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		count := func(table string) (n int) {
			t.Helper()
			if err := f.store.Reader().QueryRowContext(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		_, token := f.at("google").signIn("ada@example.com", true)
		ada, _ := f.oauth(&oauth.AuthenticateParams{Token: token})
		_, token = f.at("google").signIn("ada@example.com", true)
		removed, err := f.sdk.Users.DeleteOAuthRegistration(t.Context(), &users.DeleteOAuthRegistrationParams{OAuthUserRegistrationID: ada.OAuthUserRegistrationID})
		if err != nil || removed.UserID != ada.UserID || len(removed.User.Providers) != 0 {
			t.Errorf("removed: %+v, %v", removed, err)
		}
		if _, got := f.oauth(&oauth.AuthenticateParams{Token: token}); got != "oauth_token_not_found" {
			t.Errorf("with the account removed: %q", got)
		}
		f.refused("DELETE", "/v1/users/oauth/"+ada.OAuthUserRegistrationID, nil, 404, "oauth_user_registration_not_found")
		for range 15 {
			f.at("google").signIn("ada@example.com", true)
			f.clock.advance(time.Millisecond)
		}
		if n := count("stytch_oauth_tokens"); n != 10 {
			t.Errorf("ada has %d open tokens", n)
		}
		f.at("google").signIn("grace@example.com", true)
		f.ok("DELETE", "/v1/users/"+ada.UserID, nil)
		if n, tokens := count("stytch_oauth_registrations"), count("stytch_oauth_tokens"); n != 1 || tokens != 1 {
			t.Errorf("after ada: %d accounts and %d tokens", n, tokens)
		}
		f.clock.advance(2 * time.Hour)
		f.user("linus@example.com") // a call, which purges
		if n := count("stytch_oauth_tokens"); n != 0 {
			t.Errorf("%d expired tokens are left", n)
		}
	})
}
