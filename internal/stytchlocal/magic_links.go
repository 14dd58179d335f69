package stytchlocal

import (
	"encoding/json"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

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
	return s.mailOrCreate(c, req.Email, newUser, func(q *dbsqlc.Queries, user *account, to dbsqlc.StytchEmail, created bool) (queuedMail, error) {
		p, err := s.paramsFor(&req.linkRequest, user, created)
		if err != nil {
			return queuedMail{}, err
		}
		return s.queueLink(c.ctx, q, user, to, p)
	})
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
	return s.mailUser(c, req.userSelector, req.Email, func(q *dbsqlc.Queries, user *account, to dbsqlc.StytchEmail) (queuedMail, error) {
		p, err := s.paramsFor(&req.linkRequest, user, false)
		if err != nil {
			return queuedMail{}, err
		}
		return s.queueLink(c.ctx, q, user, to, p)
	})
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
	out, err := s.mailOrCreate(c, req.Email, newUser, func(q *dbsqlc.Queries, user *account, to dbsqlc.StytchEmail, created bool) (queuedMail, error) {
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
		return s.queueLink(c.ctx, q, user, to, p)
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
