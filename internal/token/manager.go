package token

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

const (
	// lastUsedInterval is how far apart two uses of a token are that are written down.
	lastUsedInterval = time.Minute
	// lastUsedTimeout is how long a call waits for that: it is not what it came for.
	lastUsedTimeout = time.Second
)

// Options are the dependencies of a Service.
type Options struct {
	Store Store
	Now   func() time.Time
	Log   *slog.Logger
}

// Service makes, checks and revokes tokens. Its methods may be called by many
// goroutines.
type Service struct {
	store Store
	now   func() time.Time
	log   *slog.Logger

	mu    sync.Mutex
	noted map[string]time.Time // by hash, when a use was last written down; only of the last minute
}

// New returns a Service.
func New(o Options) *Service {
	return &Service{store: o.Store, now: o.Now, log: o.Log, noted: map[string]time.Time{}}
}

// Create makes a token for a person and returns it with its secret, which nobody
// can be told later. Errors: *directory.Invalid, ErrTooMany, ErrMade if it was
// made from this draft before, ErrOwner.
func (m *Service) Create(ctx context.Context, by event.Origin, owner directory.User, d Request) (Token, string, error) {
	now := m.now()
	t, err := d.token(now)
	if err != nil {
		return Token{}, "", err
	}
	secret := newSecret()
	t.Hash, t.UserID, t.User = Hash(secret), owner.ID, owner
	if err := m.store.CreateToken(ctx, t, t.createdEvent(by, now), checkQuota); err != nil {
		return Token{}, "", err
	}
	return t, secret, nil
}

// checkQuota is the rule for another token.
func checkQuota(owner directory.User, have []Token) error {
	switch {
	case !owner.IsActiveAdmin():
		return ErrNotAdmin
	case len(have) >= MaxPerUser:
		return ErrTooMany
	}
	return nil
}

// Check returns the token of a secret, with the person as whom it acts. Errors:
// ErrUnknown, ErrExpired, directory.ErrUnavailable.
func (m *Service) Check(ctx context.Context, secret string) (Token, error) {
	if !hasTokenFormat(secret) {
		return Token{}, ErrUnknown
	}
	t, err := m.store.GetToken(ctx, Hash(secret))
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return Token{}, ErrUnknown
	case err != nil:
		return Token{}, err
	case !t.User.IsActiveAdmin():
		return Token{}, ErrUnknown // as if the change that made it so had revoked it, as it should
	case t.Expired(m.now()):
		return Token{}, ErrExpired
	}
	m.recordUse(ctx, t)
	return t, nil
}

// recordUse writes down that a token was used. Where that can't be, the call goes on all
// the same, and it is not tried again for a minute.
func (m *Service) recordUse(ctx context.Context, t Token) {
	now := m.now()
	if now.Sub(t.LastUsedAt) < lastUsedInterval || !m.shouldRecordUse(t.Hash, now) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastUsedTimeout)
	defer cancel()
	if err := m.store.SetTokenUsed(ctx, t.Hash, now); err != nil {
		m.log.Warn("token: use not noted", "token", t.ID, "error", err)
	}
}

// shouldRecordUse reports whether this is the call that writes down the use of a token:
// one of many at once.
func (m *Service) shouldRecordUse(hash string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.noted, func(_ string, at time.Time) bool { return now.Sub(at) >= lastUsedInterval })
	if _, done := m.noted[hash]; done {
		return false
	}
	m.noted[hash] = now
	return true
}

// List returns a person's tokens, newest first, those that have expired among them.
func (m *Service) List(ctx context.Context, userID string) ([]Token, error) {
	return m.store.ListTokensOf(ctx, userID)
}

// Revoke revokes the user's tokens for which match returns true, and returns their number.
func (m *Service) Revoke(ctx context.Context, by event.Origin, userID string, match func(Token) bool) (int, error) {
	return m.store.RevokeTokens(ctx, userID, func(owner directory.User, t Token) (event.Event, bool) {
		return owner.RevokeToken(by, t.Name, "", m.now()), match(t)
	})
}
