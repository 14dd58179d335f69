package session

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/limit"
	"github.com/guestlist/guestlist/internal/outbox"
)

// Credentials are what a browser sends to sign in by a link, or after signing in with
// another provider.
type Credentials struct {
	Kind          factor.Kind // factor.OAuth; empty for a link
	Token         string      // of the emailed link, or from the other provider
	Flow          SignInFlow
	ReplacedToken string // the session token in its cookie; that session ends
	Pressed       bool   // the user pressed the button; false if the page submitted itself
}

// OtherAddress is returned if a page submitted itself with a link for an address that
// the browser didn't request a link for. The user must confirm by pressing the button:
// otherwise another site could sign them in as someone else.
type OtherAddress struct{ Email string }

func (e *OtherAddress) Error() string { return "link is for another address than was asked for" }

// SignIn redeems a link, or the token of another provider, and returns the new session and
// its token. The browser's previous session ends. A browser that redeems it again within
// repeatWindow, with the same flow, gets the session that it has created. Once it is
// redeemed, the sign-in is completed even if the browser disconnects.
//
// directory.ErrNotListed and directory.ErrSuspended are returned only for a proven
// address. Other errors: *OtherAddress, ErrLinkOld, ErrLinkSpent, ErrLinkUnknown,
// ErrOtherBrowser, ErrOAuth, ErrOAuthBrowser, ErrOAuthEmail, ErrOAuthProvider,
// *RateLimitError, ErrTooMany,
// ErrUnavailable, directory.ErrUnavailable.
func (s *Service) SignIn(ctx context.Context, c Credentials, b Browser) (sess Session, token string, err error) {
	in := signIn{kind: cmp.Or(c.Kind, factor.EmailLink), secret: c.Token, flow: c.Flow, replaced: c.ReplacedToken}
	in.authenticate = func(ctx context.Context) (Authentication, error) { return s.authenticateLink(ctx, c, b) }
	mayConfirm := !c.Pressed && c.Flow.Asked != ""
	if c.Kind == factor.OAuth {
		if c.Flow.OAuthVerifier == "" {
			err := s.recordInvalid(ctx, ErrOAuthBrowser, "", b) // another site could sign the user in as someone else
			s.reportResult(err)
			return Session{}, "", err
		}
		in.secret = "oauth " + c.Token // a link with the same text would be another attempt
		in.authenticate = func(ctx context.Context) (Authentication, error) { return s.authenticateOAuth(ctx, c, b) }
		mayConfirm = false
	}
	return s.signIn(ctx, in, b, func(email directory.Email) error {
		if mayConfirm && !c.Flow.hasAsked(email.Normalized) {
			return &OtherAddress{email.Normalized}
		}
		return nil
	})
}

// authenticateOAuth redeems a token of another provider. The sign-in has just been made
// there, so it is as new as can be.
func (s *Service) authenticateOAuth(ctx context.Context, c Credentials, b Browser) (Authentication, error) {
	auth, err := s.provider.AuthenticateOAuth(ctx, c.Token, c.Flow.OAuthVerifier, b)
	auth.MadeAt = s.opts.Now()
	return auth, err
}

// signIn redeems a credential that proves an address, and creates the session. confirm may
// refuse the address before that.
func (s *Service) signIn(ctx context.Context, in signIn, b Browser, confirm func(directory.Email) error) (sess Session, token string, err error) {
	defer func() { s.reportResult(err) }()
	auth, err := s.redeem(ctx, in, b)
	if err != nil {
		return Session{}, "", s.recordInvalid(ctx, err, in.subject(), b)
	}
	ctx = context.WithoutCancel(ctx)
	if auth.repeated {
		return s.repeat(ctx, in, auth, b)
	}
	if auth.NotEmailed {
		if err := s.acceptHostLink(ctx, &in, &auth.Authentication); err != nil {
			return Session{}, "", s.reject(ctx, b, auth, "", "", err)
		}
	}
	if in.kind == factor.OAuth {
		in.kind = cmp.Or(auth.Provider, in.kind)
		switch {
		case !slices.Contains(s.opts.OAuth, in.kind): // the project at the login service may have more
			return Session{}, "", s.reject(ctx, b, auth, "", auth.Email, ErrOAuthProvider)
		case auth.Email == "":
			return Session{}, "", s.reject(ctx, b, auth, "", "", ErrOAuthEmail)
		}
	}
	email, err := directory.ParseEmail(auth.Email)
	if err != nil { // no user can have such an address
		return Session{}, "", s.reject(ctx, b, auth, "", auth.Email, directory.ErrNotListed)
	}
	if err := confirm(email); err != nil {
		return Session{}, "", err
	}
	return s.createSession(ctx, in, auth, email, b)
}

