package stytch

import (
	"context"
	"slices"

	"github.com/stytchauth/stytch-go/v16/stytch/consumer/sessions"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"github.com/guestlist/guestlist/internal/reconcile"
)

// ListAccounts returns a page of all accounts, oldest first, and the cursor of the next
// page, which is empty after the last one.
func (c *Client) ListAccounts(ctx context.Context, cursor string, limit int) (page []reconcile.Account, next string, err error) {
	res, err := c.search(ctx, &users.SearchParams{Cursor: cursor, Limit: uint32(limit)})
	if err != nil {
		return nil, "", err
	}
	return toAccounts(res), res.ResultsMetadata.NextCursor, nil
}

// FindAccounts returns the accounts with these ids, as far as they exist.
func (c *Client) FindAccounts(ctx context.Context, ids []string) ([]reconcile.Account, error) {
	res, err := c.search(ctx, searchParams(len(ids), "user_id", ids...))
	if err != nil {
		return nil, err
	}
	return toAccounts(res), nil
}

// GetAccount returns an account.
func (c *Client) GetAccount(ctx context.Context, id string) (reconcile.Account, error) {
	var account reconcile.Account
	err := c.do(ctx, "get user", background, func() error {
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

// ListSessions returns the ids of an account's active sessions.
func (c *Client) ListSessions(ctx context.Context, id string) ([]string, error) {
	active, err := c.listSessions(ctx, background, id)
	var ids []string
	for _, s := range active {
		ids = append(ids, s.SessionID)
	}
	return ids, err
}

// listSessions returns an account's active sessions, none for an unknown account.
func (c *Client) listSessions(ctx context.Context, kind callKind, id string) ([]sessions.Session, error) {
	var active []sessions.Session
	err := c.do(ctx, "list sessions", kind, func() error {
		res, err := c.api.Sessions.Get(ctx, &sessions.GetParams{UserID: id})
		if err != nil {
			return err
		}
		for _, s := range res.Sessions {
			if s.SessionID == "" || s.UserID != id || s.ExpiresAt == nil {
				return errMalformedResponse // the caller would end another user's session
			}
		}
		active = res.Sessions
		return nil
	})
	return active, ignoreNotFound(err)
}

func (c *Client) search(ctx context.Context, params *users.SearchParams) (*users.SearchResponse, error) {
	var res *users.SearchResponse
	err := c.do(ctx, "search users", background, func() (err error) {
		res, err = c.api.Users.Search(ctx, params)
		if err == nil && slices.ContainsFunc(res.Results, func(u users.User) bool { return u.UserID == "" }) {
			return errMalformedResponse
		}
		return err
	})
	return res, err
}

// searchParams returns a search for the users whom a filter matches.
func searchParams(limit int, filter string, values ...string) *users.SearchParams {
	return &users.SearchParams{Limit: uint32(limit), Query: &users.SearchUsersQuery{
		Operator: users.SearchUsersQueryOperatorAND,
		Operands: []map[string]any{{"filter_name": filter, "filter_value": values}},
	}}
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
