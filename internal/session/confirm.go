package session

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/limit"
)

// NewProof is a factor that the user of an existing session has proven.
type NewProof struct {
	SessionHash string
	UserID      string
	Kind        factor.Kind
	At          time.Time
	FactorID    string // of the passkey or authenticator app; empty for an emailed code
	Codes       int    // recovery codes that were used, 0 or 1
	Event       event.Event
}

// RequestConfirmationCode emails the session's user a code for ConfirmWithCode. It is like
// RequestCode.
func (s *Service) RequestConfirmationCode(ctx context.Context, sess Session, flow SignInFlow, b Browser) (SignInFlow, error) {
	b.KnownID = knownBySession(sess)
	return s.RequestCode(ctx, sess.User.Email, flow, b)
}

// knownBySession identifies a browser by its session: the session proves that it has
// signed in, so other browsers can't use up its codes and tries, nor it those of others.
func knownBySession(sess Session) string { return "session " + sess.TokenHash }

// ConfirmWithCode proves an emailed code for the session of a token. Errors: those of
// SignInWithCode, ErrEnded.
func (s *Service) ConfirmWithCode(ctx context.Context, sess Session, token, typed string, flow SignInFlow, b Browser) error {
	code, err := ParseCode(typed)
	if err != nil {
		return err
	}
	if flow.CodeID == "" || flow.Email != sess.User.Email.Normalized {
		return ErrCodeSpent
	}
	b.KnownID = knownBySession(sess)
	return s.confirm(ctx, sess, factor.EmailCode, b, func(ctx context.Context) (Authentication, error) {
		return s.callProvider(ctx, func(ctx context.Context) (Authentication, error) {
			return s.tryCode(ctx, flow, code, token, b)
		})
	})
}

// ConfirmWithPasskey proves a passkey for the session of a token. Errors: those of
// SignInWithPasskey, ErrEnded.
func (s *Service) ConfirmWithPasskey(ctx context.Context, sess Session, token, credential string, b Browser) error {
	return s.confirm(ctx, sess, factor.Passkey, b, func(ctx context.Context) (Authentication, error) {
		return s.authenticatePasskey(ctx, credential, token, b)
	})
}

// ConfirmWithTOTP proves a code of the user's authenticator app for the session of a token.
// Errors: ErrCodeFormat, ErrCodeWrong, ErrCodeSpent, ErrNoAuthenticator, ErrEnded,
// *RateLimitError, ErrUnavailable, directory.ErrUnavailable.
func (s *Service) ConfirmWithTOTP(ctx context.Context, sess Session, token, typed string, b Browser) error {
	code, err := ParseCode(typed)
	if err != nil {
		return err
	}
	if err := s.take(ctx, secondFactorBuckets(sess)...); err != nil {
		return err
	}
	return s.confirm(ctx, sess, factor.TOTP, b, func(ctx context.Context) (Authentication, error) {
		return s.callProvider(ctx, func(ctx context.Context) (Authentication, error) {
			return s.provider.AuthenticateTOTP(ctx, sess.User.StytchUserID, code, token, b)
		})
	})
}

// ConfirmWithRecoveryCode uses up one of the user's recovery codes for the session of a
// token. Errors: those of ConfirmWithTOTP.
func (s *Service) ConfirmWithRecoveryCode(ctx context.Context, sess Session, token, typed string, b Browser) error {
	code, err := factor.ParseRecoveryCode(typed)
	if err != nil {
		return ErrCodeFormat
	}
	if err := s.take(ctx, secondFactorBuckets(sess)...); err != nil {
		return err
	}
	return s.confirm(ctx, sess, factor.RecoveryCode, b, func(ctx context.Context) (Authentication, error) {
		return s.callProvider(ctx, func(ctx context.Context) (Authentication, error) {
			return s.provider.AuthenticateRecoveryCode(ctx, sess.User.StytchUserID, code, token, b)
		})
	})
}

// CountSetupTry counts a try of a code that completes the setup of an authenticator app.
// Errors: *RateLimitError.
func (s *Service) CountSetupTry(ctx context.Context, sess Session) error {
	return s.take(ctx, secondFactorBuckets(sess)...)
}

// CountSetup counts a setup of an authenticator app that is begun. Errors: *RateLimitError.
func (s *Service) CountSetup(ctx context.Context, sess Session) error {
	return s.take(ctx, limit.NewBucket("setups-of-user", sess.UserID, setupsPerUser))
}

// secondFactorBuckets returns the buckets of a try of a code that is not emailed: of the
// session, so that a stolen one can't use up its user's tries, and of the user.
func secondFactorBuckets(sess Session) []limit.Bucket {
	return []limit.Bucket{
		limit.NewBucket("second-factors-of-session", sess.TokenHash, secondFactorsPerSession),
		limit.NewBucket("second-factors-of-user", sess.UserID, secondFactorsPerUser),
	}
}

// confirm proves a factor for a session, which the provider's session then has as well.
func (s *Service) confirm(ctx context.Context, sess Session, kind factor.Kind, b Browser, authenticate func(context.Context) (Authentication, error)) error {
	by := b.Origin().WithActor(sess.UserID, sess.User.Email.Normalized)
	auth, err := authenticate(ctx)
	if err != nil {
		return s.recordUnconfirmed(ctx, sess, by, kind, err)
	}
	ctx = context.WithoutCancel(ctx)
	if auth.StytchUserID != sess.User.StytchUserID || auth.SessionID != sess.StytchSessionID {
		// The provider's session has ended, or the factor is another user's: it answered with a new session.
		s.revokeUnclaimed(ctx, b, auth, sess.UserID, sess.User.Email.Normalized, ErrEnded)
		return ErrEnded
	}
	now := s.opts.Now()
	proof := NewProof{
		SessionHash: sess.TokenHash, UserID: sess.UserID, Kind: kind, At: now,
		Event: by.NewEvent(event.Confirmed, now, sess.UserID, sess.User.Email.Normalized, confirmedBy(kind)),
	}
	if kind == factor.RecoveryCode {
		proof.Codes = 1
	}
	if auth.FactorID != "" {
		f, _, _, err := s.store.GetFactorByProvider(ctx, auth.FactorID)
		if errors.Is(err, directory.ErrNotFound) || err == nil && f.UserID != sess.UserID {
			err = ErrNoAuthenticator // removed here, and at the provider soon
			if kind == factor.Passkey {
				err = ErrPasskeyUnknown
			}
		}
		if err != nil {
			return s.recordUnconfirmed(ctx, sess, by, kind, err)
		}
		proof.FactorID = f.ID
	}
	err = s.store.AddProof(ctx, proof)
	if errors.Is(err, directory.ErrNotFound) {
		return ErrEnded
	}
	return err
}

// confirmedBy is the reason of a Confirmed event. It is stored.
func confirmedBy(kind factor.Kind) string { return "by " + kind.Label() }

// recordUnconfirmed records a refused confirmation and returns the error.
func (s *Service) recordUnconfirmed(ctx context.Context, sess Session, by event.Origin, kind factor.Kind, err error) error {
	for _, refused := range []error{ErrCodeWrong, ErrCodeSpent, ErrPasskey, ErrPasskeyUnknown, ErrUserVerification, ErrNoAuthenticator} {
		if errors.Is(err, refused) {
			e := by.NewEvent(event.ConfirmRefused, s.opts.Now(), sess.UserID, sess.User.Email.Normalized, kind.Label()+": "+refused.Error())
			s.recordLimited(ctx, "confirm-refusals-of-user", sess.UserID, e)
		}
	}
	return err
}
