package stytchlocal

import (
	"encoding/json"
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

// loginOrCreate emails a link to any address. If no user owns it, it creates one.
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
	newUser := account{StytchUser: dbsqlc.StytchUser{Status: newStatus(req.Pending)}}
	return s.mailOrCreate(c, req.Email, newUser, func(_ *dbsqlc.Queries, user *account, created bool) (linkParams, error) {
		return s.paramsFor(&req.linkRequest, user, created)
	})
}

// mailOrCreate emails a link to the user who owns an address, or to newUser, which it
// creates if no user does. The function params, which may change the user, returns the
// link.
func (s *Server) mailOrCreate(c *call, email string, newUser account,
	params func(q *dbsqlc.Queries, user *account, created bool) (linkParams, error),
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
		p, err := params(q, &user, out.UserCreated)
		if err != nil {
			return err
		}
		m, err = s.queueLink(c.ctx, q, &user, to, p)
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

// sendLink emails a link to an address that a user has, or that the named user wants to
// add.
func (s *Server) sendLink(c *call) (response, error) {
	var req struct {
		linkRequest
		userSelector
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
	var out sentResponse
	var m queuedMail
	err := s.readThenTx(c.ctx, func() (err error) {
		userID, err = s.findRecipient(c.ctx, req.userSelector, req.Email)
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
		out.UserID, out.EmailID = user.UserID, to.EmailID
		p, err := s.paramsFor(&req.linkRequest, &user, false)
		if err != nil {
			return err
		}
		m, err = s.queueLink(c.ctx, q, &user, to, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.sendWebhookIfChanged(before, &user)
	return &out, s.sendQueued(c.ctx, m)
}

// invite emails an invitation to the user who owns an address, or to a new user. Both must
// be pending. The profile in the request is added to the user's.
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
	p, err := s.newLinkParams(kindInvite, req.URL, req.Minutes, "", req.Attributes)
	if err != nil {
		return nil, err
	}
	p.invitedBy = inviter(req.Trusted)
	newUser := account{StytchUser: dbsqlc.StytchUser{Status: statusPending}}
	if err := req.profile.apply(&newUser); err != nil {
		return nil, err
	}
	out, err := s.mailOrCreate(c, req.Email, newUser, func(q *dbsqlc.Queries, user *account, created bool) (linkParams, error) {
		if user.Status == statusActive {
			return p, errDuplicateEmail
		}
		if created {
			return p, nil
		}
		if err := req.profile.apply(user); err != nil {
			return p, err
		}
		return p, s.saveUser(c.ctx, q, user)
	})
	return &out.sentResponse, err
}

// inviter returns the name of the inviting person, if the app includes it in the trusted
// metadata of this invitation.
func inviter(trusted json.RawMessage) string {
	var metadata struct {
		InvitedBy string `json:"invited_by"`
	}
	if err := json.Unmarshal(trusted, &metadata); err != nil {
		return "" // missing, or not a string
	}
	return metadata.InvitedBy
}

// revokeInvite invalidates the invitations sent to an address. The pending user stays.
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

type embeddedLinkResponse struct {
	meta
	UserID string `json:"user_id"`
	Token  string `json:"token"`
}

// createEmbeddedLink creates a link that the caller delivers.
func (s *Server) createEmbeddedLink(c *call) (response, error) {
	var req struct {
		UserID     string      `json:"user_id"`
		Minutes    *int64      `json:"expiration_minutes"`
		Attributes *attributes `json:"attributes"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	lifetime, err := linkLifetime(kindEmbedded, req.Minutes)
	if err != nil {
		return nil, err
	}
	p := linkParams{kind: kindEmbedded, details: linkDetails{Attributes: req.Attributes.truncate()}}
	var out embeddedLinkResponse
	_, _, err = s.changeUser(c.ctx, req.UserID, func(q *dbsqlc.Queries, user *account) (err error) {
		out.UserID = user.UserID
		out.Token, err = s.createLink(c.ctx, q, user.UserID, newID("embedded-magic-link"), s.now()+lifetime.Microseconds(), p)
		return err
	})
	return &out, err
}
