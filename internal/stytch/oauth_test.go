package stytch_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/stytch"
	"github.com/guestlist/guestlist/internal/stytchlocal"
)

const verifier = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// atProvider begins a sign-in at the local Stytch and finishes it on the page that plays the
// provider. It returns the token.
func (l *local) atProvider(t *testing.T, provider, address string, verified bool) string {
	t.Helper()
	start, err := url.Parse(l.OAuthURL(provider, challengeOf(verifier)))
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"email": {address}, "action": {"continue"}}
	if verified {
		form.Set("verified", "yes")
	}
	r, _ := http.NewRequestWithContext(t.Context(), "POST", "http://local/dev/oauth/"+provider+"?"+start.RawQuery, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "Bearer "+l.server.DevKey())
	res, err := stytchlocal.InProcess(l.server.DevPages()).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	back, err := url.Parse(res.Header.Get("Location"))
	if err != nil || back.Query().Get("token") == "" {
		body, _ := io.ReadAll(res.Body)
		t.Fatalf("%s: %d to %s: %s", provider, res.StatusCode, back, body)
	}
	return back.Query().Get("token")
}

func TestAuthenticateOAuth(t *testing.T) {
	l := newLocal(t, func(o *stytch.Options, s *stytchlocal.Server) {
		o.Transport, o.PublicToken = s.Transport(), s.Credentials().PublicToken
	})
	for provider, kind := range map[string]factor.Kind{"google": factor.Google, "github": factor.GitHub, "microsoft": factor.Microsoft} {
		token := l.atProvider(t, provider, "ada@example.com", true)
		got, err := l.AuthenticateOAuth(t.Context(), token, verifier, browser)
		if err != nil || got.Email != "ada@example.com" || got.Provider != kind || got.SessionToken == "" {
			t.Errorf("%s: %+v, %v", provider, got, err)
		}
	}
	got, err := l.AuthenticateOAuth(t.Context(), l.atProvider(t, "google", "eve@example.com", false), verifier, browser)
	if err != nil || got.Email != "" || got.SessionToken == "" {
		t.Errorf("an address that isn't verified: %+v, %v", got, err)
	}
}

func TestAuthenticateOAuth_Refusals(t *testing.T) {
	l := newLocal(t, func(o *stytch.Options, s *stytchlocal.Server) {
		o.Transport, o.PublicToken = s.Transport(), s.Credentials().PublicToken
	})
	if _, err := l.Invite(t.Context(), "ada@example.com", "", ""); err != nil {
		t.Fatal(err)
	}
	link, token := l.newest(t, "ada@example.com"), l.atProvider(t, "google", "ada@example.com", true)
	authenticate := func(token, verifier string) error {
		_, err := l.AuthenticateOAuth(t.Context(), token, verifier, browser)
		return err
	}
	redeem := func(token, verifier string) error {
		_, err := l.AuthenticateMagicLink(t.Context(), token, verifier, browser)
		return err
	}
	for _, row := range []struct {
		name            string
		call            func(token, verifier string) error
		token, verifier string
		want            error
	}{
		{"the verifier of another browser", authenticate, token, verifier + "x", session.ErrOAuthBrowser},
		{"no verifier", authenticate, token, "", session.ErrOAuthBrowser},
		{"a link", authenticate, link, verifier, session.ErrOAuth},
		{"no token", authenticate, "", verifier, session.ErrOAuth},
		{"a token that isn't one", authenticate, "short", verifier, session.ErrOAuth},
		{"as a link", redeem, token, "", session.ErrLinkUnknown},
		{"none of this uses it up", authenticate, token, verifier, nil},
		{"a second time", authenticate, token, verifier, session.ErrOAuth},
		{"nor the link", redeem, link, "", nil},
	} {
		err := row.call(row.token, row.verifier)
		if !errors.Is(err, row.want) {
			t.Errorf("%s: got %v, want %v", row.name, err, row.want)
		}
		if errors.Is(row.want, session.ErrOAuth) && errors.Is(err, session.ErrLinkUnknown) {
			t.Errorf("%s: %v is about a link", row.name, err)
		}
	}
}

func TestOAuthURL(t *testing.T) {
	t.Parallel()
	const query = "?code_challenge=c&login_redirect_url=https%3A%2F%2Fguestlist.example%2Fapi%2Fauthenticate_magic_link" +
		"&public_token=public-token-test-1&signup_redirect_url=https%3A%2F%2Fguestlist.example%2Fapi%2Fauthenticate_magic_link"
	for name, row := range map[string]struct{ projectID, baseURL, publicURL, want string }{
		"test":           {"project-test-1", "", "", "https://test.stytch.com/v1/public/oauth/google/start" + query},
		"live":           {"project-live-1", "", "", "https://api.stytch.com/v1/public/oauth/google/start" + query},
		"another domain": {"project-live-1", "https://login.example.com", "", "https://login.example.com/v1/public/oauth/google/start" + query},
		"local":          {"project-test-1", "", "http://localhost:8080", "http://localhost:8080/v1/public/oauth/google/start" + query},
	} {
		o := options(newClock())
		o.ProjectID, o.BaseURL, o.PublicBaseURL, o.PublicToken = row.projectID, row.baseURL, row.publicURL, "public-token-test-1"
		if got := newClient(t, o).OAuthURL("google", "c"); got != row.want {
			t.Errorf("%s: got %s, want %s", name, got, row.want)
		}
	}
}

func TestCheckOAuth(t *testing.T) {
	t.Parallel()
	check := func(token, provider string) error {
		l := newLocal(t, func(o *stytch.Options, s *stytchlocal.Server) {
			o.Transport, o.PublicToken = s.Transport(), s.Credentials().PublicToken
			if token != "" {
				o.PublicToken = token
			}
		})
		return l.CheckOAuth(t.Context(), provider)
	}
	if err := check("", "google"); err != nil {
		t.Errorf("a provider that is set up: %v", err)
	}
	if err := check("", "yahoo"); err == nil || !strings.Contains(err.Error(), "oauth_config_not_found") {
		t.Errorf("one that isn't: %v", err)
	}
	if err := check("public-token-test-other", "google"); err == nil || !strings.Contains(err.Error(), "public_token_not_found") {
		t.Errorf("the public token of another project: %v", err)
	}
}
