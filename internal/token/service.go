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
	// lastUsedInterval is the minimum time between two recorded uses of a token.
	lastUsedInterval = time.Minute
	// lastUsedTimeout bounds how long a request waits for its use to be recorded.
	lastUsedTimeout = time.Second
)

// Options are the dependencies of a Service.
type Options struct {
	Store Store
	Now   func() time.Time
	Log   *slog.Logger
}

// Service creates, checks and revokes tokens. It is safe for concurrent use.
type Service struct {
	store Store
	now   func() time.Time
	log   *slog.Logger

	mu       sync.Mutex
	recorded map[string]time.Time // by hash, times of recorded uses within lastUsedInterval
}

// New returns a Service.
func New(o Options) *Service {
	return &Service{store: o.Store, now: o.Now, log: o.Log.With("component", "token"), recorded: map[string]time.Time{}}
}

// Create creates a token for owner and returns it with its secret, which isn't stored.
// Errors: *directory.ValidationError, ErrTooMany, ErrDuplicate if the request was used
// before, ErrNotAdmin.
func (s *Service) Create(ctx context.Context, by event.Origin, owner directory.User, r Request) (Token, string, error) {
	now := s.now()
	t, err := r.token(now)
	if err != nil {
		return Token{}, "", err
	}
	secret := newSecret()
	t.Hash, t.UserID, t.User = Hash(secret), owner.ID, owner
	if err := s.store.CreateToken(ctx, t, t.createdEvent(by, now), checkQuota); err != nil {
		return Token{}, "", err
	}
	return t, secret, nil
}

// checkQuota returns an error if the owner may not have another token.
func checkQuota(owner directory.User, have []Token) error {
	switch {
	case !owner.IsActiveAdmin():
		return ErrNotAdmin
	case len(have) >= MaxPerUser:
		return ErrTooMany
	}
	return nil
}

// Check returns the token with a secret, and its owner. Errors: ErrUnknown, ErrExpired,
// directory.ErrUnavailable.
func (s *Service) Check(ctx context.Context, secret string) (Token, error) {
	if !hasTokenFormat(secret) {
		return Token{}, ErrUnknown
	}
	t, err := s.store.GetToken(ctx, Hash(secret))
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return Token{}, ErrUnknown
	case err != nil:
		return Token{}, err
	case !t.User.IsActiveAdmin():
		return Token{}, ErrUnknown // the change of the owner should have revoked it
	case t.Expired(s.now()):
		return Token{}, ErrExpired
	}
	s.recordUse(ctx, t)
	return t, nil
}

// recordUse records that a token was used, unless that was done within lastUsedInterval.
// A failure is logged, and not retried before the next interval.
func (s *Service) recordUse(ctx context.Context, t Token) {
	now := s.now()
	if now.Sub(t.LastUsedAt) < lastUsedInterval || !s.shouldRecordUse(t.Hash, now) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lastUsedTimeout)
	defer cancel()
	if err := s.store.SetTokenUsed(ctx, t.Hash, now); err != nil {
		s.log.Warn("use of API token not recorded", "token", t.ID, "error", err)
	}
}

// shouldRecordUse reports whether the caller should record the use of a token. Of
// concurrent callers, one should.
func (s *Service) shouldRecordUse(hash string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.recorded, func(_ string, at time.Time) bool { return now.Sub(at) >= lastUsedInterval })
	if _, ok := s.recorded[hash]; ok {
		return false
	}
	s.recorded[hash] = now
	return true
}

// List returns a user's tokens, including expired ones, newest first.
func (s *Service) List(ctx context.Context, userID string) ([]Token, error) {
	return s.store.ListTokensOf(ctx, userID)
}

// Revoke revokes the user's tokens for which match returns true, and returns their number.
func (s *Service) Revoke(ctx context.Context, by event.Origin, userID string, match func(Token) bool) (int, error) {
	return s.store.RevokeTokens(ctx, userID, func(owner directory.User, t Token) (event.Event, bool) {
		return owner.RevokeToken(by, t.Name, "", s.now()), match(t)
	})
}
