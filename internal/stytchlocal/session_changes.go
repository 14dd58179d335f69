package stytchlocal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// sessionRequest is part of every request that may create or change a session.
type sessionRequest struct {
	SessionToken string `json:"session_token"`
	SessionJWT   string `json:"session_jwt"`
	Minutes      *int64 `json:"session_duration_minutes"`
	CustomClaims claims `json:"session_custom_claims"`
}

// sessionOptions is a checked sessionRequest.
type sessionOptions struct {
	existing *dbsqlc.StytchSession // nil if the request names no session
	duration time.Duration         // 0 if the request has none
	claims   claims                // to merge; may be nil
}

// Limits of a session's duration, in minutes: 366 days at most.
const minSession, maxSession = 5, 527040

func (s *Server) checkSessionRequest(ctx context.Context, r *sessionRequest) (sessionOptions, error) {
	var opts sessionOptions
	if r.Minutes != nil {
		if *r.Minutes < minSession || *r.Minutes > maxSession {
			return opts, errInvalidDuration
		}
		opts.duration = time.Duration(*r.Minutes) * time.Minute
	}
	if err := r.CustomClaims.check(); err != nil {
		return opts, err
	}
	opts.claims = r.CustomClaims
	var err error
	opts.existing, err = s.findSession(ctx, r.SessionToken, r.SessionJWT)
	return opts, err
}

// findSession returns the active session of a token or a JWT, or nil if both are empty. An
// expired JWT of an active session is accepted.
func (s *Server) findSession(ctx context.Context, token, jwt string) (*dbsqlc.StytchSession, error) {
	var row dbsqlc.StytchSession
	var err error
	switch {
	case token != "" && jwt != "":
		return nil, errTooManySessions
	case token != "":
		if !tokenPattern.MatchString(token) {
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
		return nil, wrap("get session", err)
	}
	return &row, nil
}

// grantSession adds the factor of an authentication to the user's existing session, or
// creates a session if the options have a duration. It returns nil if there is neither. A
// session of another user is ignored.
func (s *Server) grantSession(ctx context.Context, q *dbsqlc.Queries, user *account, opts sessionOptions, f factor, attrs *attributes) (*session, error) {
	if opts.existing != nil && opts.existing.UserID == user.UserID {
		return s.changeSession(ctx, q, user, opts, &f)
	}
	if opts.duration == 0 {
		return nil, nil
	}
	now, id := s.now(), newID("session")
	created := &session{
		StytchSession: dbsqlc.StytchSession{
			SessionID: id, TokenHash: hashToken(s.sessionToken(id)), UserID: user.UserID,
			StartedAt: now, LastAccessedAt: now, ExpiresAt: now + opts.duration.Microseconds(),
		},
		sessionDetails: sessionDetails{Attributes: attrs},
		roles:          user.Roles,
	}
	created.addFactor(f, toTime(now))
	var err error
	if created.Claims, err = created.Claims.merge(opts.claims); err != nil {
		return nil, err
	}
	details, err := json.Marshal(created.sessionDetails)
	if err != nil {
		return nil, err
	}
	created.Details = string(details)
	return created, wrap("insert session", q.InsertSession(ctx, dbsqlc.InsertSessionParams(created.StytchSession)))
}

// changeSession applies the options and a factor, which may be nil, to the existing
// session. Without a duration, its end stays the same.
func (s *Server) changeSession(ctx context.Context, q *dbsqlc.Queries, user *account, opts sessionOptions, f *factor) (*session, error) {
	now := s.now()
	n, err := q.TouchSession(ctx, dbsqlc.TouchSessionParams{Now: now, SessionID: opts.existing.SessionID})
	if err != nil {
		return nil, wrap("touch session", err)
	}
	if n == 0 {
		return nil, errSessionNotFound
	}
	row, err := q.GetSession(ctx, opts.existing.SessionID)
	if err != nil {
		return nil, wrap("get session", err)
	}
	changed, err := openSession(row, user)
	if err != nil {
		return nil, err
	}
	if f == nil && opts.claims == nil && opts.duration == 0 {
		return changed, nil
	}
	if f != nil {
		changed.addFactor(*f, toTime(now))
	}
	if changed.Claims, err = changed.Claims.merge(opts.claims); err != nil {
		return nil, err
	}
	if opts.duration > 0 {
		changed.ExpiresAt = now + opts.duration.Microseconds()
	}
	details, err := json.Marshal(changed.sessionDetails)
	if err != nil {
		return nil, err
	}
	_, err = q.UpdateSession(ctx, dbsqlc.UpdateSessionParams{
		Details: string(details), ExpiresAt: changed.ExpiresAt, SessionID: changed.SessionID,
	})
	return changed, wrap("update session", err)
}
