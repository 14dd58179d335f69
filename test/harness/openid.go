package harness

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
)

// Client is an OpenID Connect client of an app.
type Client struct {
	Site        *Site
	App         apps.App
	Secret      string // empty for a public client
	RedirectURI string // the first one
}

// Verifier is the PKCE code verifier of AuthorizeURL.
const Verifier = "a-code-verifier-of-43-characters-or-more-0123"

// AddClient makes an app an OpenID Connect client, with a secret unless it is public.
func (s *Site) AddClient(a apps.App, in openid.ClientInput) Client {
	s.T.Helper()
	saved, err := s.App.Clients.Save(s.T.Context(), event.Origin{}, a, in)
	if err != nil {
		s.T.Fatal(err)
	}
	c := Client{Site: s, App: a, RedirectURI: saved.RedirectURIs[0]}
	if !saved.Public {
		if _, c.Secret, err = s.App.Clients.CreateSecret(s.T.Context(), event.Origin{}, a, 0); err != nil {
			s.T.Fatal(err)
		}
		s.Log.AddSecret(c.Secret)
	}
	return c
}

// AuthorizePath returns the path of an authorization request with all scopes, PKCE, and more
// parameters, given as names and values; an empty value removes one.
func (c Client) AuthorizePath(more ...string) string {
	sum := sha256.Sum256([]byte(Verifier))
	q := url.Values{
		"client_id": {c.App.ID}, "redirect_uri": {c.RedirectURI}, "response_type": {"code"}, "state": {"a state"}, "nonce": {"a nonce"},
		"scope": {"openid profile email groups offline_access"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(more); i += 2 {
		if q.Set(more[i], more[i+1]); more[i+1] == "" {
			q.Del(more[i])
		}
	}
	return openid.AuthorizePath + "?" + q.Encode()
}

// Authorize sends a person's browser with an authorization request and returns the parameters with
// which it is sent back to the client. The person must be signed in.
func (c Client) Authorize(p *Person, more ...string) url.Values {
	c.Site.T.Helper()
	v := c.Visit(p, more...)
	location, found := strings.CutPrefix(v.Header.Get("Location"), c.RedirectURI)
	if !found || location == "" {
		c.Site.T.Fatalf("status %d, Location %q: %s", v.Status, v.Header.Get("Location"), v.Body)
	}
	answer, err := url.ParseQuery(location[1:]) // after ? or &
	if err != nil {
		c.Site.T.Fatal(err)
	}
	c.Site.Log.AddSecret(answer.Get("code"))
	return answer
}

// Visit sends a person's browser with an authorization request and returns the answer, without
// following redirects.
func (c Client) Visit(p *Person, more ...string) View {
	p.T.Helper()
	return p.DoOnce(p.NewRequest(http.MethodGet, p.Site.URL+c.AuthorizePath(more...), nil))
}

// Ask posts a form to an endpoint as the client, which authenticates itself by the Authorization
// header.
func (c Client) Ask(site *Site, path string, form url.Values) View {
	site.T.Helper()
	program := NewVisitor(site)
	r := program.NewRequest(http.MethodPost, site.URL+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.Secret != "" {
		r.SetBasicAuth(c.App.ID, c.Secret)
	} else {
		form.Set("client_id", c.App.ID)
		r = program.NewRequest(http.MethodPost, site.URL+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return program.DoOnce(r)
}

// At returns the same client, which asks another instance.
func (c Client) At(other *Site) Client {
	c.Site = other
	return c
}

// Redeem exchanges a code for tokens. The pairs in more replace parameters; an empty value removes
// one.
func (c Client) Redeem(code string, more ...string) View {
	c.Site.T.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.RedirectURI}, "code_verifier": {Verifier}}
	for i := 0; i < len(more); i += 2 {
		if form.Set(more[i], more[i+1]); more[i+1] == "" {
			form.Del(more[i])
		}
	}
	return c.Ask(c.Site, openid.TokenPath, form)
}

// Renew exchanges a refresh token for tokens.
func (c Client) Renew(refreshToken string) View {
	c.Site.T.Helper()
	return c.Ask(c.Site, openid.TokenPath, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}})
}

// UserInfo asks for the claims about the user of an access token.
func (c Client) UserInfo(site *Site, accessToken string) View {
	site.T.Helper()
	program := NewVisitor(site)
	r := program.NewRequest(http.MethodGet, site.URL+openid.UserInfoPath, nil)
	r.Header.Set("Authorization", "Bearer "+accessToken)
	return program.DoOnce(r)
}

// StartDevice begins the sign-in of a device with all scopes.
func (c Client) StartDevice() openid.DeviceAuthorization {
	c.Site.T.Helper()
	v := c.Ask(c.Site, openid.DevicePath, url.Values{"scope": {"openid profile email groups offline_access"}})
	var answer openid.DeviceAuthorization
	if err := json.Unmarshal([]byte(v.Body), &answer); err != nil || v.Status != http.StatusOK {
		c.Site.T.Fatalf("status %d: %s", v.Status, v.Body)
	}
	return answer
}

// PollDevice asks for the tokens of a device.
func (c Client) PollDevice(deviceCode string) View {
	c.Site.T.Helper()
	return c.Ask(c.Site, openid.TokenPath, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {deviceCode}})
}

// DecideDevice enters the code that a device shows, presses a button of the page about it, and returns the
// page that follows.
func (p *Person) DecideDevice(userCode, button string) View {
	p.Site.T.Helper()
	return p.Submit(p.Post(openid.VerificationPath, "user_code", userCode), button)
}
