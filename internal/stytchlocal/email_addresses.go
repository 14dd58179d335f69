package stytchlocal

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/text"
)

// An address that is added to an existing user expires after unverifiedTTL unless it is
// verified. Until then the user has it but does not own it: the first user who verifies it
// or signs up with it does, so that no one can reserve another person's address. A user has
// at most maxUnverified such addresses.
const (
	unverifiedTTL = 5 * time.Minute
	maxUnverified = 5
)

// parseEmail returns an address in its stored form.
func parseEmail(typed string) (string, error) {
	_, key, ok := text.ParseAddress(typed)
	if !ok {
		return "", errInvalidEmail
	}
	return key, nil
}

// findEmail returns an address that a user owns. It returns false if no user does.
func (s *Server) findEmail(ctx context.Context, q *dbsqlc.Queries, email string) (row dbsqlc.StytchEmail, found bool, err error) {
	row, err = q.GetEmailByAddress(ctx, email)
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.ExpiresAt > 0 {
		return dbsqlc.StytchEmail{}, false, nil
	}
	return row, err == nil, wrap("get email", err)
}

// addEmail adds an address that no user owns. It expires at expiresAt unless that is 0. It
// is taken from a user who has not verified it.
func (s *Server) addEmail(ctx context.Context, q *dbsqlc.Queries, userID, email string, expiresAt int64) (dbsqlc.StytchEmail, error) {
	old, err := q.GetEmailByAddress(ctx, email)
	if err == nil && old.ExpiresAt > 0 {
		err = removeEmail(ctx, q, old)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return dbsqlc.StytchEmail{}, wrap("replace email", err)
	}
	row := dbsqlc.StytchEmail{EmailID: newID("email"), UserID: userID, Email: email, ExpiresAt: expiresAt}
	return row, wrap("insert email", q.InsertEmail(ctx, dbsqlc.InsertEmailParams(row)))
}

// removeEmail deletes an address, and the links and the passcode that were sent to it.
func removeEmail(ctx context.Context, q *dbsqlc.Queries, e dbsqlc.StytchEmail) error {
	if _, err := q.DeleteEmail(ctx, e.EmailID); err != nil {
		return wrap("delete email", err)
	}
	if _, err := q.DeleteLinksOfMethod(ctx, dbsqlc.DeleteLinksOfMethodParams{UserID: e.UserID, MethodID: e.EmailID}); err != nil {
		return wrap("delete links", err)
	}
	_, err := q.DeleteCode(ctx, e.EmailID)
	return wrap("delete passcode", err)
}

// within limits the lifetime of a link or code to that of the address it is sent to.
func (s *Server) within(to dbsqlc.StytchEmail, lifetime time.Duration) time.Duration {
	if to.ExpiresAt == 0 {
		return lifetime
	}
	return min(lifetime, time.Duration(to.ExpiresAt-s.now())*time.Microsecond)
}

type emailChangeResponse struct {
	meta
	UserID string     `json:"user_id"`
	User   userObject `json:"user"`
}

func (s *Server) deleteEmail(c *call) (response, error) {
	if !isID("email", c.id) {
		return nil, errInvalidEmailID
	}
	var row dbsqlc.StytchEmail
	var user account
	err := s.readThenTx(c.ctx, func() (err error) {
		row, err = s.read.GetEmail(c.ctx, c.id)
		if errors.Is(err, sql.ErrNoRows) || err == nil && s.isExpired(row) {
			return errEmailNotFound
		}
		return err
	}, func(q *dbsqlc.Queries) error {
		if _, err := s.lockUser(c.ctx, q, row.UserID); err != nil {
			return err
		}
		if err := removeEmail(c.ctx, q, row); err != nil {
			return err
		}
		var err error
		user, err = s.findUser(c.ctx, q, row.UserID)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhook(userUpdated, &user)
	return &emailChangeResponse{UserID: user.UserID, User: user.object()}, nil
}

// exchangeEmail replaces a user's only address by another, unverified one.
func (s *Server) exchangeEmail(c *call) (response, error) {
	var req struct {
		Email string `json:"email_address"`
		Phone string `json:"phone_number"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Phone != "" {
		return nil, errNoPhoneNumbers
	}
	email, err := parseEmail(req.Email)
	if err != nil {
		return nil, err
	}
	user, _, err := s.changeUser(c.ctx, c.id, func(q *dbsqlc.Queries, user *account) error {
		if len(user.emails) != 1 {
			return badRequest("The user must have exactly one email.")
		}
		taken, found, err := s.findEmail(c.ctx, q, email)
		switch {
		case err != nil:
			return err
		case found && taken.UserID == user.UserID:
			return errSameEmail
		case found:
			return errDuplicateEmail
		}
		if err := removeEmail(c.ctx, q, user.emails[0]); err != nil {
			return err
		}
		row, err := s.addEmail(c.ctx, q, user.UserID, email, 0)
		user.emails = []dbsqlc.StytchEmail{row}
		return err
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhook(userUpdated, &user)
	return &emailChangeResponse{UserID: user.UserID, User: user.object()}, nil
}
