package stytchlocal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

type createUserResponse struct {
	meta
	UserID  string     `json:"user_id"`
	EmailID string     `json:"email_id"`
	PhoneID string     `json:"phone_id"`
	Status  string     `json:"status"`
	User    userObject `json:"user"`
}

// createUser creates a user with an unverified address. It sends no email.
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
		return nil, errNoPhoneNumbers
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
		return s.insertUser(c.ctx, q, &user, email)
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhook(userCreated, &user)
	return &createUserResponse{UserID: user.UserID, EmailID: user.emails[0].EmailID, Status: user.Status, User: user.object()}, nil
}

// getUserResponse has the user's fields at the top level.
type getUserResponse struct {
	meta
	userObject
}

func (s *Server) getUser(c *call) (response, error) {
	user, err := s.findUser(c.ctx, s.read, c.id)
	if err != nil {
		return nil, err
	}
	return &getUserResponse{userObject: user.object()}, nil
}

type updateUserResponse struct {
	meta
	UserID        string        `json:"user_id"`
	Emails        []emailObject `json:"emails"`
	PhoneNumbers  []emptyObject `json:"phone_numbers"`
	CryptoWallets []emptyObject `json:"crypto_wallets"`
	User          userObject    `json:"user"`
}

func (s *Server) updateUser(c *call) (response, error) {
	var req fullProfile
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	user, before, err := s.changeUser(c.ctx, c.id, func(q *dbsqlc.Queries, user *account) error {
		if err := req.apply(user); err != nil {
			return err
		}
		if err := s.checkExternalID(c.ctx, q, user); err != nil {
			return err
		}
		return s.saveUser(c.ctx, q, user)
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhookIfChanged(before, &user)
	o := user.object()
	return &updateUserResponse{UserID: o.UserID, Emails: o.Emails, PhoneNumbers: o.PhoneNumbers, CryptoWallets: o.CryptoWallets, User: o}, nil
}

type deleteUserResponse struct {
	meta
	UserID string `json:"user_id"`
}

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
			q.DeleteLinksOfUser, q.DeleteCodesOfUser, q.DeleteTOTPsOfUser, q.DeleteSessionsOfUser, q.DeleteEmailsOfUser,
			q.DeleteWebAuthnRegistrationsOfUser, q.DeleteWebAuthnChallengesOfUser, q.DeleteOAuthRegistrationsOfUser, q.DeleteOAuthTokensOfUser,
		} {
			if err == nil {
				_, err = remove(c.ctx, user.UserID)
			}
		}
		return wrap("delete user", err)
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhook(userDeleted, &user)
	return &deleteUserResponse{UserID: user.UserID}, nil
}

// insertUser stores a new user with an address, and sets its id and emails. Without an
// address, the user has none.
func (s *Server) insertUser(ctx context.Context, q *dbsqlc.Queries, user *account, email string) error {
	user.setDefaults()
	details, err := json.Marshal(user.userDetails)
	if err != nil {
		return wrap("write user", err)
	}
	user.UserID = newID("user")
	user.Details = string(details)
	user.CreatedAt = s.now()
	user.LockedAt = user.CreatedAt
	if err := q.InsertUser(ctx, dbsqlc.InsertUserParams(user.StytchUser)); err != nil {
		return wrap("insert user", err)
	}
	if email == "" {
		return nil
	}
	row, err := s.addEmail(ctx, q, user.UserID, email, 0)
	user.emails = []dbsqlc.StytchEmail{row}
	return err
}

func (s *Server) saveUser(ctx context.Context, q *dbsqlc.Queries, user *account) error {
	details, err := json.Marshal(user.userDetails)
	if err != nil {
		return wrap("write user", err)
	}
	_, err = q.UpdateUser(ctx, dbsqlc.UpdateUserParams{
		ExternalID: user.ExternalID, Status: user.Status, Details: string(details), UserID: user.UserID,
	})
	return wrap("update user", err)
}

func (s *Server) checkExternalID(ctx context.Context, q *dbsqlc.Queries, user *account) error {
	if !user.ExternalID.Valid {
		return nil
	}
	other, err := q.GetUserByExternalID(ctx, user.ExternalID)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err == nil && other.UserID != user.UserID:
		return errDuplicateExternalID
	}
	return wrap("get user", err)
}

func newStatus(pending bool) string {
	if pending {
		return statusPending
	}
	return statusActive
}
