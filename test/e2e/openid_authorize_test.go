package e2e

import (
	"crypto/rand"
	"encoding/base64"
	"net/http"
	neturl "net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// answerAt returns the parameters with which a page or redirect sends a browser back to the client, nil
// if it stays here.
func answerAt(t *testing.T, c harness.Client, v harness.View) neturl.Values {
	t.Helper()
	location := v.Header.Get("Location")
	if next, found := v.Refresh(); found {
		location = next
	}
	query, found := strings.CutPrefix(location, c.RedirectURI)
	if !found || query == "" {
		return nil
	}
	answer, err := neturl.ParseQuery(query[1:])
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// followHere follows redirects of our own until the browser is sent to the client or sees a page.
func followHere(p *harness.Person, v harness.View) harness.View {
	p.T.Helper()
	for range 10 {
		location := v.Header.Get("Location")
		if strings.HasPrefix(location, "/") {
			location = p.Site.Host + location
		}
		if !strings.HasPrefix(location, p.Site.Host+"/") {
			return v
		}
		v = p.DoOnce(p.NewRequest(http.MethodGet, location, nil))
	}
	p.T.Fatal("redirects in a circle")
	return v
}

// signInAt requests a link on the sign-in page, follows it and presses the button. It returns where the
// browser is then, before it is sent to the client.
func signInAt(p *harness.Person, page harness.View) harness.View {
	p.T.Helper()
	p.Submit(page, "Email me a link", "Email address", p.Email)
	landing := p.OpenNextLink()
	form, _ := landing.Form("Continue")
	return followHere(p, p.DoOnce(p.FormRequest("/api/authenticate_magic_link", form.Values.Encode())))
}

// claimsOf returns the claims of an ID token that is known to be genuine.
func claimsOf(t *testing.T, site *harness.Site, token string) map[string]any {
	t.Helper()
	body, err := site.App.Signer.Verify(token)
	if err != nil {
		t.Fatal(err)
	}
	return decodeJSON[map[string]any](t, string(body))
}

// state and nonce come back byte by byte, at once and after a sign-in.
func TestOpenID_StateAndNonceAreReturnedAsTheyAre(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		for _, state := range []string{
			"x", "a b", "a+b", "a%20b", "%", "%zz", "&code=evil&iss=evil", "#fragment", "ü", "日本語", "👩‍🚀", "\u202e\u0000\u200b", "a\r\nSet-Cookie: x=1", `"'<script>`, "\xff\xfe", "=", "1:2:3", " ", strings.Repeat("s", 2000), strings.Repeat("👩", 500),
		} {
			nonce := state
			if len(nonce) > 512 || !utf8.ValidString(nonce) {
				nonce = "a nonce"
			}
			answer := client.Authorize(ada, "state", state, "nonce", nonce)
			if answer.Get("state") != state || len(answer["state"]) != 1 || len(answer["code"]) != 1 || answer.Get("iss") != site.URL || len(answer) != 3 {
				t.Errorf("%q: %v", state, answer)
				continue
			}
			if claims := claimsOf(t, site, tokensOf(t, client.Redeem(answer.Get("code"))).IDToken); claims["nonce"] != nonce {
				t.Errorf("nonce %q is %q", nonce, claims["nonce"])
			}
		}
		random := make([]byte, 2000)
		rand.Read(random)
		for name, state := range map[string]string{"the longest": base64.StdEncoding.EncodeToString(random[:1500]), "of pictures": strings.Repeat("👩", 500), "with separators": "a:b\n&=%+ " + strings.Repeat("%", 1000)} {
			visitor := ada.InNewBrowser()
			page := followHere(visitor, client.Visit(visitor, "state", state, "nonce", base64.StdEncoding.EncodeToString(random[1500:1532])))
			v := visitor.DoOnce(visitor.FormRequest("/signin", formOf(t, page, "Email me a link", visitor.Email)))
			for _, cookie := range v.Header.Values("Set-Cookie") {
				if pair, _, _ := strings.Cut(cookie, ";"); len(pair) > 4096 {
					t.Errorf("%s: a cookie of %d bytes, which browsers ignore", name, len(pair))
				}
			}
			var headers strings.Builder
			harness.Must(t, v.Header.Write(&headers))
			if n := headers.Len(); n > 4096-100 { // and the first line
				t.Errorf("%s: headers of %d bytes, which nginx refuses", name, n)
			}
			landing := visitor.OpenNextLink()
			form, _ := landing.Form("Continue")
			v = followHere(visitor, visitor.DoOnce(visitor.FormRequest("/api/authenticate_magic_link", form.Values.Encode())))
			if answer := answerAt(t, client, v); answer.Get("state") != state || answer.Get("code") == "" {
				t.Errorf("%s: %d %q", name, v.Status, answer)
			}
		}
		for name, more := range map[string][]string{
			"a longer state": {"state", strings.Repeat("s", 2001)}, "random bytes": {"state", string(random)}, "a longer nonce": {"nonce", strings.Repeat("n", 513)}, "a nonce that isn't UTF-8": {"nonce", "\xff"},
		} {
			if answer := client.Authorize(ada, more...); answer.Get("error") != "invalid_request" || answer.Has("code") {
				t.Errorf("%s: %v", name, answer)
			}
		}
		q := client.AuthorizePath()
		for _, name := range []string{"state", "nonce", "scope", "response_type", "prompt", "max_age", "code_challenge", "code_challenge_method", "id_token_hint"} {
			v := ada.DoOnce(ada.NewRequest(http.MethodGet, site.URL+q+"&"+name+"=x&"+name+"=y", nil))
			if answer := answerAt(t, client, v); answer.Get("error") != "invalid_request" || answer.Has("code") {
				t.Errorf("twice %s: %v", name, answer)
			}
		}
	})
}

