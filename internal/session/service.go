package session

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// Options are the dependencies and settings of a Service.
type Options struct {
	Store    Store
	Provider Provider
	Outbox   directory.Outbox

	Admission                    directory.AdmissionPolicy
	Duration                     time.Duration // of a session
	Recheck                      time.Duration // how old Stytch's last word on a session may be
	LinkDuration, InviteDuration time.Duration // how long a link and an invitation work
	LinksTellAge                 bool          // the provider says of each link when it was made
	Limits                       bool          // on how often may be asked and tried; off for test suites
	SendPause                    time.Duration // a link is sent after a random part of it; 0: at once

	// Decoy does what the login service does in this process to send a link, without
	// sending one; nil where it does nothing here.
	Decoy func(ctx context.Context, email string) error

	Now            func() time.Time
	OnSignInResult func(outcome string) // is told how each sign-in ended, see outcomes; nil: nobody
	Log            *slog.Logger
}

// callTimeout bounds each call to Stytch.
const callTimeout = 5 * time.Second

// Service signs people in and out and checks their sessions.
type Service struct {
	opts     Options
	store    Store
	provider Provider
	outbox   directory.Outbox

	secret     string       // of burstFor
	warnedAt   atomic.Int64 // when the log last said that events are left out, in microseconds
	sending    sync.WaitGroup
	closing    chan struct{} // closed by Close: no further tries
	sendSlots  chan struct{}
	knownSlots chan struct{}      // the same for known browsers: strangers take nothing from them
	redeeming  queues             // links that Stytch is asked about
	rechecking singleflight.Group // by token hash
}

// New returns a Service. Call Close once, when no more requests come.
func New(o Options) *Service {
	slots := maxSending + int(slotsPerSecond*o.SendPause/time.Second)
	return &Service{
		opts: o, store: o.Store, provider: o.Provider, outbox: o.Outbox, secret: newSecret(),
		sendSlots: make(chan struct{}, slots), knownSlots: make(chan struct{}, slots),
		closing: make(chan struct{}),
	}
}

// Close waits for the calls under way that send links; what failed is not tried
// again, the person will ask once more.
func (m *Service) Close() {
	close(m.closing)
	m.sending.Wait()
}

// Ready reports whether the login service can be reached.
func (m *Service) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return m.provider.Ready(ctx)
}

// SignOut ends the session of a token, here at once and at Stytch by the
// outbox. A token that has no session is fine.
func (m *Service) SignOut(ctx context.Context, token string, b Browser) error {
	s, err := m.store.GetSession(ctx, Hash(token))
	if errors.Is(err, directory.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	by := b.origin().WithActor(s.UserID, s.User.Email.Normalized)
	_, err = m.Revoke(ctx, by, s.UserID, "signed out", func(other Session) bool { return other.TokenHash == s.TokenHash })
	return err
}

// Revoke ends the user's sessions for which match returns true, and returns their
// number. reason is recorded in the audit log.
func (m *Service) Revoke(ctx context.Context, by event.Origin, userID, reason string, match func(Session) bool) (int, error) {
	n, err := m.store.EndSessions(ctx, userID, func(u directory.User, s Session) (directory.SessionEnd, bool) {
		return u.EndSession(by, s.StytchSessionID, reason, m.opts.Now()), match(s)
	})
	if err == nil {
		m.outbox.Wake()
	}
	return n, err
}

// List returns a person's sessions that have not expired, newest first.
func (m *Service) List(ctx context.Context, userID string) ([]Session, error) {
	all, err := m.store.ListSessions(ctx, userID)
	if err != nil {
		return nil, err
	}
	now, live := m.opts.Now(), all[:0]
	for _, s := range all {
		if now.Before(s.ExpiresAt) {
			live = append(live, s)
		}
	}
	return live, nil
}
