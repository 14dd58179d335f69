package stytch

import (
	"context"
	"errors"
	"slices"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/reconcile"
	"github.com/guestlist/guestlist/internal/session"
)

// ListAccounts returns a page of all users, oldest first.
func (c *Client) ListAccounts(ctx context.Context, cursor string, limit int) (page []reconcile.Account, next string, err error) {
	res, err := c.search(ctx, &users.SearchParams{Cursor: cursor, Limit: uint32(limit)})
	if err != nil {
		return nil, "", err
	}
	return toAccounts(res), res.ResultsMetadata.NextCursor, nil
}

// FindAccounts returns those of the users that there are.
func (c *Client) FindAccounts(ctx context.Context, ids []string) ([]reconcile.Account, error) {
	res, err := c.search(ctx, &users.SearchParams{Limit: uint32(len(ids)), Query: &users.SearchUsersQuery{
		Operator: users.SearchUsersQueryOperatorAND,
		Operands: []map[string]any{{"filter_name": "user_id", "filter_value": ids}},
	}})
	if err != nil {
		return nil, err
	}
	return toAccounts(res), nil
}

// GetAccount returns a user as they are now.
func (c *Client) GetAccount(ctx context.Context, id string) (reconcile.Account, error) {
	var account reconcile.Account
	err := c.backgroundCall(ctx, "get user", func() error {
		res, err := c.api.Users.Get(ctx, &users.GetParams{UserID: id})
		if err != nil {
			return err
		}
		if res.UserID != id {
			return errMalformedResponse
		}
		account = toAccount(res.UserID, res.Emails)
		return nil
	})
	return account, err
}

// ListSessions returns the ids of a user's active sessions.
func (c *Client) ListSessions(ctx context.Context, id string) ([]string, error) {
	var ids []string
	err := c.backgroundCall(ctx, "list sessions", func() error {
		res, err := c.api.Sessions.Get(ctx, &sessions.GetParams{UserID: id})
		if err != nil {
			return err
		}
		for _, s := range res.Sessions {
			if s.SessionID == "" || s.UserID != id {
				return errMalformedResponse // it would end somebody else's
			}
			ids = append(ids, s.SessionID)
		}
		return nil
	})
	return ids, ignoreNotFound(err)
}

// search is slow and rationed: not for anything a person waits for.
func (c *Client) search(ctx context.Context, params *users.SearchParams) (*users.SearchResponse, error) {
	var res *users.SearchResponse
	err := c.backgroundCall(ctx, "search users", func() (err error) {
		res, err = c.api.Users.Search(ctx, params)
		if err == nil && slices.ContainsFunc(res.Results, func(u users.User) bool { return u.UserID == "" }) {
			return errMalformedResponse
		}
		return err
	})
	return res, err
}

// backgroundCall makes a call that nobody waits for. How it goes says nothing of login: a
// search that takes too long must not keep people out. Where Stytch refuses it,
// that is a matter of how its project is set up.
func (c *Client) backgroundCall(ctx context.Context, method string, fn func() error) error {
	err := c.observe(ctx, method, fn)
	if errors.Is(err, outbox.ErrRefused) {
		err = errors.Join(session.ErrUnavailable, err)
	}
	return err
}

func toAccounts(res *users.SearchResponse) []reconcile.Account {
	accounts := make([]reconcile.Account, len(res.Results))
	for i, u := range res.Results {
		accounts[i] = toAccount(u.UserID, u.Emails)
	}
	return accounts
}

func toAccount(id string, emails []users.Email) reconcile.Account {
	a := reconcile.Account{ID: id}
	for _, e := range emails {
		a.Emails = append(a.Emails, e.Email)
	}
	return a
}