// formOf returns a sign-in form, filled in.
func formOf(t *testing.T, page harness.View, button, address string) string {
	t.Helper()
	form, found := page.Form(button)
	if !found {
		t.Fatalf("%s has no button %q: %s", page.Path, button, page.Text())
	}
	if err := form.Fill("Email address", address); err != nil {
		t.Fatal(err)
	}
	return form.Values.Encode()
}

// No request but that of a user who goes there creates a code.
func TestOpenID_SpeculativeRequestsCreateNothing(t *testing.T) {
	t.Parallel()
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{})
	visitor := ada.InNewBrowser()
	sealed := neturl.Values{}
	if location, err := neturl.Parse(client.Visit(visitor).Header.Get("Location")); err == nil {
		sealed = location.Query()
	}
	resume := sealed.Get("next")
	if !strings.HasPrefix(resume, "/oauth/continue?r=") {
		t.Fatalf("the request continues at %q", resume)
	}
	for _, path := range []string{client.AuthorizePath(), resume} {
		for name, change := range map[string]func(*http.Request){
			"HEAD":      func(r *http.Request) { r.Method = http.MethodHead },
			"prefetch":  func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch") },
			"prerender": func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch;prerender") },
			"OPTIONS":   func(r *http.Request) { r.Method = http.MethodOptions },
			"POST of another site": func(r *http.Request) {
				r.Method = http.MethodPost
				r.Header.Set("Sec-Fetch-Site", "cross-site")
			},
		} {
			r := ada.NewRequest(http.MethodGet, site.URL+path, nil)
			change(r)
			v := ada.DoOnce(r)
			if strings.Contains(v.Header.Get("Location"), "code=glc_") || v.Header.Get("Access-Control-Allow-Origin") != "" || site.Count("SELECT COUNT(*) FROM grants") != 0 {
				t.Errorf("%s %s: %d %v", name, path[:16], v.Status, v.Header)
			}
		}
	}
	// A form of another site becomes a GET with the same parameters.
	_, query, _ := strings.Cut(client.AuthorizePath(), "?")
	r := visitor.FormRequest(openid.AuthorizePath, query)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if v := visitor.DoOnce(r); v.Status != http.StatusSeeOther || v.Header.Get("Location") != client.AuthorizePath() {
		t.Errorf("POST: %d %q", v.Status, v.Header.Get("Location"))
	}
	if v := ada.DoOnce(ada.NewRequest(http.MethodGet, site.URL+resume, nil)); answerAt(t, client, v).Get("code") == "" {
		t.Errorf("a user can't go on: %d", v.Status)
	}
}

// signInAdmin signs in the administrator of startWithClient with another browser.
func signInAdmin(site *harness.Site) *harness.Person {
	site.T.Helper()
	boss := site.NewPerson("admin@example.com")
	boss.NextLink() // was used
	boss.SignIn()
	return boss
}

