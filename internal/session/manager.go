package session

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
)

// Options are the settings of a Manager.
type Options struct {
	Admission directory.Admission
	Duration  time.Duration // of a session
	Recheck   time.Duration // how old Stytch's last word on a session may be
	Now       func() time.Time
	Log       *slog.Logger
}

// How many links may be on their way to Stytch at once, and how often and with
// what pauses each is tried.
const maxSending = 64

var sendPauses = []time.Duration{0, time.Second, 5 * time.Second}

// callTimeout bounds each call to Stytch.
const callTimeout = 5 * time.Second

// Manager signs people in and out and checks their sessions.
type Manager struct {
	Options
	store    Store
	provider Provider
	outbox   directory.Deliverer

	sending    sync.WaitGroup
	closing    chan struct{} // closed by Close: no further tries
	sendSlots  chan struct{}
	rechecking singleflight.Group // by token hash
}

// NewManager returns a manager; Close it once, when no more requests come.
func NewManager(store Store, provider Provider, outbox directory.Deliverer, o Options) *Manager {
	return &Manager{
		Options: o, store: store, provider: provider, outbox: outbox,
		sendSlots: make(chan struct{}, maxSending), closing: make(chan struct{}),
	}
}

// Close waits for the calls under way that send links; what failed is not tried
// again, the person will ask once more.
func (m *Manager) Close() {
	close(m.closing)
	m.sending.Wait()
}

// RequestLink has a sign-in link mailed to an address that may come in, and does
// nothing for any other. The caller can't tell which, neither by the answer nor
// by the time it takes: what is done before it returns is the same for every
// address, and the mail is sent behind its back. Errors: ErrUnavailable,
// ErrTooMany (when too many are being sent), directory.ErrUnavailable.
func (m *Manager) RequestLink(ctx context.Context, email directory.Email, challenge string, b Browser) error {
	ready, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := m.provider.Ready(ready); err != nil {
		return err
	}
	link, err := m.link(ctx, email)
	if err != nil {
		return err
	}
	select {
	case m.sendSlots <- struct{}{}:
	default:
		return ErrTooMany
	}
	ctx = context.WithoutCancel(ctx)
	m.sending.Go(func() {
		defer func() { <-m.sendSlots }()
		if link != nil {
			link.Challenge, link.Browser = challenge, b
			m.send(ctx, *link)
		}
	})
	return nil
}

// link returns the link for an address, nil for one that may not come in.
func (m *Manager) link(ctx context.Context, email directory.Email) (*Link, error) {
	var found *directory.User
	u, err := m.store.GetUserByEmail(ctx, email)
	switch {
	case err == nil:
		found = &u
	case !errors.Is(err, directory.ErrNotFound):
		return nil, err
	}
	admins := 0
	if m.Admission.FirstAdmin { // also where somebody was found: the same work for all
		if admins, err = m.store.CountAdmins(ctx); err != nil {
			return nil, err
		}
	}
	verdict, err := m.Admission.Decide(found, admins, email)
	if err != nil {
		m.Log.Info("sign-in: no link sent", "reason", err)
		return nil, nil
	}
	return &Link{Email: email.Key, Stranger: !verdict.Listed}, nil
}

// send mails a link, with a few tries. Somebody on the list whom Stytch doesn't
// know is invited, through the outbox.
func (m *Manager) send(ctx context.Context, link Link) {
	var err error
	for _, pause := range sendPauses {
		select {
		case <-time.After(pause):
		case <-m.closing:
			if pause > 0 {
				return
			}
		}
		call, cancel := context.WithTimeout(ctx, callTimeout)
		err = m.provider.SendMagicLink(call, link)
		cancel()
		if !errors.Is(err, ErrUnavailable) {
			break
		}
	}
	if errors.Is(err, ErrNoAccount) {
		err = m.invite(ctx, link.Email)
	}
	if err != nil {
		m.Log.Warn("sign-in: link not sent", "error", err)
	}
}

func (m *Manager) invite(ctx context.Context, address string) error {
	email, err := directory.ParseEmail(address)
	if err != nil {
		return err
	}
	u, err := m.store.GetUserByEmail(ctx, email)
	if err != nil {
		return err
	}
	defer m.outbox.Wake()
	return m.store.AddJob(ctx, outbox.New(outbox.Invite, email.Key, u.ID, "", u.Name, m.Now()))
}

