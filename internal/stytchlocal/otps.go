package stytchlocal

import "github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"

type codeRequest struct {
	mailRequest
	Minutes *int64 `json:"expiration_minutes"`
}

func (r *codeRequest) params() (codeParams, error) {
	if err := r.mailRequest.check(); err != nil {
		return codeParams{}, err
	}
	lifetime, err := codeLifetime(r.Minutes)
	return codeParams{lifetime: lifetime, attributes: r.Attributes}, err
}

// loginOrCreateByCode emails a passcode to any address. If no user owns it, it creates one.
func (s *Server) loginOrCreateByCode(c *call) (response, error) {
	var req struct {
		codeRequest
		Pending bool `json:"create_user_as_pending"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	p, err := req.params()
	if err != nil {
		return nil, err
	}
	newUser := account{StytchUser: dbsqlc.StytchUser{Status: newStatus(req.Pending)}}
	return s.mailOrCreate(c, req.Email, newUser, func(q *dbsqlc.Queries, user *account, to dbsqlc.StytchEmail, _ bool) (queuedMail, error) {
		return s.queueCode(c.ctx, q, user, to, p)
	})
}

// sendCode emails a passcode to an address that a user has, or that the named user wants to
// add.
func (s *Server) sendCode(c *call) (response, error) {
	var req struct {
		codeRequest
		userSelector
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	p, err := req.params()
	if err != nil {
		return nil, err
	}
	return s.mailUser(c, req.userSelector, req.Email, func(q *dbsqlc.Queries, user *account, to dbsqlc.StytchEmail) (queuedMail, error) {
		return s.queueCode(c.ctx, q, user, to, p)
	})
}

// authenticateCode redeems a passcode. It checks the whole request first, so that a mistake
// other than a wrong code does not count as a try.
func (s *Server) authenticateCode(c *call) (response, error) {
	var req struct {
		sessionRequest
		MethodID   string       `json:"method_id"`
		Code       string       `json:"code"`
		Attributes *attributes  `json:"attributes"`
		Options    matchOptions `json:"options"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	req.Attributes = req.Attributes.truncate()
	switch {
	case !isID("email", req.MethodID):
		return nil, errInvalidMethodID
	case !codePattern.MatchString(req.Code):
		return nil, errInvalidCode
	}
	opts, err := s.checkSessionRequest(c.ctx, &req.sessionRequest)
	if err != nil {
		return nil, err
	}
	code, details, err := s.findCode(c.ctx, req.MethodID)
	if err != nil {
		return nil, err
	}
	if err := req.Options.check(details.Attributes, req.Attributes); err != nil {
		return nil, err
	}
	if err := s.tryCode(c.ctx, code, req.Code); err != nil {
		return nil, err
	}
	granted, err := s.authenticate(c.ctx, authentication{
		userID: code.UserID, gone: errCodeNotFound, opts: opts, attributes: req.Attributes,
		prove: func(q *dbsqlc.Queries, user *account) (factor, error) { return s.spendCode(c.ctx, q, user, code) },
	})
	return &authenticateResponse{authenticated: granted, MethodID: code.MethodID}, err
}
