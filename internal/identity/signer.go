package identity

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// tokenLife is how long a JWT is valid. It is made for one request.
	tokenLife = 2 * time.Minute
	// reusedFor is how long the JWT of an unchanged identity is used again.
	reusedFor = 30 * time.Second
)

// Errors of a Signer.
var (
	ErrNoKey       = errors.New("identity: there is no signing key")
	ErrNotVerified = errors.New("identity: the token was not signed by a published key")
	ErrIncomplete  = errors.New("identity: an identity needs an app and a user")
	ErrTooManyKeys = fmt.Errorf("there are %d signing keys of the last %d days already; with --at-once they are deleted", maxKeys, int(retiredFor.Hours()/24))
)

// Options are the dependencies and settings of NewSigner. All fields are required.
type Options struct {
	Store      Store
	CookieKeys []string // newest first; private keys are encrypted with keys derived from them
	Issuer     string   // the base URL
	Now        func() time.Time
	Log        *slog.Logger
}

// Signer signs identities and other claims. It holds the keys in memory, so that signing asks no
// database. It is safe for concurrent use.
type Signer struct {
	store  Store
	sealer sealer
	issuer string
	now    func() time.Time
	log    *slog.Logger
	tokens *tokenCache

	rings    atomic.Pointer[keyRings]
	loading  sync.Mutex         // held while rings is replaced
	creating singleflight.Group // of first keys, by algorithm
}

// NewSigner returns a Signer without keys; see Load.
func NewSigner(o Options) (*Signer, error) {
	sealer, err := newSealer(o.CookieKeys)
	if err != nil {
		return nil, err
	}
	s := &Signer{store: o.Store, sealer: sealer, issuer: o.Issuer, now: o.Now, log: o.Log.With("component", "identity"), tokens: newTokenCache()}
	s.rings.Store(newKeyRings(nil))
	return s, nil
}

// claims are the claims of a JWT.
type claims struct {
	Issuer string `json:"iss"`
	Identity
	GroupsTruncated bool  `json:"groups_truncated,omitempty"` // groups lacks some
	IssuedAt        int64 `json:"iat"`
	Expires         int64 `json:"exp"`
}

// Mint returns a JWT that is valid for two minutes. Within half a minute it returns the same
// for the same identity: signing is the most expensive part of a request. Errors: ErrNoKey,
// ErrIncomplete.
func (s *Signer) Mint(_ context.Context, id Identity) (string, error) {
	signed, err := s.describe(id)
	return signed.token, err
}

// describe returns the JWT and the headers of an identity.
func (s *Signer) describe(id Identity) (cachedToken, error) {
	if id.AppID == "" || id.UserID == "" {
		return cachedToken{}, ErrIncomplete
	}
	now := s.now()
	key := s.rings.Load().of(ES256).signerAt(now)
	if key == nil {
		return cachedToken{}, ErrNoKey
	}
	cacheKey := id.digest(key.ID)
	if found, ok := s.tokens.get(cacheKey, now); ok {
		return found, nil
	}
	c := claims{Issuer: s.issuer, Identity: id}
	groups, all := fitGroups(id)
	c.Groups, c.GroupsTruncated = append([]string{}, groups...), !all
	c.IssuedAt, c.Expires = now.Unix(), now.Add(tokenLife).Unix()
	token, err := key.sign("JWT", c)
	if err != nil {
		return cachedToken{}, err
	}
	made := cachedToken{token: token, headers: newHeaders(id, token), issued: now}
	s.tokens.put(cacheKey, made)
	return made, nil
}

// Sign returns claims, a value that is an object in JSON, as a JWT. typ is its type: "JWT", or the
// name of another kind of token, which Verify refuses. If there is no key of the algorithm, which
// is the case for RS256 until it is used, Sign reads the database, and creates one. Errors:
// ErrNoKey, those of the Store, and one for an unknown algorithm.
func (s *Signer) Sign(ctx context.Context, a Algorithm, typ string, claims any) (string, error) {
	key := s.rings.Load().of(a).signerAt(s.now())
	if key == nil {
		if err := s.ensure(ctx, a); err != nil {
			return "", err
		}
		key = s.rings.Load().of(a).signerAt(s.now())
	}
	if key == nil {
		return "", ErrNoKey
	}
	return key.sign(typ, claims)
}

// digest returns a digest of the identity and the id of the key that signs it.
func (id Identity) digest(keyID string) [sha256.Size]byte {
	b := make([]byte, 0, 512) // on the stack: this runs for every request
	for _, field := range [...]string{keyID, id.AppID, id.UserID, id.Email, id.Name, id.Handle, id.SessionID} {
		b = append(binary.AppendUvarint(b, uint64(len(field))), field...)
	}
	for _, group := range id.Groups {
		b = append(binary.AppendUvarint(b, uint64(len(group))), group...)
	}
	return sha256.Sum256(b)
}