// Without a page, a client learns only what its user would let it know.
func TestOpenID_PromptNone(t *testing.T) {
	t.Parallel()
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{})
	bob := site.NewPerson("bob@example.com") // not in the group
	signInAdmin(site).Invite(bob.Email)
	bob.SignIn()
	hint := tokensOf(t, client.Redeem(client.Authorize(ada).Get("code"))).IDToken
	site.Clock.Advance(time.Minute)
	before := site.Count("SELECT COUNT(*) FROM grants")
	for name, row := range map[string]struct {
		person *harness.Person
		more   []string
		want   string // error
	}{
		"no one is signed in":         {ada.InNewBrowser(), nil, "login_required"},
		"a hint, no one is signed in": {ada.InNewBrowser(), []string{"id_token_hint", hint}, "login_required"},
		"another user":                {bob, []string{"id_token_hint", hint}, "login_required"},
		"not in the group":            {bob, nil, "access_denied"},
		"too long ago":                {ada, []string{"max_age", "59"}, "login_required"},
		"max_age 0":                   {ada, []string{"max_age", "0"}, "login_required"},
		"a max_age below 0":           {ada, []string{"max_age", "-1"}, "invalid_request"},
		"no number":                   {ada, []string{"max_age", "x"}, "invalid_request"},
		"none and login":              {ada, []string{"prompt", "none login"}, "invalid_request"},
		"none and select_account":     {ada, []string{"prompt", "select_account none"}, "invalid_request"},
		"none and consent":            {ada, []string{"prompt", "none consent"}, "invalid_request"},
		"an unknown value":            {ada, []string{"prompt", "none?"}, "invalid_request"},
		"a bad hint":                  {ada, []string{"id_token_hint", "x"}, "invalid_request"},
		"no scope":                    {ada, []string{"scope", ""}, "invalid_scope"},
	} {
		answer := client.Authorize(row.person, append([]string{"prompt", "none"}, row.more...)...)
		if answer.Get("error") != row.want || answer.Has("code") || answer.Get("state") != "a state" || answer.Get("iss") != site.URL {
			t.Errorf("%s: %v", name, answer)
		}
	}
	if n := site.Count("SELECT COUNT(*) FROM grants") - before; n != 0 {
		t.Errorf("%d grants", n)
	}
	for name, more := range map[string][]string{"nothing more": nil, "the same user": {"id_token_hint", hint}, "recently": {"max_age", "61"}, "none twice": {"prompt", "none none"}} {
		if answer := client.Authorize(ada, append([]string{"prompt", "none"}, more...)...); answer.Get("code") == "" {
			t.Errorf("%s: %v", name, answer)
		}
	}
}

