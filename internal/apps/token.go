package apps

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/digest"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/token"
)

// Token lets a program use one app, as a user or as a service. Times are UTC.
type Token struct {
	ID        string // UUIDv7; not secret
	Hash      string // see HashToken
	AppID     string
	UserID    string // the user it acts as; empty for a service
	Name      string // of a service, the name that the app sees
	CreatedBy string // id of the administrator; empty if created by the program
	CreatedAt time.Time
	ExpiresAt time.Time
	User      directory.User // set where tokens are read; zero for a service
}

// Expired reports whether the token has expired.
func (t Token) Expired(now time.Time) bool { return !now.Before(t.ExpiresAt) }

// IsService reports whether the token acts as a service.
func (t Token) IsService() bool { return t.UserID == "" }

// TokenPrefix begins every app token, so that secret scanners recognize it and it isn't
// mistaken for a credential of the app's own.
const TokenPrefix = "guestlist_app_"

// MaxTokens is the maximum number of tokens of an app.
const MaxTokens = 50

// Errors of app tokens.
var (
	ErrTokenExists   = errors.New("this token was made already, and is shown once")
	ErrTooManyTokens = fmt.Errorf("this app has %d tokens already: revoke one first", MaxTokens)
)

// HashToken returns the form in which a token is stored: its SHA-256 in hex.
func HashToken(secret string) string { return digest.SHA256Hex(secret) }

// NewTokenID returns an ID for a TokenRequest.
func NewTokenID() string { return token.NewID() }

// TokenRequest is the input for creating a token, as typed.
type TokenRequest struct {
	ID     string // from NewTokenID; two requests with one ID create one token
	Name   string
	UserID string // empty for a service
	Days   string // one of token.Lifetimes
}

// CreateToken creates a token for an app and returns it with its secret, which isn't stored.
// user is the one with the request's UserID, zero for a service. Errors:
// *directory.ValidationError, ErrTooManyTokens, ErrTokenExists, directory.ErrNotFound.
func (s *Service) CreateToken(ctx context.Context, by event.Origin, a App, user directory.User, r TokenRequest) (Token, string, error) {
	now := s.now()
	t, err := r.parse(now)
	if err != nil {
		return Token{}, "", err
	}
	secret := TokenPrefix + rand.Text() + rand.Text()
	t.Hash, t.AppID, t.CreatedBy, t.User = HashToken(secret), a.ID, by.ActorID, user
	reason := fmt.Sprintf("%s: %s (until %s)", a.Name, t.Name, t.ExpiresAt.UTC().Format(time.DateOnly))
	e := by.NewEvent(event.AppTokenCreated, now, user.ID, user.Email.Normalized, reason)
	err = s.store.CreateAppToken(ctx, t, e, func(have []Token) error {
		if len(have) >= MaxTokens {
			return ErrTooManyTokens
		}
		return nil
	})
	return t, secret, err
}

// parse validates the request and returns the token without its hash and app.
func (r TokenRequest) parse(now time.Time) (Token, error) {
	terms, fields := token.ParseTerms(r.ID, r.Name, r.Days, now)
	if len(fields) > 0 {
		return Token{}, &directory.ValidationError{Fields: fields}
	}
	return Token{ID: terms.ID, Name: terms.Name, UserID: r.UserID, CreatedAt: now, ExpiresAt: terms.ExpiresAt}, nil
}

// ListTokens returns an app's tokens with their users, newest first.
func (s *Service) ListTokens(ctx context.Context, appID string) ([]Token, error) {
	return s.store.ListAppTokens(ctx, appID)
}

// RevokeToken revokes a token of an app. Error: directory.ErrNotFound.
func (s *Service) RevokeToken(ctx context.Context, by event.Origin, a App, id string) error {
	return s.store.RevokeAppToken(ctx, a.ID, id, func(t Token) event.Event {
		return by.NewEvent(event.AppTokenRevoked, s.now(), t.User.ID, t.User.Email.Normalized, a.Name+": "+t.Name)
	})
}
