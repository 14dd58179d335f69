package session

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
)

// grace is how long after Stytch's last word a session goes on while Stytch is
// out of reach.
const grace = time.Hour

// Check returns the session that a token stands for. Errors: ErrEnded (an
// ordinary thing: sign in again), ErrUnavailable (Stytch has been out of reach
// for too long to rely on its last word), directory.ErrUnavailable. On the last
// two, the browser should keep its cookie.
func (m *Manager) Check(ctx context.Context, token string) (Session, error) {
	s, err := m.store.GetSession(ctx, Hash(token))
	if errors.Is(err, directory.ErrNotFound) {
		return Session{}, ErrEnded
	}
	if err != nil {
		return Session{}, err
	}
	now := m.Now()
	if !now.Before(s.ExpiresAt) || s.User.Status != directory.Active {
		return Session{}, ErrEnded
	}
	if now.Sub(s.VerifiedAt) < m.Recheck {
		return s, nil
	}
	return m.recheck(ctx, token, s)
}

// recheck asks Stytch about a session, once for all requests that want to know
// at the same time. The flight is keyed by the hash of the whole token, so that
// nobody can get another session's answer.
func (m *Manager) recheck(ctx context.Context, token string, s Session) (Session, error) {
	v, err, _ := m.rechecking.Do(s.TokenHash, func() (any, error) {
		call, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		return m.provider.AuthenticateSession(call, token)
	})
	switch {
	case err == nil:
		return m.verified(ctx, s, v.(Standing))
	case errors.Is(err, ErrEnded):
		if _, err := m.End(ctx, s.UserID, func(other Session) bool { return other.TokenHash == s.TokenHash }); err != nil {
			m.Log.Warn("session: revoked at Stytch, but its row could not be deleted", "user", s.UserID, "error", err)
		}
		return Session{}, ErrEnded
	case m.Now().Sub(s.VerifiedAt) < grace:
		m.Log.Warn("session: goes on without a check", "user", s.UserID, "verified_at", s.VerifiedAt, "error", err)
		return s, nil
	}
	return Session{}, err
}

// verified notes Stytch's good word. An answer about somebody else is nonsense,
// and nonsense lets nobody in.
func (m *Manager) verified(ctx context.Context, s Session, standing Standing) (Session, error) {
	if standing.StytchUserID != s.User.StytchUserID || standing.SessionID != s.StytchID {
		m.Log.Error("session: Stytch answered about another person or session", "user", s.UserID, "session", s.StytchID)
		return Session{}, ErrUnavailable
	}
	s.VerifiedAt, s.ExpiresAt = m.Now(), earlier(standing.ExpiresAt, s.ExpiresAt)
	s.User.LastSeenAt = s.VerifiedAt
	if err := m.store.SetVerified(ctx, s); err != nil {
		m.Log.Warn("session: check not noted; it will be repeated", "user", s.UserID, "error", err)
	}
	return s, nil
}
