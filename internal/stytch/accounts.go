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

// Invite mails an invitation, or, to somebody whom Stytch has as a user already,
// a sign-in link that lasts as long as an invitation. Who invites is kept with the
// person's account, where no user can change it: the local Stytch says it in the
// mail.
func (c *Client) Invite(ctx context.Context, address, name, by string) (string, error) {
	var id string
	err := c.call(ctx, "invite", func() error {
		params := &email.InviteParams{
			Email: address, InviteMagicLinkURL: c.RedirectURL, InviteExpirationMinutes: minutes(c.InviteDuration),
		}
		if name != "" {
			params.Name = &users.Name{FirstName: name}
		}
		if by != "" {
			params.TrustedMetadata = map[string]any{"invited_by": by}
		}
		res, err := c.api.MagicLinks.Email.Invite(ctx, params)
		id = res.UserID
		return requireID(id, err)
	})
	if !errors.Is(err, errHasAccount) {
		return id, err
	}
	life := minutes(c.InviteDuration)
	err = c.call(ctx, "send invitation", func() error {
		res, err := c.api.MagicLinks.Email.Send(ctx, &email.SendParams{
			Email: address, LoginMagicLinkURL: c.RedirectURL, SignupMagicLinkURL: c.RedirectURL,
			LoginExpirationMinutes: life, SignupExpirationMinutes: life,
		})
		id = res.UserID
		return requireID(id, err)
	})
	return id, err
}

// requireID is err, or errNonsense for an answer without the id it must have.
func requireID(id string, err error) error {
	if err == nil && id == "" {
		return errMalformedResponse
	}
	return err
}

// RevokeInvite makes an outstanding invitation worthless.
func (c *Client) RevokeInvite(ctx context.Context, address string) error {
	return ignoreNotFound(c.call(ctx, "revoke invitation", func() error {
		_, err := c.api.MagicLinks.Email.RevokeInvite(ctx, &email.RevokeInviteParams{Email: address})
		return err
	}))
}

// DeleteUser forgets a person: by id, or, where it was never told, whoever has
// the address.
func (c *Client) DeleteUser(ctx context.Context, id, address string) error {
	if id == "" {
		var err error
		if id, err = c.findUser(ctx, address); err != nil || id == "" {
			return err
		}
	}
	return ignoreNotFound(c.call(ctx, "delete user", func() error {
		_, err := c.api.Users.Delete(ctx, &users.DeleteParams{UserID: id})
		return err
	}))
}

// findUser returns the id of the user who has an address, empty for nobody.
// Stytch's search is slow and rationed: not for anything a person waits for.
func (c *Client) findUser(ctx context.Context, address string) (string, error) {
	var id string
	err := c.call(ctx, "search users", func() error {
		res, err := c.api.Users.Search(ctx, &users.SearchParams{Limit: 1, Query: &users.SearchUsersQuery{
			Operator: users.SearchUsersQueryOperatorAND,
			Operands: []map[string]any{{"filter_name": "email_address", "filter_value": []string{address}}},
		}})
		if err != nil || len(res.Results) == 0 {
			return err
		}
		// A search that finds others would delete somebody else.
		found := res.Results[0]
		if !slices.ContainsFunc(found.Emails, func(e users.Email) bool { return strings.EqualFold(e.Email, address) }) {
			return errMalformedResponse
		}
		id = found.UserID
		return requireID(id, nil)
	})
	return id, err
}

// LockedUntil returns until when a person's account is locked.
func (c *Client) LockedUntil(ctx context.Context, id string) (time.Time, error) {
	var until time.Time
	err := c.call(ctx, "get user", func() error {
		res, err := c.api.Users.Get(ctx, &users.GetParams{UserID: id})
		if err == nil && res.UserID != id {
			return errMalformedResponse // somebody else's
		}
		if res.IsLocked && res.LockExpiresAt != nil {
			until = *res.LockExpiresAt
		}
		return err
	})
	return until, err
}

// RevokeSession ends a session.
func (c *Client) RevokeSession(ctx context.Context, id string) error {
	return ignoreNotFound(c.call(ctx, "revoke session", func() error {
		_, err := c.api.Sessions.Revoke(ctx, &sessions.RevokeParams{SessionID: id})
		return err
	}))
}

// ignoreNotFound takes for done what isn't there to be undone.
func ignoreNotFound(err error) error {
	if errors.Is(err, session.ErrEnded) || errors.Is(err, session.ErrNoAccount) {
		return nil
	}
	return err
}
