package relyingparties

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/test/harness"
)

// allScopes are the scopes that the tools ask for. Without offline_access there is no refresh token.
const allScopes = "openid profile email groups offline_access"

// party is a tool that people sign in to with OpenID Connect.
type party struct {
	name string

	public      bool   // has no secret
	callback    string // path of its redirect URI
	signedOut   string // path that a browser returns to after signing out; empty if the tool only forgets its own session
	backchannel string // path of its back-channel logout URI; empty if it has none

	// start runs the tool until the end of the test.
	start func(t *testing.T, r registration)

	// open opens a page of the tool, which leads to Guestlist unless the tool has a session.
	open func(p *person) harness.View

	// read returns the account that a page shows, and false if it shows none.
	read func(p *person, v harness.View) (account, bool)

	// refresh has the tool use its refresh token, and returns the account after it. It returns false if
	// the tool shows none then, because Guestlist has refused.
	refresh func(p *person, a account) (account, bool)

	// signOut presses the tool's sign-out and follows it. It is nil without signedOut.
	signOut func(p *person, a account) harness.View

	// refreshPath is the path at which the tool uses its refresh token and then shows the page. It is empty if
	// there is none, or only one that names the token to replace.
	refreshPath string

	// keepsKeys says that the tool fetches new signing keys only once those that it has are a minute old.
	keepsKeys bool

	// endsOnRefusal says that the tool ends its own session when Guestlist refuses a refresh.
	endsOnRefusal bool
}

// parties lists all of them.
var parties = []party{goOIDC, openidClient, oauth2Proxy, modAuthOpenIDC, modAuthOpenIDCRefreshing, pocketBase}

// registration is what a tool knows about Guestlist, and where it listens.
type registration struct {
	issuer   string
	clientID string
	secret   string
	address  string // host:port
}

// url returns the URL of a path at the tool.
func (r registration) url(path string) string { return "http://" + r.address + path }

// claims are what an ID token and the user info endpoint say about a user.
type claims struct {
	Subject  string   `json:"sub"`
	Email    string   `json:"email"`
	Name     string   `json:"name"`
	Username string   `json:"preferred_username"`
	Groups   []string `json:"groups"`
	Session  string   `json:"sid,omitempty"`
}

// account is a user as a tool knows them, with the tokens that it holds if it shows them.
type account struct {
	Claims       claims `json:"claims"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
}

// openPage opens /page of a tool.
func openPage(p *person) harness.View { return p.navigate(p.w.registration.url("/page")) }

// readPage reads the account from a page that has it as JSON.
func readPage(p *person, v harness.View) (account, bool) {
	var a account
	ok := v.Status == http.StatusOK && json.Unmarshal([]byte(v.Body), &a) == nil && a.Claims.Email != ""
	return a, ok
}

// refreshPage has a tool refresh its tokens at its refreshPath.
func refreshPage(p *person, _ account) (account, bool) {
	return readPage(p, p.navigateInTool(p.w.party.refreshPath))
}

// signOutPage signs out at /sign-out of a tool.
func signOutPage(p *person, _ account) harness.View {
	return p.navigate(p.w.registration.url("/sign-out"))
}

// userInfo asks for the user info as the tool would, and returns the status and the claims.
func (r registration) userInfo(t testing.TB, accessToken string) (int, claims) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", r.issuer+"/oauth/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+accessToken)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var info claims
	if answer.StatusCode == http.StatusOK {
		if err := json.NewDecoder(answer.Body).Decode(&info); err != nil {
			t.Fatal(err)
		}
	}
	return answer.StatusCode, info
}

// wantRefreshRefused checks that the token endpoint refuses a refresh token of the tool's.
func (r registration) wantRefreshRefused(t *testing.T, refreshToken string) {
	t.Helper()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}}
	request, err := http.NewRequestWithContext(t.Context(), "POST", r.issuer+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(r.clientID, r.secret)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var body struct{ Error string }
	if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || answer.StatusCode != http.StatusBadRequest || body.Error != "invalid_grant" {
		t.Errorf("refresh: got %d %q, want 400 invalid_grant: %v", answer.StatusCode, body.Error, err)
	}
}

// sameGroups reports whether two lists have the same groups.
func sameGroups(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
