package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// unavailableGrace is how long a session remains valid after its last verification if
// the provider is unavailable.
const unavailableGrace = time.Hour

// Check returns the session of a token. Errors: ErrEnded (sign in again), ErrUnavailable
// (the provider has been unavailable for too long), directory.ErrUnavailable. On the last
// two, the browser should keep its cookie.
func (s *Service) Check(ctx context.Context, token string, b Browser) (Session, error) {
	sess, err := s.store.GetSession(ctx, Hash(token))
	if errors.Is(err, directory.ErrNotFound) {
		return Session{}, ErrEnded
	}
	if err != nil {
		return Session{}, err
	}
	return s.recheck(ctx, sess, b, func(ctx context.Context) (ProviderSession, error) {
		return s.provider.AuthenticateSession(ctx, token)
	})
}

// Recheck is Check for a caller that has read the session, with its user, and doesn't know
// its token, such as one that found it by an app's credential.
func (s *Service) Recheck(ctx context.Context, sess Session, b Browser) (Session, error) {
	return s.recheck(ctx, sess, b, func(ctx context.Context) (ProviderSession, error) {
		return s.provider.GetSession(ctx, sess.User.StytchUserID, sess.StytchSessionID)
	})
}

// recheck returns a session if it is live, after verifying it with the provider if the
// last verification is too old. Concurrent calls are coalesced by the hash of the whole
// token, so that no caller gets another session's answer.
func (s *Service) recheck(
	ctx context.Context, sess Session, b Browser, ask func(context.Context) (ProviderSession, error),
) (Session, error) {
	now := s.opts.Now()
	if !sess.isLive(now) {
		return Session{}, ErrEnded
	}
	if now.Sub(sess.VerifiedAt) < s.opts.Recheck {
		return sess, nil
	}
	v, err, _ := s.rechecking.Do(sess.TokenHash, func() (any, error) { return s.verify(context.WithoutCancel(ctx), sess, b, ask) })
	answer := v.(ProviderSession)
	switch {
	case err == nil && !answer.matches(sess):
		// Reject a response that describes another session or user.
		const mismatch = "the login service answered about another person or session"
		s.log.Error("Stytch's response describes another session or user", "user", sess.UserID, "session", sess.StytchSessionID)
		s.recordLimited(ctx, "mismatches-of-user", sess.UserID,
			b.Origin().NewEvent(event.StytchMismatch, s.opts.Now(), sess.UserID, sess.User.Email.Normalized, mismatch))
		return Session{}, ErrUnavailable
	case err == nil:
		return s.verified(sess, answer), nil
	case errors.Is(err, ErrEnded):
		return Session{}, ErrEnded
	case s.opts.Now().Sub(sess.VerifiedAt) < unavailableGrace:
		s.log.Warn("session not verified; it stays valid for now", "user", sess.UserID, "verified_at", sess.VerifiedAt, "error", err)
		return sess, nil
	}
	return Session{}, fmt.Errorf("%w: %v", ErrUnavailable, err) // not caused by the user
}

// verify asks the provider about a session and saves the answer.
func (s *Service) verify(
	ctx context.Context, sess Session, b Browser, ask func(context.Context) (ProviderSession, error),
) (ProviderSession, error) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := ask(call)
	switch {
	case errors.Is(err, ErrEnded):
		match := func(other Session) bool { return other.TokenHash == sess.TokenHash }
		if _, err := s.Revoke(ctx, b.Origin(), sess.UserID, "revoked at Stytch", match); err != nil {
			s.log.Warn("session revoked at Stytch not deleted here", "user", sess.UserID, "error", err)
		}
	case err == nil && answer.matches(sess):
		if err := s.store.SaveVerification(ctx, s.verified(sess, answer)); err != nil {
			s.log.Warn("session verification not saved; it will be repeated", "user", sess.UserID, "error", err)
		}
	}
	return answer, err
}

// verified returns the session as confirmed by the provider now.
func (s *Service) verified(sess Session, answer ProviderSession) Session {
	sess.VerifiedAt = s.opts.Now()
	sess.User.LastSeenAt = sess.VerifiedAt
	if answer.ExpiresAt.Before(sess.ExpiresAt) {
		sess.ExpiresAt = answer.ExpiresAt
	}
	return sess
}

// matches reports whether the answer describes the session and its user.
func (p ProviderSession) matches(sess Session) bool {
	return p.StytchUserID == sess.User.StytchUserID && p.SessionID == sess.StytchSessionID
}
