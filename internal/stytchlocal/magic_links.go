package stytchlocal

import (
	"slices"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// sentAnswer says whom a mail went to.
type sentAnswer struct {
	meta
	UserID  string `json:"user_id"`
	EmailID string `json:"email_id"`
}

// loginOrCreateAnswer also says whether the address was new.
type loginOrCreateAnswer struct {
	sentAnswer
	UserCreated bool `json:"user_created"`
}

// loginOrCreate mails a link to an address, known or not.
func (s *Server) loginOrCreate(c *call) (response, error) {
	var req struct {
		linkRequest
		Pending bool `json:"create_user_as_pending"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if err := s.checkLinkRequest(&req.linkRequest); err != nil {
		return nil, err
	}
	fresh := account{StytchUser: dbsqlc.StytchUser{Status: newStatus(req.Pending)}}
	return s.loginOrCreateBy(c, req.Email, fresh, func(q *dbsqlc.Queries, user *account, to dbsqlc.StytchEmail, created bool) (queuedMail, error) {
		order, err := s.linkParamsFor(&req.linkRequest, user, created)
		if err != nil {
			return queuedMail{}, err
		}
		return s.mailLink(c.ctx, q, user, to, order)
	})
}

// loginOrCreateBy finds or makes the user of an address and mails what mail makes
// for them.
func (s *Server) loginOrCreateBy(c *call, email string, fresh account,
	mail func(q *dbsqlc.Queries, user *account, to dbsqlc.StytchEmail, created bool) (queuedMail, error),
) (response, error) {
	var known dbsqlc.StytchEmail
	var user account
	var before userObject
	var out loginOrCreateAnswer
	var m queuedMail
	err := s.readThenTx(c.ctx, func() (err error) {
		known, _, err = s.findEmail(c.ctx, s.read, email)
		return err
	}, func(q *dbsqlc.Queries) (err error) {
		var to dbsqlc.StytchEmail
		var created bool
		if user, to, created, err = s.findOrCreate(c.ctx, q, known, email, fresh); err != nil {
			return err
		}
		before = user.object()
		out = loginOrCreateAnswer{sentAnswer: sentAnswer{UserID: user.UserID, EmailID: to.EmailID}, UserCreated: created}
		m, err = mail(q, &user, to, created)
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
	err = s.sendQueued(c.ctx, m)
	return &out, err
}

// sendLink mails a link to an address that a user has, or that a user named in
// the request wants to have.
func (s *Server) sendLink(c *call) (response, error) {
	var req struct {
		linkRequest
		owner
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if err := s.checkLinkRequest(&req.linkRequest); err != nil {
		return nil, err
	}
	var userID string
	var user account
	var before userObject
	var out sentAnswer
	var m queuedMail
	err := s.readThenTx(c.ctx, func() (err error) {
		userID, err = s.findRecipient(c.ctx, req.owner, req.Email)
		return err
	}, func(q *dbsqlc.Queries) (err error) {
		var to dbsqlc.StytchEmail
		if user, to, err = s.lockRecipient(c.ctx, q, userID, req.Email); err != nil {
			return err
		}
		before = user.object()
		if !slices.ContainsFunc(user.emails, func(e dbsqlc.StytchEmail) bool { return e.EmailID == to.EmailID }) {
			user.emails = append(user.emails, to)
		}
		order, err := s.linkParamsFor(&req.linkRequest, &user, false)
		if err != nil {
			return err
		}
		out = sentAnswer{UserID: user.UserID, EmailID: to.EmailID}
		m, err = s.mailLink(c.ctx, q, &user, to, order)
		return err
	})
	if err == nil {
		s.sendWebhookIfChanged(before, &user)
		err = s.sendQueued(c.ctx, m)
	}
	return &out, err
}

// invite makes a pending user, or finds one, and mails the invitation. What is
// told about a pending user is added to what is known.
func (s *Server) invite(c *call) (response, error) {
	var req struct {
		mailRequest
		profile
		URL     string `json:"invite_magic_link_url"`
		Minutes *int64 `json:"invite_expiration_minutes"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if err := req.check(); err != nil {
		return nil, err
	}
	if err := s.checkRedirectURL(kindInvite, req.URL); err != nil {
		return nil, err
	}
	order, err := s.newOrder(kindInvite, req.URL, req.Minutes, "", req.Attributes)
	if err != nil {
		return nil, err
	}
	order.invitedBy = inviter(req.Trusted)
	fresh := account{StytchUser: dbsqlc.StytchUser{Status: statusPending}}
	if err := req.profile.apply(&fresh); err != nil {
		return nil, err
	}
	done, err := s.loginOrCreateBy(c, req.Email, fresh, func(q *dbsqlc.Queries, user *account, to dbsqlc.StytchEmail, created bool) (queuedMail, error) {
		if user.Status == statusActive {
			return queuedMail{}, errDuplicateEmail
		}
		if !created {
			if err := req.profile.apply(user); err != nil {
				return queuedMail{}, err
			}
			if err := s.saveUser(c.ctx, q, user); err != nil {
				return queuedMail{}, err
			}
		}
		return s.mailLink(c.ctx, q, user, to, order)
	})
	if err != nil {
		return nil, err
	}
	return &done.(*loginOrCreateAnswer).sentAnswer, nil
}

// revokeInvite makes the invitations mailed to an address worthless. The pending
// user stays.
func (s *Server) revokeInvite(c *call) (response, error) {
	var req struct {
		Email string `json:"email"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	email, err := parseEmail(req.Email)
	if err != nil {
		return nil, err
	}
	err = s.tx(c.ctx, func(q *dbsqlc.Queries) error {
		row, found, err := s.findEmail(c.ctx, q, email)
		if err != nil {
			return err
		}
		if !found {
			return errEmailNotFound
		}
		_, err = q.RevokeInvites(c.ctx, dbsqlc.RevokeInvitesParams{UsedAt: s.now(), UserID: row.UserID, MethodID: row.EmailID})
		return err
	})
	return &meta{}, err
}

type embeddedAnswer struct {
	meta
	UserID string `json:"user_id"`
	Token  string `json:"token"`
}

// createEmbeddedLink makes a link for the caller to hand over in their own way.
func (s *Server) createEmbeddedLink(c *call) (response, error) {
	var req struct {
		UserID     string      `json:"user_id"`
		Minutes    *int64      `json:"expiration_minutes"`
		Attributes *attributes `json:"attributes"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	valid, err := lifetime(kindEmbedded, req.Minutes)
	if err != nil {
		return nil, err
	}
	order := linkParams{kind: kindEmbedded, details: linkDetails{Attributes: req.Attributes.truncate()}}
	var out embeddedAnswer
	var user account
	err = s.readThenTx(c.ctx, func() (err error) {
		user, err = s.findUser(c.ctx, s.read, req.UserID)
		return err
	}, func(q *dbsqlc.Queries) error {
		if _, err := s.lockUser(c.ctx, q, user.UserID); err != nil {
			return err
		}
		token, err := s.makeLink(c.ctx, q, user.UserID, newID("embedded-magic-link"), s.now()+valid.Microseconds(), order)
		out = embeddedAnswer{UserID: user.UserID, Token: token}
		return err
	})
	return &out, err
}
