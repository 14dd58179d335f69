package stytch

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/stytchauth/stytch-go/v16/stytch/config"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/oauth"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"

	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

// AuthenticateOAuth redeems the token of a sign-in with another provider; see
// session.Provider.
func (c *Client) AuthenticateOAuth(ctx context.Context, token, verifier string, _ session.Browser) (session.Authentication, error) {
	var auth session.Authentication
	err := c.do(ctx, "authenticate OAuth", refusable, func() error {
		res, err := c.api.OAuth.Authenticate(ctx, &oauth.AuthenticateParams{
			Token: token, CodeVerifier: verifier, SessionDurationMinutes: minutes(c.opts.SessionDuration),
		})
		if err != nil {
			return err
		}
		if auth, err = toAuthentication(res.UserID, res.User, res.UserSession, res.SessionToken); err != nil {
			return err
		}
		var id string
		auth.Provider, id = providerAccount(res.UserSession.AuthenticationFactors)
		for _, e := range res.User.Emails {
			if id != "" && e.EmailID == id && e.Verified {
				auth.Email = e.Email
			}
		}
		return nil
	})
	return auth, oauthError(err)
}

// oauthError gives the refusal of a token its meaning. The errors of links, which Stytch
// shares in part, are about something else for users.
func oauthError(err error) error {
	switch {
	case errors.Is(err, session.ErrOtherBrowser), errors.Is(err, session.ErrNoChallenge):
		return fmt.Errorf("%w: %v", session.ErrOAuthBrowser, err)
	case errors.Is(err, session.ErrLinkUnknown), errors.Is(err, session.ErrLinkSpent), errors.Is(err, session.ErrNoAccount), errors.Is(err, outbox.ErrRefused):
		return fmt.Errorf("%w: %v", session.ErrOAuth, err)
	}
	return err
}

// providerAccount returns at which provider a session's account is, and the id of the address
// that the provider named, or "".
func providerAccount(factors []sessions.AuthenticationFactor) (kind factor.Kind, emailID string) {
	for _, f := range factors {
		switch {
		case f.GoogleOAuthFactor != nil:
			return factor.Google, f.GoogleOAuthFactor.EmailID
		case f.GithubOAuthFactor != nil:
			return factor.GitHub, f.GithubOAuthFactor.EmailID
		case f.MicrosoftOAuthFactor != nil:
			return factor.Microsoft, f.MicrosoftOAuthFactor.EmailID
		}
	}
	return factor.OAuth, ""
}

// OAuthURL returns the address at Stytch at which a sign-in with another provider begins.
// challenge is the PKCE code challenge of the browser's verifier.
func (c *Client) OAuthURL(provider, challenge string) string {
	base := cmp.Or(c.opts.PublicBaseURL, c.opts.BaseURL, string(config.BaseURITest))
	if base == string(config.BaseURITest) && strings.HasPrefix(c.opts.ProjectID, "project-live-") {
		base = string(config.BaseURILive)
	}
	q := url.Values{
		"public_token": {c.opts.PublicToken}, "login_redirect_url": {c.opts.RedirectURL}, "signup_redirect_url": {c.opts.RedirectURL},
		"code_challenge": {challenge},
	}
	return base + "/v1/public/oauth/" + url.PathEscape(provider) + "/start?" + q.Encode()
}

// challengeOf returns the PKCE code challenge of a verifier (S256).
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
