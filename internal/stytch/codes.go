package stytch

import (
	"context"
	"errors"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/otp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/otp/email"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

// SendCode emails a sign-in code. A new account, which is created only if code.CreateAccount
// is set, is pending until the code is used.
func (c *Client) SendCode(ctx context.Context, code session.Code) (methodID string, err error) {
	lifetime := minutes(session.CodeDuration)
	err = c.do(ctx, "send code", required, func() error {
		if code.CreateAccount {
			res, err := c.api.OTPs.Email.LoginOrCreate(ctx, &email.LoginOrCreateParams{
				Email: code.Email, ExpirationMinutes: lifetime, CreateUserAsPending: true, Attributes: attributes(code.Browser),
			})
			methodID = res.EmailID
			return requireField(methodID, err)
		}
		res, err := c.api.OTPs.Email.Send(ctx, &email.SendParams{Email: code.Email, ExpirationMinutes: lifetime, Attributes: attributes(code.Browser)})
		methodID = res.EmailID
		return requireField(methodID, err)
	})
	return methodID, err
}

// AuthenticateCode redeems an emailed code; see session.Provider.
func (c *Client) AuthenticateCode(ctx context.Context, methodID, code, sessionToken string, b session.Browser) (session.Authentication, error) {
	var auth session.Authentication
	err := c.do(ctx, "authenticate code", refusable, func() error {
		res, err := c.api.OTPs.Authenticate(ctx, &otp.AuthenticateParams{
			MethodID: methodID, Code: code, Attributes: attributes(b), SessionToken: sessionToken, SessionDurationMinutes: c.newSessionMinutes(sessionToken),
		})
		if err != nil {
			return err
		}
		if auth, err = toAuthentication(res.UserID, res.User, res.Session, res.SessionToken); err != nil {
			return err
		}
		for _, e := range res.User.Emails {
			if e.EmailID == methodID && e.Verified {
				auth.Email = e.Email
				return nil
			}
		}
		auth = session.Authentication{}
		return errMalformedResponse
	})
	if errors.Is(err, session.ErrNoAccount) || errors.Is(err, outbox.ErrRefused) {
		err = session.ErrCodeWrong // there is no such address, or the account is gone
	}
	return auth, err
}
