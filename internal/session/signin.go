package session

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/limit"
	"github.com/guestlist/guestlist/internal/outbox"
)

// Credentials are what a browser sends to sign in.
type Credentials struct {
	Token         string // of the mailed link
	Flow          SignInFlow
	ReplacedToken string // the session token in its cookie; that session ends
	Pressed       bool   // the user pressed the button; false if the page submitted itself
}

// OtherAddress is returned if a page submitted itself with a link for an address that
// the browser didn't request a link for. The user must confirm by pressing the button:
// otherwise another site could sign them in as someone else.
type OtherAddress struct{ Email string }

func (e *OtherAddress) Error() string { return "link is for another address than was asked for" }

// SignIn redeems a link and returns the new session and its token. The browser's
// previous session ends. A browser that redeems a link again within repeatWindow, with
// the same flow, gets the session that the link has created. Once the link is redeemed,
// the sign-in is completed even if the browser disconnects.
//
// directory.ErrNotListed and directory.ErrSuspended are returned only for a proven
// address. Other errors: *OtherAddress, ErrLinkOld, ErrLinkSpent, ErrLinkUnknown,
// ErrOtherBrowser, *RateLimitError, ErrTooMany, ErrUnavailable, directory.ErrUnavailable.
func (s *Service) SignIn(ctx context.Context, c Credentials, b Browser) (sess Session, token string, err error) {
	defer func() {
		if s.opts.OnSignInResult != nil {
			s.opts.OnSignInResult(outcomeLabel(err))
		}
	}()
	link, err := s.redeem(ctx, c, b)
	if err != nil {
		return Session{}, "", s.recordInvalidLink(ctx, err, b)
	}
	ctx = context.WithoutCancel(ctx)
	if link.repeated {
		return s.repeat(ctx, c, link, b)
	}
	email, err := directory.ParseEmail(link.Email)
	if err != nil { // no user can have such an address
		return Session{}, "", s.reject(ctx, b, link, "", link.Email, directory.ErrNotListed)
	}
	if !c.Pressed && c.Flow.Asked != "" && !c.Flow.hasAsked(email.Normalized) {
		return Session{}, "", &OtherAddress{email.Normalized}
	}
	return s.createSession(ctx, c, link, email, b)
}

// createSession creates the session of a proven address.
func (s *Service) createSession(ctx context.Context, c Credentials, link redeemedLink, email directory.Email, b Browser) (Session, string, error) {
	now := s.opts.Now()
	expires := now.Add(s.opts.Duration)
	if link.ExpiresAt.Before(expires) {
		expires = link.ExpiresAt
	}
	request := SignInRequest{Email: email, AttemptID: link.attemptID, Session: Session{
		TokenHash: Hash(link.SessionToken), StytchSessionID: link.SessionID, UserAgent: b.UserAgent, Address: b.Address,
		CreatedAt: now, VerifiedAt: now, ExpiresAt: expires,
	}}
	if c.ReplacedToken != "" {
		request.Replaces = Hash(c.ReplacedToken)
		request.EndReplaced = func(old Session) directory.SessionEnd {
			return old.User.EndSession(b.origin(), old.StytchSessionID, "signed in anew", now)
		}
	}
	age, err := s.linkAge(ctx, link.Authentication, email)
	if err != nil {
		return Session{}, "", s.reject(ctx, b, link, "", email.Normalized, err)
	}
	userID := ""
	sess, err := s.store.CreateSession(ctx, request, func(a directory.Applicant) (directory.User, []event.Event, error) {
		if a.User != nil {
			userID = a.User.ID
		}
		u, err := s.opts.Admission.Admit(a, link.StytchUserID, now)
		if err == nil && a.User != nil && age.beforeChange(*a.User) {
			err = ErrLinkOld
		}
		return u, signInEvents(b, u, a.User == nil, now), err
	})
	switch {
	case errors.Is(err, ErrAttemptGone): // a concurrent request was faster
		return s.repeat(ctx, c, link, b)
	case err != nil:
		return Session{}, "", s.reject(ctx, b, link, userID, email.Normalized, err)
	}
	s.outbox.Wake()
	return sess, link.SessionToken, nil
}

// signInEvents returns the events of a sign-in, in the order of their IDs. The user is
// their actor.
func signInEvents(b Browser, u directory.User, joined bool, now time.Time) []event.Event {
	by := b.origin().WithActor(u.ID, u.Email.Normalized)
	var events []event.Event
	if joined {
		events = append(events, by.NewEvent(event.UserJoined, now, u.ID, u.Email.Normalized, ""))
	}
	return append(events, by.NewEvent(event.SignedIn, now, u.ID, u.Email.Normalized, ""))
}

// reject cleans up after a redeemed link that created no session because of err, and
// returns err. If the database was unavailable, the attempt is kept for a retry.
func (s *Service) reject(ctx context.Context, b Browser, link redeemedLink, userID, subject string, err error) error {
	if link.attemptID != "" && errors.Is(err, directory.ErrUnavailable) {
		return err
	}
	s.dropAttempt(ctx, link.attemptID)
	s.revokeUnclaimed(ctx, b, link.Authentication, userID, subject, err)
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
	for _, rule := range []error{directory.ErrNotListed, directory.ErrRemoved, directory.ErrAlias, directory.ErrSourceRoute, directory.ErrSuspended, ErrLinkOld} {
		if errors.Is(err, rule) {
			reason = rule.Error()
		}
	}
	s.recordAnonymous(ctx, b, b.origin().NewEvent(event.SignInRefused, s.opts.Now(), userID, subject, reason))
}

// recordInvalidLink counts an invalid link against the rate limits, records it, and
// returns the error for the caller. It writes nothing if the total limit is exceeded.
func (s *Service) recordInvalidLink(ctx context.Context, err error, b Browser) error {
	var reason error
	for _, invalid := range []error{ErrLinkSpent, ErrLinkUnknown, ErrOtherBrowser} {
		if errors.Is(err, invalid) {
			reason = invalid
		}
	}
	if reason == nil {
		return err // about the service, not the link
	}
	var refusal *RateLimitError
	switch countErr := s.take(ctx, append(tokenBuckets(b), limit.NewBucket(bucketTokensInAll, b.trafficClass(), invalidTokensTotal))...); {
	case errors.As(countErr, &refusal) && refusal.kind == bucketTokensInAll:
		return err
	case countErr != nil:
		return countErr
	}
	s.recordAnonymous(ctx, b, b.origin().NewEvent(event.SignInRefused, s.opts.Now(), "", "", reason.Error()))
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