// A client that asks for a new proof gets one: no address leads around it.
func TestOpenID_FreshProofIsNotSkipped(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, url string) {
		site, client, ada := startWithClient(t, url, openid.ClientInput{})
		for _, more := range [][]string{{"prompt", "login"}, {"max_age", "0"}, {"max_age", "600"}, {"prompt", "login", "max_age", "86400"}, {"prompt", "login select_account"}} {
			site.Clock.Advance(11 * time.Minute)
			before := site.Count("SELECT COUNT(*) FROM grants")
			v := followHere(ada, client.Visit(ada, more...))
			harness.WantPage(t, v, http.StatusOK, "Confirm it’s you")
			confirm, err := neturl.Parse(v.Path)
			harness.Must(t, err)
			next := confirm.Query().Get("next")
			for _, path := range []string{next, "/confirm?next=" + neturl.QueryEscape(next), "/?next=" + neturl.QueryEscape(next), "/confirm/continue?next=" + neturl.QueryEscape(next), "/second-factor?next=" + neturl.QueryEscape(next)} {
				v := followHere(ada, ada.DoOnce(ada.NewRequest(http.MethodGet, site.URL+path, nil)))
				if answer := answerAt(t, client, v); answer != nil {
					t.Errorf("%q: %s leads to the client: %v", more, path, answer)
				}
			}
			wrong := ada.Submit(v, "Email me a code")
			harness.WantPage(t, ada.Submit(wrong, "Confirm", "Code from the email", wrongCode(ada.NextCode())), http.StatusUnprocessableEntity, "Confirm it’s you")
			if n := site.Count("SELECT COUNT(*) FROM grants"); n != before {
				t.Fatalf("%q: there is a grant", more)
			}
			page := ada.Submit(followHere(ada, client.Visit(ada, more...)), "Email me a code")
			form, _ := page.Form("Confirm")
			harness.Must(t, form.Fill("Code from the email", ada.NextCode()))
			v = followHere(ada, ada.DoOnce(ada.FormRequest("/confirm", form.Values.Encode())))
			answer := answerAt(t, client, v)
			if answer.Get("code") == "" {
				t.Fatalf("%q: %d %s, %q", more, v.Status, v.Text(), v.Header.Get("Location"))
			}
			claims := claimsOf(t, site, tokensOf(t, client.Redeem(answer.Get("code"))).IDToken)
			if at, _ := claims["auth_time"].(float64); int64(at) != site.Clock.Now().Unix() {
				t.Errorf("%q: auth_time %v, want %d", more, claims["auth_time"], site.Clock.Now().Unix())
			}
		}
		// A request that was young enough when it was made isn't any more when it is resumed.
		site.Clock.Advance(30 * time.Second)
		visitor := ada.InNewBrowser()
		location, err := neturl.Parse(client.Visit(visitor, "max_age", "60").Header.Get("Location"))
		harness.Must(t, err)
		site.Clock.Advance(2 * time.Minute)
		v := followHere(ada, ada.DoOnce(ada.NewRequest(http.MethodGet, site.URL+location.Query().Get("next"), nil)))
		if answer := answerAt(t, client, v); answer != nil {
			t.Errorf("an old proof is taken for a young one: %v", answer)
		}
	})
}

// Where a request goes on is sealed, and nothing else is taken for it.
func TestOpenID_ContinueWithGarbage(t *testing.T) {
	t.Parallel()
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{})
	location, err := neturl.Parse(client.Visit(ada.InNewBrowser()).Header.Get("Location"))
	harness.Must(t, err)
	resume := location.Query().Get("next")
	sealed := strings.TrimPrefix(resume, "/oauth/continue?r=")
	location, err = neturl.Parse(harness.NewVisitor(site).DoOnce(harness.NewVisitor(site).FormRequest("/signout", "app="+client.App.ID)).Header.Get("Location"))
	harness.Must(t, err)
	ticket := strings.TrimPrefix(location.Query().Get("next"), "/enter?t=")
	for name, path := range map[string]string{
		"nothing": "/oauth/continue", "an empty request": "/oauth/continue?r=", "garbage": "/oauth/continue?r=x", "an address": "/oauth/continue?r=https://evil.example.com",
		"another kind of ticket": "/oauth/continue?r=" + ticket, "part of one": "/oauth/continue?r=" + sealed[:len(sealed)-4],
		"a longer one": "/oauth/continue?r=" + sealed + "AAAA", "another letter": "/oauth/continue?r=" + "A" + sealed[1:], "a request as a ticket": "/enter?t=" + sealed,
	} {
		for _, visitor := range []*harness.Person{ada, ada.InNewBrowser()} {
			v := followHere(visitor, visitor.DoOnce(visitor.NewRequest(http.MethodGet, site.URL+path, nil)))
			if v.Status != http.StatusBadRequest || v.Heading() != "This address isn’t valid" || v.Header.Get("Location") != "" || v.Header.Get("Refresh") != "" {
				t.Errorf("%s: %d %q %v", name, v.Status, v.Heading(), v.Header)
			}
		}
	}
	for _, next := range []string{"/oauth/continue?r=x", "/oauth/continue/../../evil", "/oauth/authorize?client_id=x", "/oauth/token", "//evil.example.com/oauth/continue?r=" + sealed, "https://evil.example.com/oauth/continue?r=" + sealed, `/\evil.example.com`} {
		for _, path := range []string{"/?next=", "/signout?next=", "/confirm?again&next="} {
			v := followHere(ada, ada.DoOnce(ada.NewRequest(http.MethodGet, site.URL+path+neturl.QueryEscape(next), nil)))
			if strings.Contains(v.Header.Get("Location"), "evil") || strings.Contains(v.Header.Get("Refresh"), "evil") || strings.Contains(v.Body, "evil.example.com") {
				t.Errorf("%s%s leads elsewhere: %d %v", path, next, v.Status, v.Header)
			}
		}
	}
	if n := site.Count("SELECT COUNT(*) FROM grants"); n != 0 {
		t.Errorf("%d grants", n)
	}
	site.Clock.Advance(24*time.Hour + time.Second)
	v := ada.Get(resume)
	harness.WantPage(t, v, http.StatusGone, "This address has expired")
}

