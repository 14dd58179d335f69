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

// Credentials are what a browser brings to sign in.
type Credentials struct {
	Token          string    // of the mailed link
	Verifier       string    // PKCE, if the browser asked for a link with it; else empty
	VerifierMadeAt time.Time // zero if not known
	ReplacedToken  string    // the session token in its cookie; that session ends
	FlowID         string    // of its flow; empty without one: the link can't be brought again
	Asked          string    // the addresses that its flow has asked links for; see Flow
	Pressed        bool      // a person pressed the button; otherwise the page continued by itself
}

// OtherAddress is the error of a page that continued by itself with a link for an
// address that its browser had not asked for: a person must press the button, or
// another site could sign them in as somebody else.
type OtherAddress struct{ Email string }

func (e *OtherAddress) Error() string { return "link is for another address than was asked for" }

// SignIn spends a link and returns the new session and its token. The session
// the browser held before ends. A browser that brings a link again, within a minute
// and with the same flow, gets the session that it has made. Once begun, a sign-in
// goes on where the browser goes away. Somebody who may not come in has a proven
// address by now and may be told: directory.ErrNotListed, directory.ErrSuspended.
// Other errors: *OtherAddress, ErrLinkOld, ErrLinkSpent, ErrLinkUnknown,
// ErrOtherBrowser, *TooMany, ErrTooMany, ErrUnavailable, directory.ErrUnavailable.
func (m *Service) SignIn(ctx context.Context, c Credentials, b Browser) (Session, string, error) {
	s, token, err := m.signIn(ctx, c, b)
	if m.opts.OnSignInResult != nil {
		m.opts.OnSignInResult(outcomeLabel(err))
	}
	return s, token, err
}

func (m *Service) signIn(ctx context.Context, c Credentials, b Browser) (Session, string, error) {
	proof, err := m.prove(ctx, c, b)
	if err != nil {
		return Session{}, "", m.recordInvalidLink(ctx, err, b)
	}
	ctx = context.WithoutCancel(ctx)
	if proof.repeated {
		return m.repeat(ctx, c, proof, b)
	}
	email, err := directory.ParseEmail(proof.Email)
	if err != nil { // nobody with such an address can be on the list
		return Session{}, "", m.notMade(ctx, b, proof, "", proof.Email, directory.ErrNotListed)
	}
	if !c.Pressed && c.Asked != "" && !hasAsked(c.Asked, email.Normalized) {
		return Session{}, "", &OtherAddress{email.Normalized}
	}
	return m.arrive(ctx, c, proof, email, b)
}

// arrive makes the session of somebody who has proven an address.
func (m *Service) arrive(ctx context.Context, c Credentials, proof redeemedLink, email directory.Email, b Browser) (Session, string, error) {
	now := m.opts.Now()
	arrival := SignInRequest{Email: email, AttemptID: proof.attemptID, Session: Session{
		TokenHash: Hash(proof.SessionToken), StytchSessionID: proof.SessionID, UserAgent: b.UserAgent, Address: b.Address,
		CreatedAt: now, VerifiedAt: now, ExpiresAt: minTime(proof.ExpiresAt, now.Add(m.opts.Duration)),
	}}
	if c.ReplacedToken != "" {
		arrival.Replaces = Hash(c.ReplacedToken)
		arrival.EndReplaced = func(s Session) directory.SessionEnd {
			return s.User.EndSession(b.origin(), s.StytchSessionID, "signed in anew", now)
		}
	}
	age, err := m.linkAge(ctx, proof.Authentication, email)
	if err != nil {
		return Session{}, "", m.notMade(ctx, b, proof, "", email.Normalized, err)
	}
	var foundID string
	s, err := m.store.CreateSession(ctx, arrival, func(from directory.Applicant) (directory.User, []event.Event, error) {
		if from.User != nil {
			foundID = from.User.ID
		}
		u, err := m.opts.Admission.Admit(from, proof.StytchUserID, now)
		if err == nil && from.User != nil && age.beforeChange(*from.User) {
			err = ErrLinkOld
		}
		return u, signInEvents(b, u, from.User == nil, now), err
	})
	switch {
	case errors.Is(err, ErrAttemptGone): // another press was quicker
		return m.repeat(ctx, c, proof, b)
	case err != nil:
		return Session{}, "", m.notMade(ctx, b, proof, foundID, email.Normalized, err)
	}
	m.outbox.Wake()
	return s, proof.SessionToken, nil
}