// reportResult calls Options.OnSignInResult.
func (s *Service) reportResult(err error) {
	if s.opts.OnSignInResult != nil {
		s.opts.OnSignInResult(outcomeLabel(err))
	}
}

// createSession creates the session of a proven address.
func (s *Service) createSession(ctx context.Context, in signIn, auth redeemed, email directory.Email, b Browser) (Session, string, error) {
	now := s.opts.Now()
	age, err := s.linkAge(ctx, auth.Authentication, email)
	if err != nil {
		return Session{}, "", s.reject(ctx, b, auth, "", email.Normalized, err)
	}
	userID := ""
	sess, err := s.store.CreateSession(ctx, s.newSession(in, auth, email, b), func(a directory.Applicant) (directory.User, []event.Event, error) {
		if a.User != nil {
			userID = a.User.ID
		}
		u, err := s.opts.Admission.Admit(a, auth.StytchUserID, now)
		if err == nil && a.User != nil && age.beforeChange(*a.User) {
			err = ErrLinkOld
		}
		return u, signInEvents(b, u, in.kind, a.User == nil, now), err
	})
	switch {
	case errors.Is(err, ErrAttemptGone): // a concurrent request was faster
		return s.repeat(ctx, in, auth, b)
	case err != nil:
		return Session{}, "", s.reject(ctx, b, auth, userID, email.Normalized, err)
	}
	s.outbox.Wake()
	return sess, auth.SessionToken, nil
}

// newSession returns the session to create for an authentication.
func (s *Service) newSession(in signIn, auth redeemed, email directory.Email, b Browser) SignInRequest {
	now := s.opts.Now()
	expires := now.Add(s.opts.Duration)
	if auth.ExpiresAt.Before(expires) {
		expires = auth.ExpiresAt
	}
	request := SignInRequest{Email: email, AttemptID: auth.attemptID, HostLinkHash: in.hostLinkHash, Session: Session{
		TokenHash: Hash(auth.SessionToken), StytchSessionID: auth.SessionID, UserAgent: b.UserAgent, Address: b.Address,
		CreatedAt: now, VerifiedAt: now, ExpiresAt: expires,
		Proofs: factor.Proofs("").With(in.kind, now), HasSecondFactor: auth.HasTOTP,
	}}
	if in.replaced != "" {
		request.Replaces = Hash(in.replaced)
		request.EndReplaced = func(old Session) directory.SessionEnd {
			return old.User.EndSession(b.Origin(), old.StytchSessionID, "signed in anew", now)
		}
	}
	return request
}

// signInEvents returns the events of a sign-in, in the order of their IDs. The user is
// their actor.
func signInEvents(b Browser, u directory.User, kind factor.Kind, joined bool, now time.Time) []event.Event {
	by := b.Origin().WithActor(u.ID, u.Email.Normalized)
	var events []event.Event
	if joined {
		events = append(events, by.NewEvent(event.UserJoined, now, u.ID, u.Email.Normalized, ""))
	}
	reason := ""
	if kind != factor.EmailLink {
		reason = "by " + kind.Label()
	}
	return append(events, by.NewEvent(event.SignedIn, now, u.ID, u.Email.Normalized, reason))
}

// reject cleans up after a redeemed credential that created no session because of err, and
// returns err. If the database was unavailable, the attempt is kept for a retry.
func (s *Service) reject(ctx context.Context, b Browser, auth redeemed, userID, subject string, err error) error {
	if auth.attemptID != "" && errors.Is(err, directory.ErrUnavailable) {
		return err
	}
	s.dropAttempt(ctx, auth.attemptID)
	s.revokeUnclaimed(ctx, b, auth.Authentication, userID, subject, err)
	return err
}

