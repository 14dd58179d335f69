package stytchlocal

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

type sessionsAnswer struct {
	meta
	Sessions []*sessionObject `json:"sessions"`
}

// listSessions shows a user's live sessions, oldest first.
func (s *Server) listSessions(c *call) (response, error) {
	user, err := s.findUser(c.ctx, s.read, c.r.URL.Query().Get("user_id"))
	if err != nil {
		return nil, err
	}
	rows, err := s.read.ListSessionsOfUser(c.ctx, dbsqlc.ListSessionsOfUserParams{UserID: user.UserID, Now: s.now()})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	out := &sessionsAnswer{Sessions: []*sessionObject{}}
	for _, row := range rows {
		session, err := openSession(row, &user)
		if err != nil {
			return nil, err
		}
		out.Sessions = append(out.Sessions, session.object())
	}
	return out, nil
}

type sessionAnswer struct {
	meta
	Session      *sessionObject `json:"session"`
	SessionToken string         `json:"session_token"`
	SessionJWT   string         `json:"session_jwt"`
	User         userObject     `json:"user"`
	Verdict      *emptyObject   `json:"verdict"`
}

// authenticateSession says whether a session is alive, notes that it was used,
// and returns a fresh JWT.
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
	if req.AuthorizationCheck != nil { // better refused than granted by mistake
		return nil, errAuthorizationNotThere
	}
	wish, err := s.checkSessionRequest(c.ctx, &req.sessionRequest)
	if err != nil {
		return nil, err
	}
	var user account
	var changed *session
	err = s.readThenTx(c.ctx, func() (err error) {
		user, err = s.findUser(c.ctx, s.read, wish.existing.UserID)
		if errors.Is(err, errUserNotFound) {
			return errSessionNotFound
		}
		return err
	}, func(q *dbsqlc.Queries) (err error) {
		changed, err = s.changeSession(c.ctx, q, &user, wish, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	jwt, err := s.signJWT(s.keys(c.ctx), changed)
	if err != nil {
		return nil, err
	}
	return &sessionAnswer{
		Session: changed.object(), SessionToken: s.sessionToken(changed.SessionID), SessionJWT: jwt, User: user.object(),
	}, nil
}

// revokeSession ends a session named in one of three ways.
func (s *Server) revokeSession(c *call) (response, error) {
	var req struct {
		SessionID    string `json:"session_id"`
		SessionToken string `json:"session_token"`
		SessionJWT   string `json:"session_jwt"`
	}
	if err := c.decode(&req); err != nil {
		return nil, err
	}
	given := 0
	for _, field := range []string{req.SessionID, req.SessionToken, req.SessionJWT} {
		if field != "" {
			given++
		}
	}
	switch {
	case given == 0:
		return nil, errNothingToRevoke
	case given > 1:
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
			return fmt.Errorf("get session: %w", err)
		}
		n, err := q.DeleteSession(c.ctx, req.SessionID)
		if err == nil && n == 0 {
			return errSessionNotFound
		}
		return err
	})
	return &meta{}, err
}
