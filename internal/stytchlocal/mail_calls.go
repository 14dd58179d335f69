package stytchlocal

import (
	"slices"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

type sentResponse struct {
	meta
	UserID  string `json:"user_id"`
	EmailID string `json:"email_id"`
}

type loginOrCreateResponse struct {
	sentResponse
	UserCreated bool `json:"user_created"`
}

// mailOrCreate sends an email to the user who owns an address, or to newUser, which it
// creates if no user does. The function queue, which may change the user, returns the
// email.
func (s *Server) mailOrCreate(c *call, email string, newUser account,
	queue func(q *dbsqlc.Queries, user *account, to dbsqlc.StytchEmail, created bool) (queuedMail, error),
) (*loginOrCreateResponse, error) {
	var existing dbsqlc.StytchEmail
	var user account
	var before userObject
	var out loginOrCreateResponse
	var m queuedMail
	err := s.readThenTx(c.ctx, func() error {
		row, found, err := s.findEmail(c.ctx, s.read, email)
		existing, out.UserCreated = row, !found
		return err
	}, func(q *dbsqlc.Queries) (err error) {
		var to dbsqlc.StytchEmail
		if user, to, err = s.lockOrCreate(c.ctx, q, existing, email, newUser); err != nil {
			return err
		}
		before = user.object()
		out.UserID, out.EmailID = user.UserID, to.EmailID
		m, err = queue(q, &user, to, out.UserCreated)
		return err
	})
	if err != nil {
		return &out, err
	}
	if out.UserCreated {
		s.sendWebhook(userCreated, &user)
	} else {
		s.sendWebhookIfChanged(before, &user)
	}
	return &out, s.sendQueued(c.ctx, m)
}

// mailUser sends an email to an address that a user has, or that the selected user wants to
// add. The function queue returns the email.
func (s *Server) mailUser(c *call, selected userSelector, email string,
	queue func(q *dbsqlc.Queries, user *account, to dbsqlc.StytchEmail) (queuedMail, error),
) (*sentResponse, error) {
	var userID string
	var user account
	var before userObject
	var out sentResponse
	var m queuedMail
	err := s.readThenTx(c.ctx, func() (err error) {
		userID, err = s.findRecipient(c.ctx, selected, email)
		return err
	}, func(q *dbsqlc.Queries) (err error) {
		var to dbsqlc.StytchEmail
		if user, to, err = s.lockRecipient(c.ctx, q, userID, email); err != nil {
			return err
		}
		before = user.object()
		if !slices.ContainsFunc(user.emails, func(e dbsqlc.StytchEmail) bool { return e.EmailID == to.EmailID }) {
			user.emails = append(user.emails, to)
		}
		out.UserID, out.EmailID = user.UserID, to.EmailID
		m, err = queue(q, &user, to)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhookIfChanged(before, &user)
	return &out, s.sendQueued(c.ctx, m)
}
