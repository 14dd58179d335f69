package resilience

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// readTokens reads a token response.
func readTokens(t *testing.T, v harness.View) openid.TokenResponse {
	t.Helper()
	var tokens openid.TokenResponse
	if err := json.Unmarshal([]byte(v.Body), &tokens); err != nil || v.Status != http.StatusOK {
		t.Fatalf("%d %s", v.Status, v.Body)
	}
	return tokens
}

// Without the database, clients get an error that asks them to try again, and nothing is issued. Afterwards, everything that
// was issued before works.
func TestOpenIDOutage_Database(t *testing.T) {
	t.Parallel()
	wire := harness.NewMySQLProxy(t, testdb.MySQL(t), nil)
	s := harness.Start(t, wire.DSN, harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	c := s.AddClient(s.AddApp("Wiki", "https://wiki.example.com"), openid.ClientInput{RedirectURIs: "https://wiki.example.com/callback"})
	tokens := readTokens(t, c.Redeem(c.Authorize(ada).Get("code")))
	code := c.Authorize(ada).Get("code")
	wire.RefuseConnections()
	wire.CutAll()
	for name, v := range map[string]harness.View{
		"redeem": c.Redeem(code), "refresh": c.Renew(tokens.RefreshToken), "userinfo": c.UserInfo(s, tokens.AccessToken), "a bad token": c.UserInfo(s, "x"),
		"introspection": c.Ask(s, openid.IntrospectPath, url.Values{"token": {tokens.AccessToken}}), "revocation": c.Ask(s, openid.RevokePath, url.Values{"token": {tokens.AccessToken}}),
	} {
		if v.Status != http.StatusServiceUnavailable || !strings.Contains(v.Body, `"temporarily_unavailable"`) || v.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", name, v.Status, v.Body)
		}
	}
	for _, visitor := range []*harness.Person{ada, ada.InNewBrowser()} {
		for _, more := range [][]string{nil, {"prompt", "none"}} {
			if v := c.Visit(visitor, more...); v.Status != http.StatusServiceUnavailable || v.Header.Get("Location") != "" {
				t.Errorf("authorize: %d %q", v.Status, v.Header.Get("Location"))
			}
		}
	}
	for _, path := range []string{openid.JWKSPath, "/.well-known/openid-configuration"} { // from memory
		if v := harness.NewVisitor(s).Get(path); v.Status != http.StatusOK {
			t.Errorf("%s: %d", path, v.Status)
		}
	}
	wire.AcceptConnections()
	harness.Eventually(t, "the database", func() bool { return c.UserInfo(s, tokens.AccessToken).Status == http.StatusOK })
	readTokens(t, c.Redeem(code))
	readTokens(t, c.Renew(tokens.RefreshToken))
	if n := s.Count("SELECT COUNT(*) FROM grants"); n != 2 {
		t.Errorf("%d grants, want 2", n)
	}
}

// Without Stytch, sessions that were verified within the hour go on, and with them their tokens.
func TestOpenIDOutage_Stytch(t *testing.T) {
	t.Parallel()
	clock := harness.NewClock(harness.Noon)
	stytch := harness.NewRemoteStytch(t, clock)
	s := harness.Start(t, testdb.SQLite(t), clock, stytch.Flags()...)
	ada := stytch.NewPerson(s, "ada@example.com")
	ada.PressContinue(ada.OpenNextLink())
	c := s.AddClient(s.AddApp("Wiki", "https://wiki.example.com"), openid.ClientInput{RedirectURIs: "https://wiki.example.com/callback"})
	tokens := readTokens(t, c.Redeem(c.Authorize(ada).Get("code")))
	stytch.Down()
	clock.Advance(50 * time.Minute)
	tokens = readTokens(t, c.Renew(tokens.RefreshToken))
	readTokens(t, c.Redeem(c.Authorize(ada).Get("code")))
	if v := c.UserInfo(s, tokens.AccessToken); v.Status != http.StatusOK {
		t.Errorf("%d %s", v.Status, v.Body)
	}
	clock.Advance(11 * time.Minute)
	for name, v := range map[string]harness.View{
		"userinfo": c.UserInfo(s, tokens.AccessToken), "refresh": c.Renew(tokens.RefreshToken), "introspection": c.Ask(s, openid.IntrospectPath, url.Values{"token": {tokens.AccessToken}}),
	} {
		if v.Status != http.StatusServiceUnavailable || !strings.Contains(v.Body, `"temporarily_unavailable"`) {
			t.Errorf("%s: %d %s", name, v.Status, v.Body)
		}
	}
	if v := c.Visit(ada); v.Status != http.StatusServiceUnavailable || v.Header.Get("Location") != "" {
		t.Errorf("authorize: %d %q", v.Status, v.Header.Get("Location"))
	}
	stytch.Up()
	clock.Advance(time.Minute) // until then, it isn't asked again
	harness.Eventually(t, "Stytch", func() bool { return c.UserInfo(s, tokens.AccessToken).Status == http.StatusOK })
	readTokens(t, c.Redeem(c.Authorize(ada).Get("code")))
}