// login_hint is an address to fill in, whatever it is.
func TestOpenID_LoginHint(t *testing.T) {
	t.Parallel()
	_, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{})
	for _, hint := range []string{`"><script>alert(1)</script>`, "javascript:alert(1)", "ada@example.com", strings.Repeat("<", 320), "'\"&<>"} {
		visitor := ada.InNewBrowser()
		page := followHere(visitor, client.Visit(visitor, "login_hint", hint))
		form, found := page.Form("Email me a link")
		if !found || form.Value("Email address") != hint || strings.Contains(page.Body, "<script>alert") {
			t.Errorf("%q: %d %q", hint, page.Status, form.Value("Email address"))
		}
	}
	visitor := ada.InNewBrowser()
	if form, _ := followHere(visitor, client.Visit(visitor, "login_hint", strings.Repeat("a", 5000))).Form("Email me a link"); form.Value("Email address") != "" {
		t.Error("a hint of 5,000 bytes is filled in")
	}
	if client.Authorize(ada, "login_hint", "bob@example.com").Get("code") == "" { // a hint is no rule
		t.Error("no code")
	}
}

// An ID token from here names the user who must be signed in. What only looks like one is refused.
func TestOpenID_ForgedIDTokenHint(t *testing.T) {
	t.Parallel()
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{})
	token := tokensOf(t, client.Redeem(client.Authorize(ada).Get("code"))).IDToken
	forged := forgeIDTokens(t, site, token)
	u, err := site.App.Store.GetUser(t.Context(), site.UserID(t, ada.Email))
	harness.Must(t, err)
	forged["a JWT for the headers of an app"], err = site.App.Signer.Mint(t.Context(), identity.Of(u, client.App.ID, nil, "a session"))
	harness.Must(t, err)
	for name, hint := range forged {
		for _, more := range [][]string{nil, {"prompt", "none"}} {
			if answer := client.Authorize(ada, append([]string{"id_token_hint", hint}, more...)...); answer.Get("error") != "invalid_request" || answer.Has("code") {
				t.Errorf("%s: %v", name, answer)
			}
		}
		wantOAuthError(t, client.UserInfo(site, hint), http.StatusUnauthorized, "invalid_token")
	}
	site.Clock.Advance(24 * time.Hour)
	if client.Authorize(ada, "id_token_hint", token).Get("code") == "" {
		t.Error("an expired ID token is refused")
	}
}

// A sign-in that lacks its second factor gives no code.
func TestOpenID_IncompleteSessionGetsNoCode(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		f := newSecondFactors(t, databaseURL)
		required := f.requiring(factor.Everyone)
		client := required.AddClient(required.AddApp("Board 2", "https://board2.example.com"), openid.ClientInput{RedirectURIs: "https://board2.example.com/callback"})
		ada := f.ada.InNewBrowser().At(required)
		page := ada.SignIn()
		harness.WantPage(t, page, http.StatusOK, "One more step")
		if answer := client.Authorize(ada, "prompt", "none"); answer.Get("error") != "login_required" || answer.Has("code") {
			t.Errorf("%v", answer)
		}
		v := followHere(ada, client.Visit(ada))
		harness.WantPage(t, v, http.StatusOK, "One more step")
		if n := required.Count("SELECT COUNT(*) FROM grants"); n != 0 {
			t.Errorf("%d grants", n)
		}
		f.Clock.Advance(time.Minute) // the app shows another code
		form, _ := v.Form("Confirm")
		harness.Must(t, form.Fill(appCode, f.phone.Code()))
		v = followHere(ada, ada.DoOnce(ada.FormRequest("/second-factor", form.Values.Encode())))
		code := answerAt(t, client, v).Get("code")
		if code == "" {
			t.Fatalf("%d %s %v", v.Status, v.Text(), v.Header)
		}
		claims := claimsOf(t, required, tokensOf(t, client.Redeem(code)).IDToken)
		if claims["acr"] != "aal2" {
			t.Errorf("acr %v", claims["acr"])
		}
	})
}
