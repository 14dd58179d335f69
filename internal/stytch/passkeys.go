package stytch

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/webauthn"

	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

// StartPasskey returns the options of a sign-in with any passkey; see session.Provider.
func (c *Client) StartPasskey(ctx context.Context) (json.RawMessage, error) {
	var options json.RawMessage
	err := c.do(ctx, "start passkey", required, func() error {
		res, err := c.api.WebAuthn.AuthenticateStart(ctx, &webauthn.AuthenticateStartParams{
			Domain: c.opts.Domain, ReturnPasskeyCredentialOptions: true,
		})
		if err != nil {
			return err
		}
		options, err = passkeyOptions(res.PublicKeyCredentialRequestOptions)
		return err
	})
	return options, err
}

// AuthenticatePasskey checks a passkey; see session.Provider.
func (c *Client) AuthenticatePasskey(ctx context.Context, credential, sessionToken string, b session.Browser) (session.Authentication, error) {
	var auth session.Authentication
	err := c.do(ctx, "authenticate passkey", refusable, func() error {
		res, err := c.api.WebAuthn.Authenticate(ctx, &webauthn.AuthenticateParams{
			PublicKeyCredential: credential, SessionToken: sessionToken, SessionDurationMinutes: c.newSessionMinutes(sessionToken),
		})
		if err != nil {
			return err
		}
		auth, err = toFactorAuthentication(res.UserID, res.User, res.Session, res.SessionToken, res.WebAuthnRegistrationID)
		return err
	})
	if errors.Is(err, session.ErrNoAccount) || errors.Is(err, outbox.ErrRefused) {
		err = fmt.Errorf("%w: %w", session.ErrPasskey, err)
	}
	return auth, err
}

// StartRegistration returns the options of a new passkey; see factor.Provider.
func (c *Client) StartRegistration(ctx context.Context, stytchUserID, name, email, userAgent string) (json.RawMessage, error) {
	var options json.RawMessage
	err := c.do(ctx, "start passkey registration", required, func() error {
		res, err := c.api.WebAuthn.RegisterStart(ctx, &webauthn.RegisterStartParams{
			UserID: stytchUserID, Domain: c.opts.Domain, UserAgent: userAgent, ReturnPasskeyCredentialOptions: true,
			OverrideName: email, OverrideDisplayName: name, UseBase64URLEncoding: true,
		})
		if err != nil {
			return err
		}
		options, err = passkeyOptions(res.PublicKeyCredentialCreationOptions)
		return err
	})
	return options, err
}

// RegisterPasskey adds a passkey to an account; see factor.Provider.
func (c *Client) RegisterPasskey(ctx context.Context, stytchUserID, credential, sessionToken string) (string, error) {
	var id string
	err := c.do(ctx, "register passkey", refusable, func() error {
		res, err := c.api.WebAuthn.Register(ctx, &webauthn.RegisterParams{
			UserID: stytchUserID, PublicKeyCredential: credential, SessionToken: sessionToken,
		})
		if err != nil {
			return err
		}
		id = res.WebAuthnRegistrationID
		return requireField(id, nil)
	})
	if errors.Is(err, outbox.ErrRefused) {
		err = fmt.Errorf("%w: %w", session.ErrPasskey, err)
	}
	return id, err
}

// DeletePasskey deletes a passkey of an account.
func (c *Client) DeletePasskey(ctx context.Context, id string) error {
	return ignoreNotFound(c.do(ctx, "delete passkey", refusable, func() error {
		_, err := c.api.Users.DeleteWebAuthnRegistration(ctx, &users.DeleteWebAuthnRegistrationParams{WebAuthnRegistrationID: id})
		return err
	}))
}

// passkeyOptions returns Stytch's options in the form that browsers take: the binary values
// are unpadded base64url, which the SDK can't ask for when signing in, and the
// authenticator has to verify the user.
func passkeyOptions(text string) (json.RawMessage, error) {
	var options map[string]any
	if err := json.Unmarshal([]byte(text), &options); err != nil {
		return nil, errMalformedResponse
	}
	if inner, ok := options["publicKey"].(map[string]any); ok {
		options = inner
	}
	if challenge, _ := options["challenge"].(string); challenge == "" {
		return nil, errMalformedResponse
	}
	encode(options, "challenge")
	if user, ok := options["user"].(map[string]any); ok {
		encode(user, "id")
	}
	for _, field := range []string{"allowCredentials", "excludeCredentials"} {
		list, _ := options[field].([]any)
		for _, item := range list {
			if credential, ok := item.(map[string]any); ok {
				encode(credential, "id")
			}
		}
	}
	if _, creation := options["user"]; creation {
		selection, _ := options["authenticatorSelection"].(map[string]any)
		if selection == nil {
			selection = map[string]any{}
		}
		selection["userVerification"] = "required"
		selection["residentKey"] = "required"
		selection["requireResidentKey"] = true
		options["authenticatorSelection"] = selection
	} else {
		options["userVerification"] = "required"
	}
	return json.Marshal(options)
}

// encode replaces the base64 text of a field, standard or URL-safe, by unpadded base64url.
func encode(object map[string]any, field string) {
	text, _ := object[field].(string)
	data, err := base64.RawStdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "=")))
	if err == nil {
		object[field] = base64.RawURLEncoding.EncodeToString(data)
	}
}

var _ factor.Provider = (*Client)(nil)
