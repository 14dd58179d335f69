package stytch

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/magiclinks/email"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"github.com/guestlist/guestlist/internal/session"
)

// Invite emails an invitation and returns the account's id. If Stytch has an active
// account for the address, it emails a sign-in link with the lifetime of an invitation
// instead. The name of the inviting person, by, is stored in the account's trusted
// metadata, where users can't change it, and the local Stytch shows it in the email.
func (c *Client) Invite(ctx context.Context, address, name, by string) (string, error) {
	lifetime := minutes(c.opts.InviteDuration)
	var id string
	err := c.do(ctx, "invite", refusable, func() error {
		params := &email.InviteParams{
			Email: address, InviteMagicLinkURL: c.opts.RedirectURL, InviteExpirationMinutes: lifetime,
		}
		if name != "" {
			params.Name = &users.Name{FirstName: name}
		}
		if by != "" {
			params.TrustedMetadata = map[string]any{"invited_by": by}
		}
		res, err := c.api.MagicLinks.Email.Invite(ctx, params)
		id = res.UserID
		return requireField(id, err)
	})
	if !errors.Is(err, errHasAccount) {
		return id, err
	}
	err = c.do(ctx, "send invitation", refusable, func() error {
		res, err := c.api.MagicLinks.Email.Send(ctx, &email.SendParams{
			Email: address, LoginMagicLinkURL: c.opts.RedirectURL, SignupMagicLinkURL: c.opts.RedirectURL,
			LoginExpirationMinutes: lifetime, SignupExpirationMinutes: lifetime,
		})
		id = res.UserID
		return requireField(id, err)
	})
	return id, err
}

// RevokeInvite revokes the outstanding invitation of an address.
func (c *Client) RevokeInvite(ctx context.Context, address string) error {
	return ignoreNotFound(c.do(ctx, "revoke invitation", refusable, func() error {
		_, err := c.api.MagicLinks.Email.RevokeInvite(ctx, &email.RevokeInviteParams{Email: address})
		return err
	}))
}

// DeleteUser deletes an account by its id or, if that is empty, the account that has the
// address.
func (c *Client) DeleteUser(ctx context.Context, id, address string) error {
	if id == "" {
		var err error
		if id, err = c.findUser(ctx, address); err != nil || id == "" {
			return err
		}
	}
	return ignoreNotFound(c.do(ctx, "delete user", refusable, func() error {
		_, err := c.api.Users.Delete(ctx, &users.DeleteParams{UserID: id})
		return err
	}))
}

// findUser returns the id of the account that has an address, or "" if there is none.
// Stytch's search is slow and rate-limited.
func (c *Client) findUser(ctx context.Context, address string) (string, error) {
	var id string
	err := c.do(ctx, "search users", refusable, func() error {
		res, err := c.api.Users.Search(ctx, searchParams(1, "email_address", address))
		if err != nil || len(res.Results) == 0 {
			return err
		}
		// The account will be deleted: make sure that it is the right one.
		found := res.Results[0]
		if !slices.ContainsFunc(found.Emails, func(e users.Email) bool { return strings.EqualFold(e.Email, address) }) {
			return errMalformedResponse
		}
		id = found.UserID
		return requireField(id, nil)
	})
	return id, err
}

// LockedUntil returns until when an account is locked, or the zero time if it is not.
func (c *Client) LockedUntil(ctx context.Context, id string) (time.Time, error) {
	var until time.Time
	err := c.do(ctx, "get user", refusable, func() error {
		res, err := c.api.Users.Get(ctx, &users.GetParams{UserID: id})
		if err != nil {
			return err
		}
		if res.UserID != id {
			return errMalformedResponse
		}
		if res.IsLocked && res.LockExpiresAt != nil {
			until = *res.LockExpiresAt
		}
		return nil
	})
	return until, err
}

// RevokeSession revokes a session.
func (c *Client) RevokeSession(ctx context.Context, id string) error {
	return ignoreNotFound(c.do(ctx, "revoke session", refusable, func() error {
		_, err := c.api.Sessions.Revoke(ctx, &sessions.RevokeParams{SessionID: id})
		return err
	}))
}

// ignoreNotFound returns nil for the error of removing something that does not exist.
func ignoreNotFound(err error) error {
	if errors.Is(err, session.ErrEnded) || errors.Is(err, session.ErrNoAccount) ||
		errors.Is(err, session.ErrPasskeyUnknown) || errors.Is(err, session.ErrNoAuthenticator) {
		return nil
	}
	return err
}
