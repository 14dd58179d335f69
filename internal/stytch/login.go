package stytch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks/email"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

// SendMagicLink emails a sign-in link. A new account, which is created only if
// l.CreateAccount is set, is pending until the link is used.
func (c *Client) SendMagicLink(ctx context.Context, l session.Link) error {
	lifetime := minutes(c.opts.LinkDuration)
	return c.do(ctx, "send magic link", required, func() error {
		if l.CreateAccount {
			_, err := c.api.MagicLinks.Email.LoginOrCreate(ctx, &email.LoginOrCreateParams{
				Email: l.Email, LoginMagicLinkURL: c.opts.RedirectURL, SignupMagicLinkURL: c.opts.RedirectURL,
				LoginExpirationMinutes: lifetime, SignupExpirationMinutes: lifetime,
				CreateUserAsPending: true, CodeChallenge: l.Challenge, Attributes: attributes(l.Browser),
			})
			return err
		}
		_, err := c.api.MagicLinks.Email.Send(ctx, &email.SendParams{
			Email: l.Email, LoginMagicLinkURL: c.opts.RedirectURL, SignupMagicLinkURL: c.opts.RedirectURL,
			LoginExpirationMinutes: lifetime, SignupExpirationMinutes: lifetime,
			CodeChallenge: l.Challenge, Attributes: attributes(l.Browser),
		})
		return err
	})
}

// AuthenticateMagicLink redeems a link and starts a session. It accepts only a link that
// was sent by email, which proves the address.
func (c *Client) AuthenticateMagicLink(ctx context.Context, token, verifier string, b session.Browser) (session.Authentication, error) {
	var auth session.Authentication
	var created time.Time
	ctx = context.WithValue(ctx, linkCreatedKey{}, &created)
	err := c.do(ctx, "authenticate magic link", refusable, func() error {
		res, err := c.api.MagicLinks.Authenticate(ctx, &magiclinks.AuthenticateParams{
			Token: token, CodeVerifier: verifier, Attributes: attributes(b), SessionDurationMinutes: minutes(c.opts.SessionDuration),
		})
		if err != nil {
			return err
		}
		auth, err = toAuthentication(res)
		auth.MadeAt = created
		return err
	})
	if errors.Is(err, session.ErrNoAccount) || errors.Is(err, outbox.ErrRefused) {
		err = fmt.Errorf("%w: %w", session.ErrLinkUnknown, err) // the account is gone, or the token is malformed
	}
	return auth, err
}

// toAuthentication checks that a response is complete and about one user.
func toAuthentication(res *magiclinks.AuthenticateResponse) (session.Authentication, error) {
	s := res.Session
	if res.SessionToken == "" || res.UserID == "" || s == nil || s.SessionID == "" || s.ExpiresAt == nil ||
		s.UserID != res.UserID || res.User.UserID != res.UserID {
		return session.Authentication{}, errMalformedResponse
	}
	for _, f := range s.AuthenticationFactors {
		if f.DeliveryMethod == sessions.AuthenticationFactorDeliveryMethodEmail && f.EmailFactor != nil {
			return session.Authentication{
				Email: f.EmailFactor.EmailAddress, StytchUserID: res.UserID,
				SessionID: s.SessionID, SessionToken: res.SessionToken, ExpiresAt: *s.ExpiresAt,
			}, nil
		}
	}
	return session.Authentication{}, errMalformedResponse
}

// AuthenticateSession checks whether a session is still valid. It does not extend it.
func (c *Client) AuthenticateSession(ctx context.Context, token string) (session.ProviderSession, error) {
	var found session.ProviderSession
	err := c.do(ctx, "authenticate session", required, func() error {
		res, err := c.api.Sessions.Authenticate(ctx, &sessions.AuthenticateParams{SessionToken: token})
		if err != nil {
			return err
		}
		if res.Session.SessionID == "" || res.Session.UserID == "" || res.Session.ExpiresAt == nil {
			return errMalformedResponse
		}
		found = session.ProviderSession{
			StytchUserID: res.Session.UserID, SessionID: res.Session.SessionID, ExpiresAt: *res.Session.ExpiresAt,
		}
		return nil
	})
	if errors.Is(err, session.ErrNoAccount) {
		err = fmt.Errorf("%w: %w", session.ErrEnded, err)
	}
	return found, err
}

// GetSession checks whether a session is still valid, without its token.
func (c *Client) GetSession(ctx context.Context, stytchUserID, sessionID string) (session.ProviderSession, error) {
	active, err := c.listSessions(ctx, required, stytchUserID)
	if err != nil {
		return session.ProviderSession{}, err
	}
	for _, s := range active {
		if s.SessionID == sessionID {
			return session.ProviderSession{StytchUserID: s.UserID, SessionID: s.SessionID, ExpiresAt: *s.ExpiresAt}, nil
		}
	}
	return session.ProviderSession{}, session.ErrEnded
}
