package stytchlocal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// sessionRequest is what every call that may make or change a session is given.
type sessionRequest struct {
	SessionToken string `json:"session_token"`
	SessionJWT   string `json:"session_jwt"`
	Minutes      *int64 `json:"session_duration_minutes"`
	CustomClaims claims `json:"session_custom_claims"`
}

// sessionOptions is a sessionRequest that has passed its checks.
type sessionOptions struct {
	existing *dbsqlc.StytchSession // the session that was named; nil: none
	duration time.Duration         // 0: not given
	claims   claims                // to be merged; nil: none
}

// Sessions last between five minutes and 366 days.
const minSession, maxSession = 5, 527040

func (s *Server) checkSessionRequest(ctx context.Context, r *sessionRequest) (sessionOptions, error) {
	var wish sessionOptions
	if r.Minutes != nil {
		if *r.Minutes < minSession || *r.Minutes > maxSession {
			return wish, errInvalidDuration
		}
		wish.duration = time.Duration(*r.Minutes) * time.Minute
	}
	if err := r.CustomClaims.check(); err != nil {
		return wish, err
	}
	wish.claims = r.CustomClaims
	var err error
	wish.existing, err = s.findSession(ctx, r.SessionToken, r.SessionJWT)
	return wish, err
}

// findSession returns the live session that a request names by token or JWT; nil
// if it names none. The JWT may be past its own time, as long as the session isn't.
func (s *Server) findSession(ctx context.Context, token, jwt string) (*dbsqlc.StytchSession, error) {
	var row dbsqlc.StytchSession
	var err error
	switch {
	case token != "" && jwt != "":
		return nil, errTooManySessions
	case token != "":
		if !tokenForm().MatchString(token) {
			return nil, errInvalidSessionToken
		}
		row, err = s.read.GetSessionByToken(ctx, hashToken(token))
	case jwt != "":
		var id string
		if id, err = s.parseJWT(s.keys(ctx), jwt); err != nil {
			return nil, err
		}
		row, err = s.read.GetSession(ctx, id)
	default:
		return nil, nil
	}
	if errors.Is(err, sql.ErrNoRows) || err == nil && row.ExpiresAt <= s.now() {
		return nil, errSessionNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("get session: %w", err)
	}
	return &row, nil
}

// grantSession gives a user who has just shown a factor what they wish: the factor added
// to the session they hold, or a new session if they say how long. A session of
// somebody else is left alone. It returns nil if there is to be no session.
func (s *Server) grantSession(ctx context.Context, q *dbsqlc.Queries, user *account, wish sessionOptions, f factor, attrs *attributes) (*session, error) {
	if wish.existing != nil && wish.existing.UserID == user.UserID {
		return s.changeSession(ctx, q, user, wish, &f)
	}
	if wish.duration == 0 {
		return nil, nil
	}
	now, id := s.now(), newID("session")
	fresh := &session{
		StytchSession: dbsqlc.StytchSession{
			SessionID: id, TokenHash: hashToken(s.sessionToken(id)), UserID: user.UserID,
			StartedAt: now, LastAccessedAt: now, ExpiresAt: now + wish.duration.Microseconds(),
		},
		sessionDetails: sessionDetails{Attributes: attrs},
		roles:          user.Roles,
	}
	fresh.addFactor(f, toTime(now))
	var err error
	if fresh.Claims, err = fresh.Claims.merge(wish.claims); err != nil {
		return nil, err
	}
	details, err := json.Marshal(fresh.sessionDetails)
	if err != nil {
		return nil, err
	}
	fresh.Details = string(details)
	if err := q.InsertSession(ctx, dbsqlc.InsertSessionParams(fresh.StytchSession)); err != nil {
		return nil, fmt.Errorf("insert session: %w", err)
	}
	return fresh, nil
}

// changeSession carries out a wish on the session it names, with a factor or
// without. Without a duration the session ends when it would have.
func (s *Server) changeSession(ctx context.Context, q *dbsqlc.Queries, user *account, wish sessionOptions, f *factor) (*session, error) {
	now := s.now()
	n, err := q.TouchSession(ctx, dbsqlc.TouchSessionParams{Now: now, SessionID: wish.existing.SessionID})
	if err != nil {
		return nil, fmt.Errorf("touch session: %w", err)
	}
	if n == 0 {
		return nil, errSessionNotFound
	}
	row, err := q.GetSession(ctx, wish.existing.SessionID)
	if err != nil {
		return nil, fmt.Errorf("get session: %w", err)
	}
	changed, err := openSession(row, user)
	if err != nil {
		return nil, err
	}
	if f != nil {
		changed.addFactor(*f, toTime(now))
	}
	if changed.Claims, err = changed.Claims.merge(wish.claims); err != nil {
		return nil, err
	}
	if wish.duration > 0 {
		changed.ExpiresAt = now + wish.duration.Microseconds()
	}
	if f == nil && wish.claims == nil && wish.duration == 0 {
		return changed, nil
	}
	details, err := json.Marshal(changed.sessionDetails)
	if err != nil {
		return nil, err
	}
	_, err = q.UpdateSession(ctx, dbsqlc.UpdateSessionParams{
		Details: string(details), ExpiresAt: changed.ExpiresAt, SessionID: changed.SessionID,
	})
	if err != nil {
		return nil, fmt.Errorf("update session: %w", err)
	}
	return changed, nil
}
