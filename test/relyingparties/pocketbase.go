package relyingparties

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/oauth2"

	"github.com/guestlist/guestlist/test/harness"
)

// pocketBase is PocketBase with its generic OpenID Connect provider. An application's page signs people
// in with PocketBase's API, which checks the code and issues a token of its own; the page gets
// Guestlist's tokens too, and refreshes them if it wants to.
var pocketBase = party{
	name: "PocketBase", callback: "/callback",
	start: startPocketBase, open: openPocketBase, read: readPocketBase, refresh: refreshPocketBase,
}

func startPocketBase(t *testing.T, r registration) {
	path := harness.FindPeer(t, "PocketBase", harness.RepoPath(".cache/peers/pocketbase"))
	dir := t.TempDir()
	public := filepath.Join(dir, "public")
	if err := os.Mkdir(public, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(public, "index.html"), []byte("<!doctype html><h1>The tool</h1>"), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := []string{"--dir=" + filepath.Join(dir, "data"), "--publicDir=" + public}
	const owner, password = "owner@pocketbase.example", "a password of the tests"
	if out, err := exec.CommandContext(t.Context(), path, append(flags, "superuser", "upsert", owner, password)...).CombinedOutput(); err != nil {
		t.Fatalf("pocketbase superuser: %v\n%s", err, out)
	}
	harness.Program{Path: path, Args: append(flags, "serve", "--http="+r.address), Dir: dir}.Start(t, func() bool { return listens(r.address) })

	in := callPocketBase(t, r, "POST", "/api/collections/_superusers/auth-with-password", "", map[string]any{"identity": owner, "password": password})
	callPocketBase(t, r, "PATCH", "/api/collections/users", in["token"].(string), map[string]any{
		"oauth2": map[string]any{"enabled": true, "providers": []any{map[string]any{
			"name": "oidc", "displayName": "Guestlist", "clientId": r.clientID, "clientSecret": r.secret, "pkce": true,
			"authURL": r.issuer + "/oauth/authorize", "tokenURL": r.issuer + "/oauth/token", "userInfoURL": r.issuer + "/oauth/userinfo",
		}}},
	})
}

// callPocketBase calls PocketBase's API and returns the response.
func callPocketBase(t testing.TB, r registration, method, path, token string, body any) map[string]any {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, r.url(path), bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var got map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&got); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v %v", path, answer.StatusCode, got, err)
	}
	return got
}

// openPocketBase does what the page's sign-in button does. PocketBase returns the state and the code
// verifier to the page.
func openPocketBase(p *person) harness.View {
	p.T.Helper()
	methods := callPocketBase(p.T, p.w.registration, "GET", "/api/collections/users/auth-methods", "", nil)
	provider := methods["oauth2"].(map[string]any)["providers"].([]any)[0].(map[string]any)
	p.verifier, p.state = provider["codeVerifier"].(string), provider["state"].(string)
	u, err := url.Parse(provider["authURL"].(string))
	if err != nil {
		p.T.Fatal(err)
	}
	query := u.Query()
	query.Set("redirect_uri", p.w.registration.url("/callback"))
	query.Set("scope", allScopes) // PocketBase's own have neither groups nor offline_access
	u.RawQuery = query.Encode()
	return p.navigate(u.String())
}

// readPocketBase does what the page does when the browser has come back with a code.
func readPocketBase(p *person, v harness.View) (account, bool) {
	p.T.Helper()
	u, err := url.Parse(v.Path)
	if err != nil || v.Heading() != "The tool" || u.Query().Get("code") == "" || u.Query().Get("state") != p.state {
		return account{}, false
	}
	got := callPocketBase(p.T, p.w.registration, "POST", "/api/collections/users/auth-with-oauth2", "", map[string]any{
		"provider": "oidc", "code": u.Query().Get("code"), "codeVerifier": p.verifier, "redirectURL": p.w.registration.url("/callback"),
	})
	record, meta := got["record"].(map[string]any), got["meta"].(map[string]any)
	var a account
	raw, err := json.Marshal(meta["rawUser"])
	if err == nil {
		err = json.Unmarshal(raw, &a.Claims)
	}
	if err != nil || record["email"] != a.Claims.Email || got["token"] == "" {
		p.T.Fatalf("PocketBase signed in %v for %s: %v", record["email"], raw, err)
	}
	a.AccessToken, _ = meta["accessToken"].(string)
	a.RefreshToken, _ = meta["refreshToken"].(string)
	return a, true
}

// refreshPocketBase uses the refresh token as an application would that has got it from PocketBase, which
// never uses it, and asks for the user info.
func refreshPocketBase(p *person, a account) (account, bool) {
	p.T.Helper()
	r := p.w.registration
	ctx := p.T.Context()
	config := oauth2.Config{ClientID: r.clientID, ClientSecret: r.secret, Endpoint: oauth2.Endpoint{TokenURL: r.issuer + "/oauth/token"}}
	token, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: a.RefreshToken}).Token()
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.ErrorCode == "invalid_grant" {
		return account{}, false
	}
	if err != nil {
		p.T.Fatal(err)
	}
	status, info := r.userInfo(p.T, token.AccessToken)
	if status != http.StatusOK {
		return account{}, false
	}
	return account{Claims: info, AccessToken: token.AccessToken, RefreshToken: token.RefreshToken}, true
}
