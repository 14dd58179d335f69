package stytch

import (
	"context"
	"errors"
	"fmt"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks/email"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

// SendMagicLink mails a sign-in link. Only a stranger may be made a new user,
// and stays pending until the link is followed.
func (c *Client) SendMagicLink(ctx context.Context, l session.Link) error {
	life := minutes(c.LinkDuration)
	return c.requiredCall(ctx, "send magic link", func() error {
		if l.CreateAccount {
			_, err := c.api.MagicLinks.Email.LoginOrCreate(ctx, &email.LoginOrCreateParams{
				Email: l.Email, LoginMagicLinkURL: c.RedirectURL, SignupMagicLinkURL: c.RedirectURL,
				LoginExpirationMinutes: life, SignupExpirationMinutes: life,
				CreateUserAsPending: true, CodeChallenge: l.Challenge, Attributes: attributes(l.Browser),
			})
			return err
		}
		_, err := c.api.MagicLinks.Email.Send(ctx, &email.SendParams{
			Email: l.Email, LoginMagicLinkURL: c.RedirectURL, SignupMagicLinkURL: c.RedirectURL,
			LoginExpirationMinutes: life, SignupExpirationMinutes: life,
			CodeChallenge: l.Challenge, Attributes: attributes(l.Browser),
		})
		return err
	})
}

// AuthenticateMagicLink spends a link and starts a session. Only a link that was
// mailed proves an address.
func (c *Client) AuthenticateMagicLink(ctx context.Context, token, verifier string, b session.Browser) (session.Authentication, error) {
	var proof session.Authentication
	var made linkMade
	ctx = context.WithValue(ctx, linkMadeKey{}, &made)
	err := c.call(ctx, "authenticate magic link", func() error {
		res, err := c.api.MagicLinks.Authenticate(ctx, &magiclinks.AuthenticateParams{
			Token: token, CodeVerifier: verifier, Attributes: attributes(b), SessionDurationMinutes: minutes(c.SessionDuration),
		})
		if err != nil {
			return err
		}
		proof, err = toProof(res)
		proof.MadeAt = made.at
		return err
	})
	if errors.Is(err, session.ErrNoAccount) || errors.Is(err, outbox.ErrRefused) {
		err = fmt.Errorf("%w: %w", session.ErrLinkUnknown, err) // its person is gone, or it is no token at all
	}
	return proof, err
}

// toProof reads an answer, which must be whole and of one person.
func toProof(res *magiclinks.AuthenticateResponse) (session.Authentication, error) {
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

// AuthenticateSession asks whether a session still stands. Its life is not
// made longer by that.
func (c *Client) AuthenticateSession(ctx context.Context, token string) (session.ProviderSession, error) {
	var standing session.ProviderSession
	err := c.requiredCall(ctx, "authenticate session", func() error {
		res, err := c.api.Sessions.Authenticate(ctx, &sessions.AuthenticateParams{SessionToken: token})
		if err != nil {
			return err
		}
		if res.Session.SessionID == "" || res.Session.UserID == "" || res.Session.ExpiresAt == nil {
			return errMalformedResponse
		}
		standing = session.ProviderSession{
			StytchUserID: res.Session.UserID, SessionID: res.Session.SessionID, ExpiresAt: *res.Session.ExpiresAt,
		}
		return nil
	})
	if errors.Is(err, session.ErrNoAccount) {
		err = fmt.Errorf("%w: %w", session.ErrEnded, err)
	}
	return standing, err
}

// requiredCall makes a call that should not be refused. Where Stytch refuses it all the
// same, that is a matter of how its project is set up: login is not available.
func (c *Client) requiredCall(ctx context.Context, method string, fn func() error) error {
	err := c.call(ctx, method, fn)
	if errors.Is(err, outbox.ErrRefused) {
		err = fmt.Errorf("%w: %w", session.ErrUnavailable, err)
	}
	return err
}
