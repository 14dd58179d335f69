package stytchlocal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/text"
)

// An address that is added to an existing user is there on trial: unless proven
// within trialTime, it is gone again. Until then it is shown with the user but is
// nobody's: whoever proves or registers it first has it, so that nobody can lay
// hands on a stranger's address beforehand. A user has at most maxTrials of them.
const (
	unverifiedTTL = 5 * time.Minute
	maxUnverified = 5
)

// parseEmail returns an address in the form in which it is stored and compared.
func parseEmail(typed string) (string, error) {
	_, key, ok := text.ParseAddress(typed)
	if !ok {
		return "", errInvalidEmail
	}
	return key, nil
}

// findEmail returns an address that a user has for good; found is false if nobody
// does.
func (s *Server) findEmail(ctx context.Context, q *dbsqlc.Queries, email string) (row dbsqlc.StytchEmail, found bool, err error) {
	row, err = q.GetEmailByAddress(ctx, email)
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.ExpiresAt > 0 {
		return dbsqlc.StytchEmail{}, false, nil
	}
	if err != nil {
		return dbsqlc.StytchEmail{}, false, fmt.Errorf("get email: %w", err)
	}
	return row, true, nil
}

// addEmail gives a user an address that nobody has: for good, or on trial until
// expiresAt. Another's trial is in the way and ends.
func (s *Server) addEmail(ctx context.Context, q *dbsqlc.Queries, userID, email string, expiresAt int64) (dbsqlc.StytchEmail, error) {
	old, err := q.GetEmailByAddress(ctx, email)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return dbsqlc.StytchEmail{}, fmt.Errorf("get email: %w", err)
	}
	if err == nil && old.ExpiresAt > 0 {
		if err := removeEmail(ctx, q, old); err != nil {
			return dbsqlc.StytchEmail{}, err
		}
	}
	row := dbsqlc.StytchEmail{EmailID: newID("email"), UserID: userID, Email: email, ExpiresAt: expiresAt}
	if err := q.InsertEmail(ctx, dbsqlc.InsertEmailParams(row)); err != nil {
		return dbsqlc.StytchEmail{}, fmt.Errorf("insert email: %w", err)
	}
	return row, nil
}

// removeEmail forgets an address and what was mailed to it.
func removeEmail(ctx context.Context, q *dbsqlc.Queries, e dbsqlc.StytchEmail) error {
	if _, err := q.DeleteEmail(ctx, e.EmailID); err != nil {
		return fmt.Errorf("delete email: %w", err)
	}
	if _, err := q.DeleteLinksOfMethod(ctx, dbsqlc.DeleteLinksOfMethodParams{UserID: e.UserID, MethodID: e.EmailID}); err != nil {
		return fmt.Errorf("delete links: %w", err)
	}
	return nil
}

type emailChangeAnswer struct {
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
		if errors.Is(err, sql.ErrNoRows) || err == nil && s.isExpiredTrial(row) {
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
	return &emailChangeAnswer{UserID: user.UserID, User: user.object()}, nil
}

// exchangeEmail replaces a user's only address by another, unproven one.
func (s *Server) exchangeEmail(c *call) (response, error) {
	var req struct {
		Email string `json:"email_address"`
		Phone string `json:"phone_number"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.Phone != "" {
		return nil, badRequest("Phone numbers are not available here.")
	}
	email, err := parseEmail(req.Email)
	if err != nil {
		return nil, err
	}
	var user account
	err = s.readThenTx(c.ctx, func() (err error) {
		user, err = s.findUser(c.ctx, s.read, c.id)
		return err
	}, func(q *dbsqlc.Queries) (err error) {
		if user, err = s.lockUser(c.ctx, q, user.UserID); err != nil {
			return err
		}
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
	return &emailChangeAnswer{UserID: user.UserID, User: user.object()}, nil
}
