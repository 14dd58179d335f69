package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// unavailableGrace is how long after Stytch's last word a session goes on while Stytch is
// out of reach.
const unavailableGrace = time.Hour

// Check returns the session that a token stands for. Errors: ErrEnded (an
// ordinary thing: sign in again), ErrUnavailable (Stytch has been out of reach
// for too long to rely on its last word), directory.ErrUnavailable. On the last
// two, the browser should keep its cookie.
func (m *Service) Check(ctx context.Context, token string, b Browser) (Session, error) {
	s, err := m.store.GetSession(ctx, Hash(token))
	if errors.Is(err, directory.ErrNotFound) {
		return Session{}, ErrEnded
	}
	if err != nil {
		return Session{}, err
	}
	now := m.opts.Now()
	if !now.Before(s.ExpiresAt) || s.User.Status != directory.Active {
		return Session{}, ErrEnded
	}
	if now.Sub(s.VerifiedAt) < m.opts.Recheck {
		return s, nil
	}
	return m.recheck(ctx, token, s, b)
}

// recheck asks Stytch about a session, once for all requests that want to know
// at the same time. The flight is keyed by the hash of the whole token, so that
// nobody can get another session's answer.
func (m *Service) recheck(ctx context.Context, token string, s Session, b Browser) (Session, error) {
	v, err, _ := m.rechecking.Do(s.TokenHash, func() (any, error) { return m.verifyWithProvider(context.WithoutCancel(ctx), token, s, b) })
	standing := v.(ProviderSession)
	switch {
	case err == nil && !standing.matches(s):
		// Nonsense lets nobody in.
		m.opts.Log.Error("session: Stytch answered about another person or session", "user", s.UserID, "session", s.StytchSessionID)
		e := b.origin().NewEvent(event.StytchMismatch, m.opts.Now(), s.UserID, s.User.Email.Normalized, "Stytch answered about another person or session")
		m.recordLimited(ctx, "mismatches-of-user", s.UserID, e)
		return Session{}, ErrUnavailable
	case err == nil:
		return m.withVerified(s, standing), nil
	case errors.Is(err, ErrEnded):
		return Session{}, ErrEnded
	case m.opts.Now().Sub(s.VerifiedAt) < unavailableGrace:
		m.opts.Log.Warn("session: goes on without a check", "user", s.UserID, "verified_at", s.VerifiedAt, "error", err)
		return s, nil
	}
	return Session{}, fmt.Errorf("%w: %v", ErrUnavailable, err) // whatever it was, it is not the person's doing
}

// verifyWithProvider asks Stytch about a session and writes down what it says.
func (m *Service) verifyWithProvider(ctx context.Context, token string, s Session, b Browser) (ProviderSession, error) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	standing, err := m.provider.AuthenticateSession(call, token)
	switch {
	case errors.Is(err, ErrEnded):
		if _, err := m.Revoke(ctx, b.origin(), s.UserID, "revoked at Stytch", func(other Session) bool { return other.TokenHash == s.TokenHash }); err != nil {
			m.opts.Log.Warn("session: revoked at Stytch, but its row could not be deleted", "user", s.UserID, "error", err)
		}
	case err == nil && standing.matches(s):
		if err := m.store.SaveVerification(ctx, m.withVerified(s, standing)); err != nil {
			m.opts.Log.Warn("session: check not noted; it will be repeated", "user", s.UserID, "error", err)
		}
	}
	return standing, err
}

// withVerified is a session that Stytch has just stood by.
func (m *Service) withVerified(s Session, standing ProviderSession) Session {
	s.VerifiedAt, s.ExpiresAt = m.opts.Now(), minTime(standing.ExpiresAt, s.ExpiresAt)
	s.User.LastSeenAt = s.VerifiedAt
	return s
}

// matches reports whether an answer is about this session of this person.
func (st ProviderSession) matches(s Session) bool {
	return st.StytchUserID == s.User.StytchUserID && st.SessionID == s.StytchSessionID
}
