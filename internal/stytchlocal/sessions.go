package stytchlocal

import (
	"database/sql"
	"errors"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

type sessionsResponse struct {
	meta
	Sessions []*sessionObject `json:"sessions"`
}

func (s *Server) listSessions(c *call) (response, error) {
	user, err := s.findUser(c.ctx, s.read, c.r.URL.Query().Get("user_id"))
	if err != nil {
		return nil, err
	}
	rows, err := s.read.ListSessionsOfUser(c.ctx, dbsqlc.ListSessionsOfUserParams{UserID: user.UserID, Now: s.now()})
	if err != nil {
		return nil, wrap("list sessions", err)
	}
	out := &sessionsResponse{Sessions: []*sessionObject{}}
	for _, row := range rows {
		session, err := openSession(row, &user)
		if err != nil {
			return nil, err
		}
		out.Sessions = append(out.Sessions, session.object())
	}
	return out, nil
}

type sessionResponse struct {
	meta
	Session      *sessionObject `json:"session"`
	SessionToken string         `json:"session_token"`
	SessionJWT   string         `json:"session_jwt"`
	User         userObject     `json:"user"`
	Verdict      *emptyObject   `json:"verdict"`
}

// authenticateSession checks that a session is active, records its use and returns a new
// JWT.
func (s *Server) authenticateSession(c *call) (response, error) {
	var req struct {
		sessionRequest
		AuthorizationCheck *struct{} `json:"authorization_check"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	if req.SessionToken == "" && req.SessionJWT == "" {
		return nil, errNoSession
	}
	if req.AuthorizationCheck != nil { // ignoring it would grant the request
		return nil, errNoAuthorizationCheck
	}
	opts, err := s.checkSessionRequest(c.ctx, &req.sessionRequest)
	if err != nil {
		return nil, err
	}
	var user account
	var changed *session
	err = s.readThenTx(c.ctx, func() (err error) {
		user, err = s.findUser(c.ctx, s.read, opts.existing.UserID)
		if errors.Is(err, errUserNotFound) {
			return errSessionNotFound
		}
		return err
	}, func(q *dbsqlc.Queries) (err error) {
		changed, err = s.changeSession(c.ctx, q, &user, opts, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	jwt, err := s.signJWT(s.keys(c.ctx), changed)
	if err != nil {
		return nil, err
	}
	return &sessionResponse{
		Session: changed.object(), SessionToken: s.sessionToken(changed.SessionID), SessionJWT: jwt, User: user.object(),
	}, nil
}

func (s *Server) revokeSession(c *call) (response, error) {
	var req struct {
		SessionID    string `json:"session_id"`
		SessionToken string `json:"session_token"`
		SessionJWT   string `json:"session_jwt"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	arguments := 0
	for _, field := range []string{req.SessionID, req.SessionToken, req.SessionJWT} {
		if field != "" {
			arguments++
		}
	}
	switch {
	case arguments == 0:
		return nil, errNothingToRevoke
	case arguments > 1:
		return nil, errTooManyToRevoke
	case req.SessionID != "" && !isID("session", req.SessionID):
		return nil, errInvalidSessionID
	}
	if req.SessionID == "" {
		session, err := s.findSession(c.ctx, req.SessionToken, req.SessionJWT)
		if err != nil {
			return nil, err
		}
		req.SessionID = session.SessionID
	}
	err := s.tx(c.ctx, func(q *dbsqlc.Queries) error {
		row, err := q.GetSession(c.ctx, req.SessionID)
		if errors.Is(err, sql.ErrNoRows) || err == nil && row.ExpiresAt <= s.now() {
			return errSessionNotFound
		}
		if err != nil {
			return wrap("get session", err)
		}
		n, err := q.DeleteSession(c.ctx, req.SessionID)
		if err == nil && n == 0 {
			return errSessionNotFound
		}
		return err
	})
	return &meta{}, err
}
