// Package openid is the OpenID provider: apps that speak OpenID Connect have their users sign
// in here.
//
// A [Client] belongs to an app, and its client_id is the app's id. [Provider] answers the
// protocol's requests: an authorization request creates a [Grant], whose code the client
// exchanges for tokens. A grant belongs to the session in which it was made and ends with it.
// Every use of a code or token reads the session, the user, the memberships and the app, and
// asks apps.Decide, so that every change takes effect on the next use.
//
// The package knows neither HTTP nor SQL. Sources: OpenID Connect Core 1.0
// (https://openid.net/specs/openid-connect-core-1_0.html), OAuth 2.0 (RFC 6749) with its
// security practice (RFC 9700), PKCE (RFC 7636), and those named where they are followed.
package openid

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/digest"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/session"
)

// Lifetimes. No grant and no token outlives its session.
const (
	codeLifetime    = time.Minute
	accessLifetime  = 15 * time.Minute
	idTokenLifetime = 10 * time.Minute
	refreshGrace    = 10 * time.Second // how long a refresh token can be used again, by a client that lost the answer
	deviceLifetime  = 10 * time.Minute // of a device code, until it is exchanged
)

// Prefixes of secrets, by which scanners find those that leaked. Secrets have only characters
// that no encoding of forms and URLs changes.
const (
	secretPrefix  = "glcs_"
	codePrefix    = "glc_"
	accessPrefix  = "gla_"
	refreshPrefix = "glr_"
	devicePrefix  = "gld_"
)

// newSecret returns a secret of 260 random bits.
func newSecret(prefix string) string { return prefix + rand.Text() + rand.Text() }

// hash returns the form in which a secret is stored. Secrets are random, so it needs no salt.
func hash(secret string) string { return digest.SHA256Hex(secret) }

// TokenKind is the kind of a token.
type TokenKind string

// The kinds of tokens.
const (
	AccessToken  TokenKind = "access"
	RefreshToken TokenKind = "refresh"
)

// Grant is a user's sign-in to a client. Times are UTC.
type Grant struct {
	ID            string // UUIDv7
	AppID         string
	UserID        string
	SessionHash   string // session.Session.TokenHash
	Scope         Scope
	Nonce         string    // of the request; may be empty
	AuthTime      time.Time // when the user had last proven a factor
	RedirectURI   string    // of the request; empty for a device
	CodeHash      string
	CodeChallenge string // PKCE with S256; empty for none
	CodeExpiresAt time.Time
	CodeUsedAt    time.Time // zero if the code wasn't used yet
	CreatedAt     time.Time
	ExpiresAt     time.Time // when housekeeping may delete it: with its code or, once that was used, with the session
}

// isOfDevice reports whether the grant was made for a device code, rather than for an authorization
// request, which always has a redirect URI.
func (g Grant) isOfDevice() bool { return g.RedirectURI == "" }

// Token is a token issued for a grant. Times are UTC.
type Token struct {
	Hash       string
	GrantID    string
	Kind       TokenKind
	CreatedAt  time.Time
	ExpiresAt  time.Time
	ReplacedAt time.Time // when a refresh token was first used; zero if it wasn't
}

// GrantState is a grant and what its use depends on.
type GrantState struct {
	Grant       Grant
	Token       Token           // zero if the grant was found by its code
	Client      Client          // with ID and Algorithm only
	App         apps.App        // with ID, Name, Audience, Enabled, and those of its Groups that the user is in
	Session     session.Session // with its User
	Memberships []directory.Membership
}

// ClientState is a client, and what a user's authorization depends on.
type ClientState struct {
	Client       Client
	App          apps.App // as that of GrantState, and AllowRequests
	Memberships  []directory.Membership
	RecentGrants int // that the session has for the client
}

