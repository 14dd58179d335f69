// Package token is what a program shows to act as an administrator: API tokens,
// which a person makes on their profile for calls below /api.
//
// A token is a prefix and 256 random bits. It is told once, when it is made, and
// kept as a hash. It is read together with its person on every call, so that an
// end of the token, a suspension, a removal and a change of role hold on the very
// next one. Stytch knows nothing of tokens and is not asked about them.
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

// Scope says what a token may do.
type Scope string

// The scopes.
const (
	Read  Scope = "read"  // what GET does
	Write Scope = "write" // everything
)

// Token is what is kept of one. Times are UTC, whole microseconds.
type Token struct {
	ID         string // UUIDv7; not secret
	Hash       string // see Hash
	UserID     string // who made it
	Name       string
	Scope      Scope
	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastUsedAt time.Time      // to within a minute; zero for never
	User       directory.User // whom UserID names; not filled where one person's are listed
}

// Expired reports whether a token is over.
func (t Token) Expired(now time.Time) bool { return !now.Before(t.ExpiresAt) }

// MaxPerUser is how many tokens a person may have, those that have expired and are still
// listed among them.
const MaxPerUser = 20

// KeepExpired is how long a token is still listed, and told from one that never
// was, when it has expired.
const KeepExpired = 30 * 24 * time.Hour

// Errors of tokens; besides these, those of directory: *Invalid, ErrUnavailable.
var (
	ErrUnknown   = errors.New("API token is unknown or was revoked")
	ErrExpired   = errors.New("API token has expired")
	ErrTooMany   = errors.New("too many API tokens: revoke one first")
	ErrDuplicate = errors.New("API token was made already, and is shown once")
	ErrNotAdmin  = errors.New("API tokens are for active administrators")
)

// Store keeps the tokens. Errors wrap directory.ErrNotFound,
// directory.ErrUnavailable, or are those of a rule it runs.
type Store interface {
	// CreateToken writes a token and what the audit trail is to say of it, if rule
	// lets it: it sees the person, held as they are, and the tokens they have. One
	// whose ID there is already is ErrMade.
	CreateToken(ctx context.Context, t Token, e event.Event, rule func(owner directory.User, have []Token) error) error
	// GetToken returns a token with its person, who is on the list.
	GetToken(ctx context.Context, hash string) (Token, error)
	// FindToken returns the token with an ID, without its person.
	FindToken(ctx context.Context, id string) (Token, error)
	// ListTokensOf returns a person's tokens, newest first.
	ListTokensOf(ctx context.Context, userID string) ([]Token, error)
	// ListTokens returns tokens of everybody in order of ID, those behind one.
	ListTokens(ctx context.Context, after string, limit int) ([]Token, error)
	// SetTokenUsed notes that a token was used, unless it was later than that.
	SetTokenUsed(ctx context.Context, hash string, at time.Time) error
	// RevokeTokens calls revoke for each token of a user. If it returns true, the
	// token is deleted and the event written. RevokeTokens returns the number of
	// deleted tokens.
	RevokeTokens(ctx context.Context, userID string, revoke func(owner directory.User, t Token) (event.Event, bool)) (int, error)
}

// Prefix begins every token, so that who scans files for secrets knows one.
const Prefix = "guestlist_"

// newSecret returns a new token: the prefix and 52 letters and digits.
func newSecret() string { return Prefix + rand.Text() + rand.Text() } // of 130 random bits each

// hasTokenFormat reports whether a text may be a token. It saves a question to the
// database and decides nothing.
func hasTokenFormat(secret string) bool {
	return len(secret) == len(Prefix)+2*26 && strings.HasPrefix(secret, Prefix)
}

// Hash is the form in which a token is kept: SHA-256 in hex. The token is random,
// so that it needs no salt, and long, so that a slow hash would gain nothing.
func Hash(secret string) string {
	return digest.SHA256Hex(secret)
}
