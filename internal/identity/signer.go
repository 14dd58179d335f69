package identity

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/retry"
	"github.com/guestlist/guestlist/internal/safego"
)

const (
	// tokenLife is how long a JWT is valid. It is made for one request.
	tokenLife = 2 * time.Minute
	// reusedFor is how long the JWT of an unchanged identity is used again.
	reusedFor = 30 * time.Second
	// checkInterval is how often the keys are read: a rotation takes effect on all instances
	// within it.
	checkInterval = 30 * time.Second
)

// Errors of a Signer.
var (
	ErrNoKey       = errors.New("identity: there is no signing key")
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

// Signer signs identities. It holds the keys in memory, so that signing asks no database. It
// is safe for concurrent use.
type Signer struct {
	store  Store
	sealer sealer
	issuer string
	now    func() time.Time
	log    *slog.Logger
	ring   atomic.Pointer[keyRing]
	tokens *tokenCache
}

// NewSigner returns a Signer without keys; see Load.
func NewSigner(o Options) (*Signer, error) {
	sealer, err := newSealer(o.CookieKeys)
	if err != nil {
		return nil, err
	}
	s := &Signer{store: o.Store, sealer: sealer, issuer: o.Issuer, now: o.Now, log: o.Log.With("component", "identity"), tokens: newTokenCache()}
	s.ring.Store(&keyRing{})
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
	key := s.ring.Load().signerAt(now)
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
	token, err := key.sign(c)
	if err != nil {
		return cachedToken{}, err
	}
	made := cachedToken{token: token, headers: newHeaders(id, token), issued: now}
	s.tokens.put(cacheKey, made)
	return made, nil
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

// Load reads the keys. It creates one if there is none that this instance can use or if the
// next one is due, and deletes those that are no longer published. If it fails, the keys read
// before stay in use.
func (s *Signer) Load(ctx context.Context) error {
	const attempts = 10 // other instances may create keys at the same time
	for range attempts {
		ring, err := s.read(ctx)
		if err != nil {
			return err
		}
		next, reason, err := s.due(ring)
		if err != nil {
			return err
		}
		if next == nil {
			s.ring.Store(&ring)
			return s.deleteRetired(ctx, ring)
		}
		err = s.store.AddSigningKey(ctx, *next, nil, event.New(event.SettingChanged, s.now(), "", "", reason))
		if err != nil && !errors.Is(err, ErrGenerationTaken) {
			return err
		}
	}
	return ErrNoKey
}

// read returns the stored keys.
func (s *Signer) read(ctx context.Context) (keyRing, error) {
	stored, err := s.store.ListSigningKeys(ctx, 2*maxKeys)
	if err != nil {
		return nil, err
	}
	ring := make(keyRing, len(stored))
	for i, k := range stored {
		if ring[i], err = s.sealer.open(k); err != nil {
			return nil, err
		}
	}
	return ring, nil
}

// due returns the next key, if one has to be created now, and why.
func (s *Signer) due(ring keyRing) (next *StoredKey, reason string, err error) {
	now := s.now()
	generation, signsFrom := int64(1), now
	if len(ring) > 0 {
		generation = ring[0].Generation + 1
	}
	switch {
	case len(ring) == 0:
		reason = "a key that signs identities for apps was made"
	case ring.signerAt(now) == nil:
		reason = "a key that signs identities for apps was made, because the cookie key has changed"
	case !now.Before(ring[0].SignsFrom.Add(keyLife)):
		signsFrom = now.Add(publishBefore)
		reason = fmt.Sprintf("a new key that signs identities for apps was made after %d days", int(keyLife.Hours()/24))
	default:
		return nil, "", nil
	}
	k, err := s.sealer.create(generation, signsFrom, now)
	return &k, reason, err
}

func (s *Signer) deleteRetired(ctx context.Context, ring keyRing) error {
	for _, k := range ring[len(ring.published(s.now())):] {
		if err := s.store.DeleteSigningKey(ctx, k.ID); err != nil {
			return err
		}
	}
	return nil
}

// Run keeps the keys up to date until ctx ends.
func (s *Signer) Run(ctx context.Context) {
	for retry.Sleep(ctx, checkInterval) == nil {
		safego.Recover(s.log, "load signing keys", func() {
			if err := s.Load(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("signing keys not read; those read before stay in use", "error", err)
			}
		})
	}
}

// Rotation describes a change of the signing key.
type Rotation struct {
	KeyID     string    // of the new key
	SignsFrom time.Time // when the new key begins to sign
	OldUntil  time.Time // until when the old keys are published; SignsFrom if they no longer are
}

// Rotate creates a new key, which is published at once and signs an hour later, so that apps
// know it by then. If immediately is set, because a key has leaked, it signs at once and the
// old keys are deleted: apps refuse JWTs of other instances until those have read the keys,
// within half a minute, and accept forged ones until they fetch the keys again.
func (s *Signer) Rotate(ctx context.Context, by event.Origin, immediately bool) (Rotation, error) {
	for {
		ring, err := s.read(ctx)
		if err != nil {
			return Rotation{}, err
		}
		now := s.now()
		signsFrom, generation := now.Add(publishBefore), int64(1)
		if len(ring) > 0 {
			generation = ring[0].Generation + 1
		}
		var drop []string
		switch {
		case immediately:
			signsFrom = now
			for _, k := range ring {
				drop = append(drop, k.ID)
			}
		case len(ring.published(now)) >= maxKeys:
			return Rotation{}, ErrTooManyKeys
		}
		k, err := s.sealer.create(generation, signsFrom, now)
		if err != nil {
			return Rotation{}, err
		}
		e := by.NewEvent(event.SettingChanged, now, "", "", "a new key that signs identities for apps was made: "+k.ID)
		err = s.store.AddSigningKey(ctx, k, drop, e)
		if errors.Is(err, ErrGenerationTaken) {
			continue
		}
		if err != nil {
			return Rotation{}, err
		}
		r := Rotation{KeyID: k.ID, SignsFrom: signsFrom, OldUntil: signsFrom}
		if !immediately {
			r.OldUntil = signsFrom.Add(retiredFor)
		}
		return r, nil
	}
}