// Store keeps clients, grants and tokens. Errors wrap directory.ErrNotFound,
// directory.ErrUnavailable, or are those of the rules it runs.
type Store interface {
	// CheckClient returns a client, and what its use in a session depends on, in one query. The zero
	// session is for no one. RecentGrants are those created after since.
	CheckClient(ctx context.Context, appID string, current session.Session, since time.Time) (ClientState, error)
	// GetClientWithSecret returns a client, and its secret with a hash, whose ID is empty
	// if there is none.
	GetClientWithSecret(ctx context.Context, appID, secretHash string) (Client, Secret, error)
	CreateGrant(ctx context.Context, g Grant) error
	// CheckGrantCode returns the grant of a code. It returns directory.ErrNotFound if
	// there is none, or if its session, user or client no longer exists.
	CheckGrantCode(ctx context.Context, codeHash string) (GrantState, error)
	// CheckGrantToken does the same for a token. It leaves out what concerns the code, and the
	// memberships if the app opens to everyone and the scope has no groups.
	CheckGrantToken(ctx context.Context, tokenHash string) (GrantState, error)
	// RedeemGrant writes a grant's CodeUsedAt and ExpiresAt, the tokens and the event. It returns
	// ErrUsed, and writes nothing, if the code was used already.
	RedeemGrant(ctx context.Context, g Grant, t NewTokens, e event.Event) error
	// ReplaceToken marks a refresh token as used at a time, unless it is already, and writes
	// the tokens. It returns directory.ErrNotFound if the token no longer exists.
	ReplaceToken(ctx context.Context, refreshHash string, at time.Time, t NewTokens) error
	// DeleteGrantToken deletes one token, if it exists.
	DeleteGrantToken(ctx context.Context, tokenHash string) error
	// EndGrant deletes a grant with its tokens and writes the event, if it exists.
	EndGrant(ctx context.Context, grantID string, e event.Event) error
	DeviceStore
}

// NewTokens are the tokens issued at a time for a grant.
type NewTokens struct {
	Access  Token
	Refresh Token // Hash is empty if there is none
}

// ErrUsed is returned by a Store for a code that was used before.
var ErrUsed = errors.New("this code was used before")

// Sessions verifies sessions; session.Service implements it.
type Sessions interface {
	// Recheck returns the session, verified again if the last verification is too old.
	// Errors: session.ErrEnded, session.ErrUnavailable.
	Recheck(ctx context.Context, s session.Session, b session.Browser) (session.Session, error)
	// Standing returns what the factors of a session allow.
	Standing(s session.Session) factor.Standing
}

// Signer signs and verifies JWTs; identity.Signer implements it.
type Signer interface {
	Sign(ctx context.Context, alg identity.Algorithm, typ string, claims any) (string, error)
	// Verify returns the claims of a JWT that Sign has returned, as JSON. It may have expired.
	Verify(token string) ([]byte, error)
}

// Options are the dependencies and settings of New. Fields are required unless they say otherwise.
type Options struct {
	Store    Store
	Sessions Sessions
	Signer   Signer
	Issuer   string // the base URL
	Now      func() time.Time
	Log      *slog.Logger

	// ObserveToken is called after each token request. grant is one of GrantTypes without the prefix of
	// a URN, or other; result is issued, the code of an error of OAuth, or unavailable. It may be nil.
	ObserveToken func(grant, result string)
}

// Provider answers the requests of clients. It is safe for concurrent use.
type Provider struct {
	store    Store
	sessions Sessions
	signer   Signer
	issuer   string
	now      func() time.Time
	log      *slog.Logger

	observeToken func(grant, result string) // may be nil
}

// New returns a Provider.
func New(o Options) *Provider {
	return &Provider{
		store: o.Store, sessions: o.Sessions, signer: o.Signer, issuer: o.Issuer, now: o.Now, log: o.Log.With("component", "openid"),
		observeToken: o.ObserveToken,
	}
}

// Issuer returns the identifier of the provider, the iss of its tokens.
func (p *Provider) Issuer() string { return p.issuer }

// check returns the session of a grant, if it is live and its user may open the app. Errors:
// errEnded, *apps.NotAllowedError, directory.ErrUnavailable, session.ErrUnavailable.
func (p *Provider) check(ctx context.Context, s GrantState, b session.Browser) (session.Session, error) {
	current, err := p.sessions.Recheck(ctx, s.Session, b)
	if errors.Is(err, session.ErrEnded) {
		return session.Session{}, errEnded
	}
	if err != nil {
		return session.Session{}, err
	}
	if p.sessions.Standing(current).NeedsSecondFactor {
		return session.Session{}, errEnded
	}
	if d := apps.Decide(s.App, current.User, s.Memberships, p.now()); d != apps.Allowed {
		return session.Session{}, &apps.NotAllowedError{Decision: d}
	}
	return current, nil
}

// errEnded reports that the session of a grant has ended or isn't complete.
var errEnded = errors.New("openid: the session has ended")
