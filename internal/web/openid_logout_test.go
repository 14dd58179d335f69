package web

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
)

const bye = "https://wiki.example.com/bye"

// addClient adds an app with an OpenID Connect client that needs no secret.
func (f *fixture) addClient(name string) apps.App {
	f.t.Helper()
	a := f.addApp(name, "https://"+strings.ToLower(name)+".example.com")
	if _, err := f.server.opts.Clients.Save(f.t.Context(), event.Origin{}, a, openid.ClientInput{
		Public: true, RedirectURIs: a.URL() + "/callback", PostLogoutURIs: a.URL() + "/bye",
	}); err != nil {
		f.t.Fatal(err)
	}
	return a
}

// idToken signs the caller in to an app and returns its ID token.
func (c *caller) idToken(a apps.App) string {
	c.f.t.Helper()
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // https://www.rfc-editor.org/rfc/rfc7636#appendix-B
	callback := a.URL() + "/callback"
	q := url.Values{"client_id": {a.ID}, "redirect_uri": {callback}, "response_type": {"code"}, "scope": {"openid"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	to, err := url.Parse(c.get(openid.AuthorizePath + "?" + q.Encode()).header.Get("Location"))
	if err != nil {
		c.f.t.Fatal(err)
	}
	answer := c.f.visitor().form(openid.TokenPath, "grant_type", "authorization_code", "code", to.Query().Get("code"), "redirect_uri", callback, "client_id", a.ID, "code_verifier", verifier)
	var tokens openid.TokenResponse
	if err := json.Unmarshal([]byte(answer.body), &tokens); err != nil || tokens.IDToken == "" {
		c.f.t.Fatalf("%d %s", answer.status, answer.body)
	}
	return tokens.IDToken
}

// isSignedIn reports whether the caller's cookies open a session.
func (c *caller) isSignedIn() bool { return c.get("/api/session").status == http.StatusOK }

func endSessionPath(values ...string) string {
	q := url.Values{}
	for i := 0; i < len(values); i += 2 {
		q.Set(values[i], values[i+1])
	}
	return openid.EndSessionPath + "?" + q.Encode()
}

func TestEndSession_WithTheSessionsTokenIsDoneAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	wiki := f.addClient("Wiki")
	for _, row := range []struct {
		name   string
		values []string
		want   string
	}{
		{"no address", nil, "/?signed-out"},
		{"an address", []string{"post_logout_redirect_uri", bye}, bye},
		{"a state", []string{"post_logout_redirect_uri", bye, "state", "a state", "client_id", wiki.ID}, bye + "?state=a+state"},
	} {
		ada := f.signedIn(directory.Member, "ada@example.com")
		held := ada.cookies["guestlist"]
		path := endSessionPath(append(row.values, "id_token_hint", ada.idToken(wiki))...)
		if a := ada.send("HEAD", path, ""); a.status != http.StatusTooEarly || !ada.isSignedIn() {
			t.Errorf("%s: HEAD signs out: %d", row.name, a.status)
		}
		if a := ada.send("GET", path, "", "Sec-Purpose", "prefetch"); a.status != http.StatusTooEarly || !ada.isSignedIn() {
			t.Errorf("%s: a prefetch signs out: %d", row.name, a.status)
		}
		a := ada.send("GET", path, "", "Sec-Fetch-Site", "cross-site")
		if a.status != http.StatusSeeOther || a.header.Get("Location") != row.want {
			t.Errorf("%s: %d, leads to %q", row.name, a.status, a.header.Get("Location"))
		}
		if ada.cookies["guestlist"] != nil {
			t.Errorf("%s: the browser keeps its cookie", row.name)
		}
		ada.cookies["guestlist"] = held
		if ada.isSignedIn() {
			t.Errorf("%s: the session lives on", row.name)
		}
	}
}

func TestEndSession_AsksFirst(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	wiki, ada := f.addClient("Wiki"), f.signedIn(directory.Member, "ada@example.com")
	bob := f.signedIn(directory.Member, "bob@example.com")
	for _, row := range []struct {
		name   string
		values []string
		text   string
		want   string // where the form leads
	}{
		{"nothing", nil, "", "/?signed-out"},
		{"a client", []string{"client_id", wiki.ID}, "Wiki asks to sign you out.", "/?signed-out"},
		{"a client and an address", []string{"client_id", wiki.ID, "post_logout_redirect_uri", bye, "state", "\x00\n\"'é&=+ %"}, "Wiki asks to sign you out.", bye + "?" + url.Values{"state": {"\x00\n\"'é&=+ %"}}.Encode()},
		{"another user's token", []string{"id_token_hint", bob.idToken(wiki), "post_logout_redirect_uri", bye}, "Wiki asks to sign you out.", bye},
		{"a token of an earlier session", []string{"id_token_hint", f.signedIn(directory.Member, "ada@example.com").idToken(wiki)}, "Wiki asks to sign you out.", "/?signed-out"},
	} {
		ada := f.signedIn(directory.Member, "ada@example.com")
		page := ada.get(endSessionPath(row.values...))
		if page.status != http.StatusOK || page.Heading() != "Sign out?" || !strings.Contains(page.Text(), row.text) || !ada.isSignedIn() {
			t.Errorf("%s: %d %s", row.name, page.status, page.Text())
			continue
		}
		_, logout, _ := strings.Cut(page.body, `name="logout" value="`)
		logout, _, _ = strings.Cut(logout, `"`)
		logout = html.UnescapeString(logout)
		for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			a := ada.send("POST", "/signout", url.Values{"logout": {logout}}.Encode(), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
			if a.status != http.StatusForbidden || !ada.isSignedIn() {
				t.Errorf("%s: a page of another site signs out: %d", row.name, a.status)
			}
		}
		a := ada.form("/signout", "logout", logout)
		got := a.header.Get("Location")
		if got == "" {
			_, got, _ = strings.Cut(a.header.Get("Refresh"), "url=")
			if a.Heading() != "You’ve signed out" || !strings.Contains(a.Text(), "Continue to Wiki") {
				t.Errorf("%s: %s", row.name, a.Text())
			}
		}
		if got != row.want || ada.cookies["guestlist"] != nil {
			t.Errorf("%s: %d, leads to %q, want %q", row.name, a.status, got, row.want)
		}
	}
	if !ada.isSignedIn() {
		t.Error("another session has ended")
	}
}

func TestEndSession_SignedOutAlready(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	wiki := f.addClient("Wiki")
	ada := f.signedIn(directory.Member, "ada@example.com")
	hint := ada.idToken(wiki)
	for _, row := range []struct {
		name   string
		values []string
		want   string
	}{
		{"nothing", nil, "/?signed-out"},
		{"a client and an address", []string{"client_id", wiki.ID, "post_logout_redirect_uri", bye}, bye},
		{"a token", []string{"id_token_hint", hint, "post_logout_redirect_uri", bye, "state", "x"}, bye + "?state=x"},
	} {
		if a := f.visitor().get(endSessionPath(row.values...)); a.status != http.StatusSeeOther || a.header.Get("Location") != row.want {
			t.Errorf("%s: %d, leads to %q", row.name, a.status, a.header.Get("Location"))
		}
	}
	if !ada.isSignedIn() {
		t.Error("a token without the session's cookie has ended the session")
	}
	damaged := f.visitor()
	damaged.cookies["guestlist"] = &http.Cookie{Name: "guestlist", Value: "made-up"}
	if a := damaged.get(openid.EndSessionPath); a.status != http.StatusConflict || a.Heading() != "You weren’t signed out" {
		t.Errorf("a cookie that can't be read: %d %s", a.status, a.Text())
	}
}

func TestEndSession_InvalidRequests(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	wiki := f.addClient("Wiki")
	f.addClient("Notes")
	ada := f.signedIn(directory.Member, "ada@example.com")
	hint := ada.idToken(wiki)
	for name, path := range map[string]string{
		"an address alone":         endSessionPath("post_logout_redirect_uri", bye),
		"an unregistered address":  endSessionPath("id_token_hint", hint, "post_logout_redirect_uri", "https://evil.example"),
		"another client's address": endSessionPath("id_token_hint", hint, "post_logout_redirect_uri", "https://notes.example.com/bye"),
		"an unknown client":        endSessionPath("client_id", "x"),
		"a forged token":           endSessionPath("id_token_hint", hint[:len(hint)-8]+"AAAAAAAA", "post_logout_redirect_uri", bye),
	} {
		for _, c := range []*caller{ada, f.visitor()} {
			a := c.get(path)
			if a.status != http.StatusBadRequest || a.Heading() != "You weren’t signed out" || a.header.Get("Location") != "" || a.header.Get("Refresh") != "" {
				t.Errorf("%s: %d %s, leads to %q", name, a.status, a.Text(), a.header.Get("Location"))
			}
			if strings.Contains(a.body, "evil.example") || strings.Contains(a.body, "notes.example") {
				t.Errorf("%s: the page links there: %s", name, a.body)
			}
		}
	}
	if !ada.isSignedIn() {
		t.Error("an invalid request has signed the user out")
	}
	// The form of the page can be changed, too.
	forged := url.Values{"client_id": {wiki.ID}, "post_logout_redirect_uri": {"https://evil.example"}}.Encode()
	if a := ada.form("/signout", "logout", forged); a.header.Get("Location") != "/?signed-out" || a.header.Get("Refresh") != "" {
		t.Errorf("a forged form: %d, leads to %q", a.status, a.header.Get("Location"))
	}
}

func TestEndSession_FormOfAnotherSiteBecomesAGet(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Member, "ada@example.com")
	hint := ada.idToken(f.addClient("Wiki"))
	form := url.Values{"id_token_hint": {hint}, "state": {"a b"}}.Encode()
	a := f.visitor().send("POST", openid.EndSessionPath, form, "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site", "Origin", "https://wiki.example.com")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != openid.EndSessionPath+"?"+form {
		t.Fatalf("%d, leads to %q", a.status, a.header.Get("Location"))
	}
	if ada.get(a.header.Get("Location")); ada.isSignedIn() {
		t.Error("the user is still signed in")
	}
}

func TestEndSession_DatabaseUnavailable(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Member, "ada@example.com")
	hint := ada.idToken(f.addClient("Wiki"))
	f.store.Close()
	for _, path := range []string{endSessionPath("id_token_hint", hint), openid.EndSessionPath} {
		if a := ada.get(path); a.status != http.StatusServiceUnavailable || ada.cookies["guestlist"] == nil {
			t.Errorf("%s: %d %s", path, a.status, a.Text())
		}
	}
	if a := ada.form("/signout", "logout", ""); a.status != http.StatusServiceUnavailable || ada.cookies["guestlist"] == nil {
		t.Errorf("%d %s", a.status, a.Text())
	}
}
