package session

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
)

// Options are the dependencies and settings of a Service.
type Options struct {
	Store    Store
	Provider Provider
	Outbox   directory.Outbox

	Admission                    directory.AdmissionPolicy
	Factors                      factor.Policy
	OAuth                        []factor.Kind // providers whose accounts are accepted, such as factor.Google
	Duration                     time.Duration // of a session
	Recheck                      time.Duration // maximum age of a verification with the provider
	LinkDuration, InviteDuration time.Duration // how long a link and an invitation work
	SameBrowser                  bool          // links work only in the browser that requested them (PKCE)
	ReportsLinkAge               bool          // the provider reports when each link was made
	Limits                       bool          // enforce rate limits; tests may turn them off
	SendPause                    time.Duration // a link is sent after a random part of it; 0 sends at once

	// Decoy does in this process what the login service does to send a link, without
	// sending one. It may be nil if the service runs elsewhere.
	Decoy func(ctx context.Context, email string) error

	// DecoyCode is Decoy for a code. It returns the method id of a code that no one knows.
	DecoyCode func(ctx context.Context, email string) (methodID string, err error)

	Now            func() time.Time
	OnSignInResult func(outcome string) // called after each sign-in, see outcomeLabel; may be nil
	Log            *slog.Logger
}

// callTimeout bounds each call to the provider.
const callTimeout = 5 * time.Second

// Service signs users in and out and verifies their sessions.
type Service struct {
	opts     Options
	store    Store
	provider Provider
	outbox   directory.Outbox
	log      *slog.Logger

	secret     string       // random, never leaves the process; see burstFor
	warnedAt   atomic.Int64 // when dropped events were last logged, in microseconds
	sending    sync.WaitGroup
	closing    chan struct{} // closed by Close
	sendSlots  chan struct{}
	knownSlots chan struct{} // for known browsers, so that others can't take their slots
	redeeming  queues
	rechecking singleflight.Group // by token hash
}

// New returns a Service. Call Close once, when no more requests come.
func New(o Options) *Service {
	slots := maxSending + int(slotsPerSecond*o.SendPause/time.Second)
	return &Service{
		opts: o, store: o.Store, provider: o.Provider, outbox: o.Outbox, log: o.Log.With("component", "session"), secret: rand.Text(),
		sendSlots: make(chan struct{}, slots), knownSlots: make(chan struct{}, slots), closing: make(chan struct{}),
	}
}

// Close waits until the links being sent have been sent once. Failed ones are not retried.
func (s *Service) Close() {
	close(s.closing)
	s.sending.Wait()
}

// Ready reports whether the login service can be reached.
func (s *Service) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.provider.Ready(ctx)
}

// Standing returns what the factors of a session, read with its user, allow.
func (s *Service) Standing(sess Session) factor.Standing {
	return s.opts.Factors.Check(sess.subject(), s.opts.Now())
}

// RequiresSecondFactor reports whether the session's user needs a second factor, proven or not.
func (s *Service) RequiresSecondFactor(sess Session) bool {
	return s.opts.Factors.Requires(sess.subject())
}

// MaySetUp reports whether a session may set up a factor; see factor.Policy.MaySetUp.
func (s *Service) MaySetUp(sess Session, hasFactor bool) bool {
	return s.opts.Factors.MaySetUp(sess.subject(), hasFactor, s.opts.Now())
}

// SignOut ends the session of a token, if there is one.
func (s *Service) SignOut(ctx context.Context, token string, b Browser) error {
	sess, err := s.store.GetSession(ctx, Hash(token))
	if errors.Is(err, directory.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	by := b.Origin().WithActor(sess.UserID, sess.User.Email.Normalized)
	_, err = s.Revoke(ctx, by, sess.UserID, "signed out", func(other Session) bool { return other.TokenHash == sess.TokenHash })
	return err
}

// Revoke ends the user's sessions for which match returns true, here at once and at
// the provider through the outbox. It returns their number. reason is recorded in the
// audit log.
func (s *Service) Revoke(ctx context.Context, by event.Origin, userID, reason string, match func(Session) bool) (int, error) {
	n, err := s.store.EndSessions(ctx, userID, func(u directory.User, sess Session) (directory.SessionEnd, bool) {
		return u.EndSession(by, sess.StytchSessionID, reason, s.opts.Now()), match(sess)
	})
	if err == nil {
		s.outbox.Wake()
	}
	return n, err
}

// List returns a user's unexpired sessions, newest first.
func (s *Service) List(ctx context.Context, userID string) ([]Session, error) {
	all, err := s.store.ListSessions(ctx, userID)
	now := s.opts.Now()
	return slices.DeleteFunc(all, func(sess Session) bool { return !now.Before(sess.ExpiresAt) }), err
}