// revokeUnclaimed revokes the provider's session of a sign-in that was rejected with
// err, and records the rejection.
func (s *Service) revokeUnclaimed(ctx context.Context, b Browser, auth Authentication, userID, subject string, err error) {
	ctx = context.WithoutCancel(ctx)
	if err := s.store.AddJob(ctx, outbox.New(outbox.RevokeSession, subject, "", auth.SessionID, "", s.opts.Now())); err != nil {
		s.log.Error("session of a rejected sign-in not revoked; it stays at Stytch until it expires", "session", auth.SessionID, "error", err)
	}
	s.outbox.Wake()
	reason := "the session could not be written down"
	for _, rule := range []error{
		directory.ErrNotListed, directory.ErrRemoved, directory.ErrAlias, directory.ErrSourceRoute, directory.ErrSuspended, ErrLinkOld,
		ErrPasskeyUnknown, ErrUserVerification, ErrOAuthEmail, ErrOAuthProvider, ErrLinkUnknown, ErrLinkSpent,
	} {
		if errors.Is(err, rule) {
			reason = rule.Error()
		}
	}
	s.recordAnonymous(ctx, b, b.Origin().NewEvent(event.SignInRefused, s.opts.Now(), userID, subject, reason))
}

// recordInvalid counts an invalid credential against the rate limits, records it, and
// returns the error for the caller. It writes nothing if the total limit is exceeded.
// subject is the address that the credential was for, empty if that is unknown.
func (s *Service) recordInvalid(ctx context.Context, err error, subject string, b Browser) error {
	var reason error
	for _, invalid := range []error{ErrLinkSpent, ErrLinkUnknown, ErrOtherBrowser, ErrOAuth, ErrOAuthBrowser, ErrCodeWrong, ErrCodeSpent, ErrPasskey, ErrPasskeyUnknown, ErrUserVerification} {
		if errors.Is(err, invalid) {
			reason = invalid
		}
	}
	if reason == nil {
		return err // about the service, not the credential
	}
	var refusal *RateLimitError
	switch countErr := s.take(ctx, append(tokenBuckets(b), limit.NewBucket(bucketTokensInAll, b.trafficClass(), invalidTokensTotal))...); {
	case errors.As(countErr, &refusal) && refusal.kind == bucketTokensInAll:
		return err
	case countErr != nil:
		return countErr
	}
	s.recordAnonymous(ctx, b, b.Origin().NewEvent(event.SignInRefused, s.opts.Now(), "", subject, reason.Error()))
	return err
}

// outcomes label the results of sign-ins; the first error that matches counts.
var outcomes = []struct {
	err   error
	label string
}{
	{ErrLinkSpent, "link_spent"},
	{ErrLinkUnknown, "link_unknown"},
	{ErrLinkOld, "link_old"},
	{ErrOtherBrowser, "other_browser"},
	{ErrOAuth, "oauth_refused"},
	{ErrOAuthBrowser, "other_browser"},
	{ErrOAuthEmail, "oauth_unverified"},
	{ErrOAuthProvider, "oauth_refused"},
	{ErrCodeWrong, "code_wrong"},
	{ErrCodeSpent, "code_spent"},
	{ErrPasskey, "passkey_refused"},
	{ErrPasskeyUnknown, "passkey_unknown"},
	{ErrUserVerification, "passkey_refused"},
	{directory.ErrNotListed, "not_listed"},
	{directory.ErrSuspended, "suspended"},
	{ErrTooMany, "too_many"},
	{ErrUnavailable, "stytch_unavailable"},
	{directory.ErrUnavailable, "database_unavailable"},
}

// outcomeLabel returns the metrics label for the result of a sign-in.
func outcomeLabel(err error) string {
	var other *OtherAddress
	switch {
	case err == nil:
		return "signed_in"
	case errors.As(err, &other):
		return "other_address"
	}
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o.label
		}
	}
	return "failed"
}
