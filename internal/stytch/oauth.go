package stytch

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/oauth"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"

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
		id := providerEmailID(res.UserSession.AuthenticationFactors)
		for _, e := range res.User.Emails {
			if id != "" && e.EmailID == id && e.Verified {
				auth.Email = e.Email
			}
		}
		return nil
	})
	if errors.Is(err, session.ErrNoAccount) || errors.Is(err, outbox.ErrRefused) {
		err = fmt.Errorf("%w: %w", session.ErrLinkUnknown, err)
	}
	return auth, err
}

// providerEmailID returns the id of the address that another provider named, or "".
func providerEmailID(factors []sessions.AuthenticationFactor) string {
	for _, f := range factors {
		switch {
		case f.GoogleOAuthFactor != nil:
			return f.GoogleOAuthFactor.EmailID
		case f.GithubOAuthFactor != nil:
			return f.GithubOAuthFactor.EmailID
		case f.MicrosoftOAuthFactor != nil:
			return f.MicrosoftOAuthFactor.EmailID
		}
	}
	return ""
}

// OAuthURL returns the address at Stytch at which a sign-in with another provider begins.
// challenge is the PKCE code challenge of the browser's verifier.
func (c *Client) OAuthURL(provider, challenge string) string {
	base := c.opts.PublicBaseURL
	if base == "" {
		base = c.opts.BaseURL
	}
	q := url.Values{
		"public_token": {c.opts.PublicToken}, "login_redirect_url": {c.opts.RedirectURL}, "signup_redirect_url": {c.opts.RedirectURL},
		"code_challenge": {challenge},
	}
	return base + "/v1/public/oauth/" + url.PathEscape(provider) + "/start?" + q.Encode()
}
