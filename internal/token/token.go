// Package token manages API tokens, which administrators create on their profile so
// that programs can call /api on their behalf.
//
// A token is a prefix and 256 random bits. It is shown once, when it is created, and
// stored as a hash. Every call reads it together with its owner, so revoking it, or
// suspending, demoting or removing the owner, takes effect immediately. Stytch isn't
// involved.
package token

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/digest"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

// Scope is what a token permits.
type Scope string

// The scopes.
const (
	Read  Scope = "read"  // GET requests
	Write Scope = "write" // all requests
)

// Token is a stored token. Times are in UTC, truncated to microseconds.
type Token struct {
	ID         string // UUIDv7; not secret
	Hash       string // see Hash
	UserID     string // its owner
	Name       string
	Scope      Scope
	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastUsedAt time.Time      // to within a minute; zero if never used
	User       directory.User // the owner; zero in lists of one user's tokens
}

// Expired reports whether the token has expired.
func (t Token) Expired(now time.Time) bool { return !now.Before(t.ExpiresAt) }

// MaxPerUser is the maximum number of tokens of a user, including expired ones that are
// still listed.
const MaxPerUser = 20

// KeepExpired is how long an expired token stays listed, and is reported as expired
// rather than unknown.
const KeepExpired = 30 * 24 * time.Hour

// Errors of this package. It also returns *directory.ValidationError and
// directory.ErrUnavailable.
var (
	ErrUnknown   = errors.New("API token is unknown or was revoked")
	ErrExpired   = errors.New("API token has expired")
	ErrTooMany   = errors.New("too many API tokens: revoke one first")
	ErrDuplicate = errors.New("API token was made already, and is shown once")
	ErrNotAdmin  = errors.New("API tokens are for active administrators")
)

// Store stores tokens. Errors wrap directory.ErrNotFound or directory.ErrUnavailable, or
// are those of the rule.
type Store interface {
	// CreateToken writes a token and an event, unless rule returns an error. It calls
	// rule with the locked owner and their tokens. It returns ErrDuplicate if the ID exists.
	CreateToken(ctx context.Context, t Token, e event.Event, rule func(owner directory.User, have []Token) error) error
	// GetToken returns the token with a hash, and its owner.
	GetToken(ctx context.Context, hash string) (Token, error)
	// FindToken returns the token with an ID, without its owner.
	FindToken(ctx context.Context, id string) (Token, error)
	// ListTokensOf returns a user's tokens, newest first.
	ListTokensOf(ctx context.Context, userID string) ([]Token, error)
	// ListTokens returns tokens of all users, ordered by ID, after the given one.
	ListTokens(ctx context.Context, after string, limit int) ([]Token, error)
	// SetTokenUsed sets LastUsedAt, unless it is later than at.
	SetTokenUsed(ctx context.Context, hash string, at time.Time) error
	// RevokeTokens calls revoke for each token of a user. If it returns true, the
	// token is deleted and the event written. RevokeTokens returns the number of
	// deleted tokens.
	RevokeTokens(ctx context.Context, userID string, revoke func(owner directory.User, t Token) (event.Event, bool)) (int, error)
}

// Prefix begins every token, so that secret scanners recognize it.
const Prefix = "guestlist_"

// ParseBearer returns the bearer token in the value of an Authorization header, and whether it has
// one (https://www.rfc-editor.org/rfc/rfc6750#section-2.1). It may be another program's.
func ParseBearer(value string) (secret string, found bool) {
	scheme, secret, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.Trim(secret, " "), true
}

// IsBearer reports whether an Authorization header has a token of Guestlist: one for the API or,
// with a longer prefix, one for an app. All others belong to an app.
func IsBearer(value string) bool {
	secret, _ := ParseBearer(value)
	return strings.HasPrefix(secret, Prefix)
}

// newSecret returns a new secret: the prefix and 52 letters and digits.
func newSecret() string { return Prefix + rand.Text() + rand.Text() } // 130 random bits each

// hasTokenFormat reports whether secret looks like a token. It only saves a query.
func hasTokenFormat(secret string) bool {
	return len(secret) == len(Prefix)+2*26 && strings.HasPrefix(secret, Prefix)
}

// Hash returns the stored form of a secret: its SHA-256 in hexadecimal. A secret has
// enough random bits to need neither a salt nor a slow hash.
func Hash(secret string) string {
	return digest.SHA256Hex(secret)
}