// Credentials are what a browser brings to sign in.
type Credentials struct {
	Token    string // of the mailed link
	Verifier string // PKCE, if the browser asked for a link with it; else empty
	Held     string // the session token in its cookie; that session ends
}

// SignIn spends a link and returns the new session and its token. The session
// the browser held before ends. Somebody who may not come in has a proven
// address by now and may be told: directory.ErrNotListed, directory.ErrSuspended.
// Other errors: ErrLinkSpent, ErrLinkUnknown, ErrOtherBrowser, ErrTooMany,
// ErrUnavailable, directory.ErrUnavailable.
func (m *Manager) SignIn(ctx context.Context, c Credentials, b Browser) (Session, string, error) {
	proof, err := m.redeem(ctx, c, b)
	if err != nil {
		return Session{}, "", err
	}
	now := m.Now()
	email, err := directory.ParseEmail(proof.Email)
	if err != nil { // nobody with such an address can be on the list
		m.revoke(ctx, proof, proof.Email)
		return Session{}, "", directory.ErrNotListed
	}
	arrival := Arrival{Email: email, Session: Session{
		TokenHash: Hash(proof.SessionToken), StytchID: proof.SessionID, UserAgent: b.UserAgent, Address: b.Address,
		CreatedAt: now, VerifiedAt: now, ExpiresAt: earlier(proof.ExpiresAt, now.Add(m.Duration)),
	}}
	if c.Held != "" {
		arrival.Replaces = Hash(c.Held)
	}
	s, err := m.store.SignIn(ctx, arrival, func(found *directory.User, admins int) (directory.User, error) {
		return m.Admission.Welcome(found, admins, email, proof.StytchUserID, now)
	})
	if err != nil {
		m.revoke(ctx, proof, email.Key)
		return Session{}, "", err
	}
	m.outbox.Wake()
	return s, proof.SessionToken, nil
}

// redeem asks Stytch about a link. A browser that has a verifier may come with a
// link that was made without, such as an invitation.
func (m *Manager) redeem(ctx context.Context, c Credentials, b Browser) (Proof, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	proof, err := m.provider.AuthenticateMagicLink(ctx, c.Token, c.Verifier, b)
	if errors.Is(err, ErrNoChallenge) {
		proof, err = m.provider.AuthenticateMagicLink(ctx, c.Token, "", b)
	}
	return proof, err
}

// revoke ends a session at Stytch that nobody gets to hold.
func (m *Manager) revoke(ctx context.Context, proof Proof, subject string) {
	ctx = context.WithoutCancel(ctx)
	if err := m.store.AddJob(ctx, outbox.New(outbox.RevokeSession, subject, "", proof.SessionID, "", m.Now())); err != nil {
		m.Log.Error("sign-in: refused, but the session at Stytch lives until it expires", "session", proof.SessionID, "error", err)
	}
	m.outbox.Wake()
}

// SignOut ends the session of a token, here at once and at Stytch by the
// outbox. A token that has no session is fine.
func (m *Manager) SignOut(ctx context.Context, token string) error {
	s, err := m.store.GetSession(ctx, Hash(token))
	if errors.Is(err, directory.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = m.End(ctx, s.UserID, func(other Session) bool { return other.TokenHash == s.TokenHash })
	return err
}

// End ends those of a person's sessions that which picks and returns how many.
func (m *Manager) End(ctx context.Context, userID string, which func(Session) bool) (int, error) {
	n, err := m.store.EndSessions(ctx, userID, which)
	if err == nil {
		m.outbox.Wake()
	}
	return n, err
}

// List returns a person's sessions that have not expired, newest first.
func (m *Manager) List(ctx context.Context, userID string) ([]Session, error) {
	all, err := m.store.ListSessions(ctx, userID)
	if err != nil {
		return nil, err
	}
	now, live := m.Now(), all[:0]
	for _, s := range all {
		if now.Before(s.ExpiresAt) {
			live = append(live, s)
		}
	}
	return live, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
