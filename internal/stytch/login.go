package stytch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks/email"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

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

// CreateLink makes a link that Stytch doesn't email; see session.Provider. The project must
// allow embeddable magic links: https://stytch.com/docs/api/create-magic-link
func (c *Client) CreateLink(ctx context.Context, stytchUserID string, lifetime time.Duration) (string, error) {
	var token string
	err := c.do(ctx, "create magic link", refusable, func() error {
		res, err := c.api.MagicLinks.Create(ctx, &magiclinks.CreateParams{UserID: stytchUserID, ExpirationMinutes: minutes(lifetime)})
		if err != nil {
			return err
		}
		token = res.Token
		return requireField(token, nil)
	})
	if errors.Is(err, outbox.ErrRefused) {
		err = fmt.Errorf("%w: %s Allow embeddable magic links for the project in Stytch's dashboard", session.ErrHostLinksOff, outbox.Reason(err))
	}
	return token, err
}

// AuthenticateMagicLink redeems a link and starts a session. A link that was sent by email
// proves the address; one that wasn't is reported as such.
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
		if auth, err = toAuthentication(res.UserID, res.User, res.Session, res.SessionToken); err != nil {
			return err
		}
		auth.Email = emailedTo(res.Session.AuthenticationFactors)
		auth.NotEmailed = auth.Email == "" && isEmbedded(res.Session.AuthenticationFactors)
		if auth.Email == "" && !auth.NotEmailed {
			auth = session.Authentication{}
			return errMalformedResponse
		}
		auth.MadeAt = created
		return nil
	})
	if errors.Is(err, session.ErrNoAccount) || errors.Is(err, outbox.ErrRefused) {
		err = fmt.Errorf("%w: %w", session.ErrLinkUnknown, err) // the account is gone, or the token is malformed
	}
	return auth, err
}

// toAuthentication checks that a response is complete and about one user.
func toAuthentication(userID string, u users.User, s *sessions.Session, token string) (session.Authentication, error) {
	if token == "" || userID == "" || s == nil || s.SessionID == "" || s.ExpiresAt == nil || s.UserID != userID || u.UserID != userID {
		return session.Authentication{}, errMalformedResponse
	}
	return session.Authentication{
		StytchUserID: userID, SessionID: s.SessionID, SessionToken: token, ExpiresAt: *s.ExpiresAt,
		HasTOTP: slices.ContainsFunc(u.TOTPs, func(t users.TOTP) bool { return t.Verified }),
	}, nil
}

// toFactorAuthentication is toAuthentication for a response about a passkey or an
// authenticator app.
func toFactorAuthentication(userID string, u users.User, s *sessions.Session, token, factorID string) (session.Authentication, error) {
	auth, err := toAuthentication(userID, u, s, token)
	if err == nil && factorID == "" {
		return session.Authentication{}, errMalformedResponse
	}
	auth.FactorID = factorID
	return auth, err
}

// emailedTo returns the address that a session's link was emailed to, or "".
func emailedTo(factors []sessions.AuthenticationFactor) string {
	for _, f := range factors {
		if f.DeliveryMethod == sessions.AuthenticationFactorDeliveryMethodEmail && f.EmailFactor != nil {
			return f.EmailFactor.EmailAddress
		}
	}
	return ""
}

// isEmbedded reports whether a session's only factor is a link that Stytch didn't email.
func isEmbedded(factors []sessions.AuthenticationFactor) bool {
	return len(factors) == 1 && factors[0].DeliveryMethod == sessions.AuthenticationFactorDeliveryMethodEmbedded && factors[0].EmbeddableMagicLinkFactor != nil
}

// newSessionMinutes returns the duration to ask for: that of a new session or, with the
// token of an existing one, zero, which keeps its end.
func (c *Client) newSessionMinutes(sessionToken string) int32 {
	if sessionToken != "" {
		return 0
	}
	return minutes(c.opts.SessionDuration)
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
