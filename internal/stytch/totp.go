package stytch

import (
	"context"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/totps"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/session"
)

// StartTOTP begins to set up an authenticator app; see factor.Provider.
func (c *Client) StartTOTP(ctx context.Context, stytchUserID string) (factor.TOTPSetup, error) {
	var setup factor.TOTPSetup
	err := c.do(ctx, "create TOTP", refusable, func() error {
		res, err := c.api.TOTPs.Create(ctx, &totps.CreateParams{UserID: stytchUserID, ExpirationMinutes: minutes(factor.SetupDuration)})
		if err != nil {
			return err
		}
		setup = factor.TOTPSetup{ProviderID: res.TOTPID, Secret: res.Secret, RecoveryCodes: res.RecoveryCodes}
		if setup.Secret == "" || len(setup.RecoveryCodes) == 0 {
			return errMalformedResponse
		}
		return requireField(setup.ProviderID, nil)
	})
	return setup, err
}

// DropTOTPs deletes the authenticator apps of an account; see factor.Provider.
func (c *Client) DropTOTPs(ctx context.Context, stytchUserID string) error {
	var apps []users.TOTP
	if err := c.do(ctx, "get user", refusable, func() error {
		res, err := c.api.Users.Get(ctx, &users.GetParams{UserID: stytchUserID})
		apps = res.TOTPs
		return err
	}); err != nil {
		return err
	}
	for _, app := range apps {
		if err := c.DeleteTOTP(ctx, app.TOTPID); err != nil {
			return err
		}
	}
	return nil
}

// ConfirmTOTP completes it; see factor.Provider.
func (c *Client) ConfirmTOTP(ctx context.Context, stytchUserID, code, sessionToken string) (string, error) {
	auth, err := c.AuthenticateTOTP(ctx, stytchUserID, code, sessionToken, session.Browser{})
	return auth.FactorID, err
}

// AuthenticateTOTP checks a code of an authenticator app; see session.Provider.
func (c *Client) AuthenticateTOTP(ctx context.Context, stytchUserID, code, sessionToken string, _ session.Browser) (session.Authentication, error) {
	var auth session.Authentication
	err := c.do(ctx, "authenticate TOTP", refusable, func() error {
		res, err := c.api.TOTPs.Authenticate(ctx, &totps.AuthenticateParams{
			UserID: stytchUserID, TOTPCode: code, SessionToken: sessionToken, SessionDurationMinutes: c.newSessionMinutes(sessionToken),
		})
		if err != nil {
			return err
		}
		auth, err = toFactorAuthentication(res.UserID, res.User, res.Session, res.SessionToken, res.TOTPID)
		return err
	})
	return auth, err
}

// AuthenticateRecoveryCode redeems a recovery code; see session.Provider.
func (c *Client) AuthenticateRecoveryCode(ctx context.Context, stytchUserID, code, sessionToken string, _ session.Browser) (session.Authentication, error) {
	var auth session.Authentication
	err := c.do(ctx, "recover TOTP", refusable, func() error {
		res, err := c.api.TOTPs.Recover(ctx, &totps.RecoverParams{
			UserID: stytchUserID, RecoveryCode: code, SessionToken: sessionToken, SessionDurationMinutes: c.newSessionMinutes(sessionToken),
		})
		if err != nil {
			return err
		}
		auth, err = toFactorAuthentication(res.UserID, res.User, res.Session, res.SessionToken, res.TOTPID)
		return err
	})
	return auth, err
}

// DeleteTOTP deletes an authenticator app of an account.
func (c *Client) DeleteTOTP(ctx context.Context, id string) error {
	return ignoreNotFound(c.do(ctx, "delete TOTP", refusable, func() error {
		_, err := c.api.Users.DeleteTOTP(ctx, &users.DeleteTOTPParams{TOTPID: id})
		return err
	}))
}