// notMade handles a proof of which no session could be made, and returns why. Where
// the database was away, the attempt stays: the next press goes on from it.
func (m *Service) notMade(ctx context.Context, b Browser, proof redeemedLink, userID, subject string, err error) error {
	if proof.attemptID != "" && errors.Is(err, directory.ErrUnavailable) {
		return err
	}
	m.dropAttempt(ctx, proof.attemptID)
	m.revokeUnclaimed(ctx, b, proof.Authentication, userID, subject, err)
	return err
}

// recordInvalidLink counts and records a link that is none, and returns why it is none.
// Where more of them come from everywhere than are counted, it writes nothing.
func (m *Service) recordInvalidLink(ctx context.Context, err error, b Browser) error {
	reason := asLinkError(err)
	if reason == nil {
		return err // the service's fault or wish, not the link's
	}
	var refusal *RateLimitError
	switch countErr := m.take(ctx, append(tokenBuckets(b), tokensInAll(b))...); {
	case errors.As(countErr, &refusal) && refusal.what == bucketTokensInAll:
		return err
	case countErr != nil:
		return countErr
	}
	m.record(ctx, b, b.origin().NewEvent(event.SignInRefused, m.opts.Now(), "", "", reason.Error()))
	return err
}

// What a link was opened by.
const (
	ByBrowser = "by a browser"
	ByScanner = "by a mail scanner, it seems"
)

// RecordLinkOpened notes that a link was opened in a browser that had not asked for one:
// on another device, or by a mail scanner. Nothing was spent. by is ByBrowser or
// ByScanner.
func (m *Service) RecordLinkOpened(ctx context.Context, by string, b Browser) {
	m.record(ctx, b, b.origin().NewEvent(event.LinkOpened, m.opts.Now(), "", "", by))
}

// RecordRefused notes that somebody signed in tried what they may not do.
func (m *Service) RecordRefused(ctx context.Context, by event.Origin, u directory.User, what string) {
	m.recordLimited(ctx, "refusals-of-user", u.ID, by.NewEvent(event.ActionRefused, m.opts.Now(), u.ID, u.Email.Normalized, what))
}

// recordLimited notes what somebody signed in may cause as often as they like: not every time.
func (m *Service) recordLimited(ctx context.Context, what, whom string, e event.Event) {
	if m.take(ctx, limit.NewBucket(what, whom, failureEventsPerNetwork), limit.NewBucket(what+"-in-all", "", failureEventsTotal)) == nil {
		m.recordEvent(ctx, e)
	}
}

// asLinkError returns which error about the link err is; nil if it is about the
// service.
func asLinkError(err error) error {
	for _, known := range []error{ErrLinkSpent, ErrLinkUnknown, ErrOtherBrowser} {
		if errors.Is(err, known) {
			return known
		}
	}
	return nil
}

// signInEvents returns the events of a sign-in. The user is their actor.
func signInEvents(b Browser, u directory.User, joined bool, now time.Time) []event.Event {
	by := b.origin().WithActor(u.ID, u.Email.Normalized)
	signedIn := by.NewEvent(event.SignedIn, now, u.ID, u.Email.Normalized, "")
	if joined {
		return []event.Event{by.NewEvent(event.UserJoined, now, u.ID, u.Email.Normalized, ""), signedIn}
	}
	return []event.Event{signedIn}
}

// revokeUnclaimed ends a session at Stytch that nobody gets to hold, and notes why.
func (m *Service) revokeUnclaimed(ctx context.Context, b Browser, proof Authentication, userID, subject string, err error) {
	ctx = context.WithoutCancel(ctx)
	if err := m.store.AddJob(ctx, outbox.New(outbox.RevokeSession, subject, "", proof.SessionID, "", m.opts.Now())); err != nil {
		m.opts.Log.Error("sign-in: refused, but the session at Stytch lives until it expires", "session", proof.SessionID, "error", err)
	}
	m.outbox.Wake()
	reason := "the session could not be written down"
	for _, rule := range []error{directory.ErrNotListed, directory.ErrRemoved, directory.ErrAlias, directory.ErrSourceRoute, directory.ErrSuspended, ErrLinkOld} {
		if errors.Is(err, rule) {
			reason = rule.Error()
		}
	}
	m.record(ctx, b, b.origin().NewEvent(event.SignInRefused, m.opts.Now(), userID, subject, reason))
}

// recordEvent writes what changed nothing. If it can't be written, the log has it.
func (m *Service) recordEvent(ctx context.Context, e event.Event) {
	if err := m.store.AddEvents(context.WithoutCancel(ctx), e); err != nil {
		m.opts.Log.Warn("audit trail: not written", "kind", e.Kind, "reason", e.Reason, "error", err)
	}
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
