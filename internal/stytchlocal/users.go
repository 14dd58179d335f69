package stytchlocal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

type createAnswer struct {
	meta
	UserID  string     `json:"user_id"`
	EmailID string     `json:"email_id"`
	PhoneID string     `json:"phone_id"`
	Status  string     `json:"status"`
	User    userObject `json:"user"`
}

// createUser makes a user with an unproven address. It mails nothing.
func (s *Server) createUser(c *call) (response, error) {
	var req struct {
		fullProfile
		Email   string `json:"email"`
		Phone   string `json:"phone_number"`
		Pending bool   `json:"create_user_as_pending"`
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
	user := account{StytchUser: dbsqlc.StytchUser{Status: newStatus(req.Pending)}}
	if err := req.apply(&user); err != nil {
		return nil, err
	}
	err = s.tx(c.ctx, func(q *dbsqlc.Queries) error {
		_, found, err := s.findEmail(c.ctx, q, email)
		if err != nil {
			return err
		}
		if found {
			return errDuplicateEmail
		}
		if err := s.checkExternalID(c.ctx, q, &user); err != nil {
			return err
		}
		if err := s.insertUser(c.ctx, q, &user); err != nil {
			return err
		}
		row, err := s.addEmail(c.ctx, q, user.UserID, email, 0)
		user.emails = []dbsqlc.StytchEmail{row}
		return err
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhook(userCreated, &user)
	return &createAnswer{UserID: user.UserID, EmailID: user.emails[0].EmailID, Status: user.Status, User: user.object()}, nil
}

// getAnswer has the user's fields beside the envelope's, not below a name.
type getAnswer struct {
	meta
	userObject
}

func (s *Server) getUser(c *call) (response, error) {
	user, err := s.findUser(c.ctx, s.read, c.id)
	if err != nil {
		return nil, err
	}
	return &getAnswer{userObject: user.object()}, nil
}

type updateAnswer struct {
	meta
	UserID        string        `json:"user_id"`
	Emails        []emailObject `json:"emails"`
	PhoneNumbers  []emptyObject `json:"phone_numbers"`
	CryptoWallets []emptyObject `json:"crypto_wallets"`
	User          userObject    `json:"user"`
}

// updateUser changes what is given and leaves the rest.
func (s *Server) updateUser(c *call) (response, error) {
	var req fullProfile
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	var user account
	var before userObject
	err := s.readThenTx(c.ctx, func() (err error) {
		user, err = s.findUser(c.ctx, s.read, c.id)
		return err
	}, func(q *dbsqlc.Queries) (err error) {
		if user, err = s.lockUser(c.ctx, q, user.UserID); err != nil {
			return err
		}
		before = user.object()
		if err := req.apply(&user); err != nil {
			return err
		}
		if err := s.checkExternalID(c.ctx, q, &user); err != nil {
			return err
		}
		return s.saveUser(c.ctx, q, &user)
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhookIfChanged(before, &user)
	o := user.object()
	return &updateAnswer{UserID: o.UserID, Emails: o.Emails, PhoneNumbers: o.PhoneNumbers, CryptoWallets: o.CryptoWallets, User: o}, nil
}

type deleteAnswer struct {
	meta
	UserID string `json:"user_id"`
}

// deleteUser forgets a user, and with them their sessions and links.
func (s *Server) deleteUser(c *call) (response, error) {
	var user account
	err := s.readThenTx(c.ctx, func() (err error) {
		user, err = s.findUser(c.ctx, s.read, c.id)
		return err
	}, func(q *dbsqlc.Queries) error {
		n, err := q.DeleteUser(c.ctx, user.UserID)
		if err == nil && n == 0 {
			return errConflict
		}
		for _, remove := range []func(context.Context, string) (int64, error){
			q.DeleteLinksOfUser, q.DeleteSessionsOfUser, q.DeleteEmailsOfUser,
		} {
			if err == nil {
				_, err = remove(c.ctx, user.UserID)
			}
		}
		if err != nil {
			return fmt.Errorf("delete user: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhook(userDeleted, &user)
	return &deleteAnswer{UserID: user.UserID}, nil
}

// insertUser stores a new user and gives it its id.
func (s *Server) insertUser(ctx context.Context, q *dbsqlc.Queries, user *account) error {
	user.fillIn()
	details, err := json.Marshal(user.userDetails)
	if err != nil {
		return fmt.Errorf("write user: %w", err)
	}
	now := s.now()
	user.UserID, user.Details, user.CreatedAt, user.LockedAt = newID("user"), string(details), now, now
	if err := q.InsertUser(ctx, dbsqlc.InsertUserParams(user.StytchUser)); err != nil {
		return fmt.Errorf("insert user: %w", err)
	}
	return nil
}

// saveUser writes what a profile may change of a user who is locked.
func (s *Server) saveUser(ctx context.Context, q *dbsqlc.Queries, user *account) error {
	details, err := json.Marshal(user.userDetails)
	if err != nil {
		return fmt.Errorf("write user: %w", err)
	}
	_, err = q.UpdateUser(ctx, dbsqlc.UpdateUserParams{
		ExternalID: user.ExternalID, Status: user.Status, Details: string(details), UserID: user.UserID,
	})
	if err != nil {
		return fmt.Errorf("update user: %w", err)
	}
	return nil
}

// checkExternalID refuses an external id that another user has.
func (s *Server) checkExternalID(ctx context.Context, q *dbsqlc.Queries, user *account) error {
	if !user.ExternalID.Valid {
		return nil
	}
	other, err := q.GetUserByExternalID(ctx, user.ExternalID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("get user: %w", err)
	case other.UserID != user.UserID:
		return errDuplicateExtID
	}
	return nil
}

func newStatus(pending bool) string {
	if pending {
		return statusPending
	}
	return statusActive
}
