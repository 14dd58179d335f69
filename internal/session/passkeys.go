package session

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/limit"
)

// StartPasskey returns the options of a sign-in with a passkey, for
// PublicKeyCredential.parseRequestOptionsFromJSON. They work once, for five minutes.
// Errors: *RateLimitError, ErrUnavailable, directory.ErrUnavailable.
func (s *Service) StartPasskey(ctx context.Context, b Browser) (json.RawMessage, error) {
	if err := s.take(ctx, passkeyBuckets(b)...); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.provider.StartPasskey(ctx)
}

// passkeyBuckets returns the buckets of a started sign-in with a passkey.
func passkeyBuckets(b Browser) []limit.Bucket {
	if b.KnownID != "" {
		return []limit.Bucket{limit.NewBucket("passkeys-of-known", b.KnownID, passkeysPerBrowser)}
	}
	return append(networkBuckets("passkeys-of-network", b.networks(), passkeysPerNetwork), limit.NewBucket("passkeys-in-all", "", passkeysTotal))
}

// SignInWithPasskey signs in with the result of PublicKeyCredential.toJSON. The browser's
// previous session, of the token replaced, ends. directory.ErrSuspended is returned only
// for a valid passkey. Other errors: ErrPasskey, ErrPasskeyUnknown, ErrUserVerification,
// *RateLimitError, ErrTooMany, ErrUnavailable, directory.ErrUnavailable.
func (s *Service) SignInWithPasskey(ctx context.Context, credential, replaced string, b Browser) (sess Session, token string, err error) {
	defer func() { s.reportResult(err) }()
	auth, err := s.authenticatePasskey(ctx, credential, "", b)
	if err != nil {
		return Session{}, "", s.recordInvalid(ctx, err, "", b)
	}
	ctx = context.WithoutCancel(ctx)
	f, email, err := s.findPasskey(ctx, auth)
	if err != nil {
		s.revokeUnclaimed(ctx, b, auth, "", "", err)
		return Session{}, "", s.recordInvalid(ctx, err, "", b)
	}
	in, now := signIn{kind: factor.Passkey, replaced: replaced}, s.opts.Now()
	request := s.newSession(in, redeemed{Authentication: auth}, email, b)
	request.FactorID = f.ID
	sess, err = s.store.CreateSession(ctx, request, func(a directory.Applicant) (directory.User, []event.Event, error) {
		if a.User == nil || a.User.ID != f.UserID || a.User.StytchUserID != auth.StytchUserID {
			return directory.User{}, nil, ErrPasskeyUnknown
		}
		u, err := s.opts.Admission.Admit(a, auth.StytchUserID, now)
		return u, signInEvents(b, u, in.kind, false, now), err
	})
	if err != nil {
		return Session{}, "", s.reject(ctx, b, redeemed{Authentication: auth}, f.UserID, email.Normalized, err)
	}
	s.outbox.Wake()
	return sess, auth.SessionToken, nil
}

// authenticatePasskey checks a credential at the provider, for the session of a token or for
// a new one.
func (s *Service) authenticatePasskey(ctx context.Context, credential, sessionToken string, b Browser) (Authentication, error) {
	parsed, err := factor.ParseCredential(credential)
	if err != nil {
		return Authentication{}, err
	}
	leave, err := s.enterRedeem(ctx, b)
	if err != nil {
		return Authentication{}, err
	}
	defer leave()
	return s.callProvider(ctx, func(ctx context.Context) (Authentication, error) {
		return s.provider.AuthenticatePasskey(ctx, parsed.JSON, sessionToken, b)
	})
}

// findPasskey returns the passkey of an authentication and the address of its user. It
// returns ErrPasskeyUnknown if the passkey was removed here or is another account's.
func (s *Service) findPasskey(ctx context.Context, auth Authentication) (factor.Factor, directory.Email, error) {
	f, email, stytchUserID, err := s.store.GetFactorByProvider(ctx, auth.FactorID)
	if errors.Is(err, directory.ErrNotFound) || err == nil && (f.Kind != factor.Passkey || stytchUserID != auth.StytchUserID) {
		err = ErrPasskeyUnknown
	}
	return f, email, err
}
