package identity

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/ids"
)

// The life of a signing key. Libraries that meet an unknown key fetch the keys again, and
// some keep them for ten minutes whatever they meet.
const (
	keyLife       = 90 * 24 * time.Hour // how long a key signs before the next one does
	publishBefore = time.Hour           // how long a new key is published before it signs
	retiredFor    = 7 * 24 * time.Hour  // how long a key is published after it last signed
	maxKeys       = 32                  // of an algorithm that are published at a time
)

// StoredKey is a signing key as it is stored.
type StoredKey struct {
	Algorithm  Algorithm
	ID         string
	Generation int64  // 1, 2, … of the algorithm
	Private    string // encrypted
	Public     string // PKIX, base64
	SignsFrom  time.Time
	CreatedAt  time.Time
}

// Store keeps the signing keys of all instances. Its errors wrap directory.ErrUnavailable.
type Store interface {
	// ListSigningKeys returns up to limit keys of an algorithm, newest generation first.
	ListSigningKeys(ctx context.Context, a Algorithm, limit int) ([]StoredKey, error)
	// AddSigningKeys inserts keys, deletes others and writes the events, in one transaction. It
	// returns ErrGenerationTaken if another instance was faster with one of them.
	AddSigningKeys(ctx context.Context, add, drop []StoredKey, e ...event.Event) error
	// DeleteSigningKey deletes a key, if it exists.
	DeleteSigningKey(ctx context.Context, k StoredKey) error
}

// ErrGenerationTaken is returned by a Store for a key whose generation exists.
var ErrGenerationTaken = errors.New("another instance has created the next signing key")

// signingKey is a key in use.
type signingKey struct {
	StoredKey
	public  publicKey
	private privateKey // nil if it can't be decrypted with the cookie keys of this instance
}

// keyRing holds the keys of an algorithm, newest first.
type keyRing []*signingKey

// isPublished reports whether the key at an index is published at a time: until retiredFor
// after its successor began to sign.
func (r keyRing) isPublished(i int, now time.Time) bool {
	return i == 0 || now.Before(r[i-1].SignsFrom.Add(retiredFor))
}

// published returns the keys that are published at a time.
func (r keyRing) published(now time.Time) keyRing {
	for i := range r {
		if !r.isPublished(i, now) {
			return r[:i]
		}
	}
	return r
}

// nextGeneration returns the generation of the key after the newest.
func (r keyRing) nextGeneration() int64 {
	if len(r) == 0 {
		return 1
	}
	return r[0].Generation + 1
}

// signerAt returns the key that signs at a time: the newest one that has begun to, and if the
// clock was set back the oldest. It returns nil if this instance has none.
func (r keyRing) signerAt(now time.Time) *signingKey {
	var found *signingKey
	for _, k := range r.published(now) {
		if k.private == nil {
			continue
		}
		if found = k; !k.SignsFrom.After(now) {
			break
		}
	}
	return found
}

// sealer encrypts private keys with keys derived from the cookie keys.
type sealer struct{ ciphers []cipher.AEAD } // the first encrypts, all can decrypt

func newSealer(cookieKeys []string) (sealer, error) {
	if len(cookieKeys) == 0 {
		return sealer{}, errors.New("identity: signing keys need a cookie key")
	}
	var s sealer
	for _, key := range cookieKeys {
		derived, err := hkdf.Key(sha256.New, []byte(key), nil, "guestlist signing key v1", 32)
		if err != nil {
			return sealer{}, err
		}
		block, err := aes.NewCipher(derived)
		if err != nil {
			return sealer{}, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return sealer{}, err
		}
		s.ciphers = append(s.ciphers, aead)
	}
	return s, nil
}

// create generates a key.
func (s sealer) create(a Algorithm, generation int64, signsFrom, now time.Time) (StoredKey, error) {
	private, err := a.generate()
	if err != nil {
		return StoredKey{}, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return StoredKey{}, err
	}
	pkix, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return StoredKey{}, err
	}
	k := StoredKey{Algorithm: a, ID: ids.New(), Generation: generation, SignsFrom: signsFrom, CreatedAt: now}
	k.Public = base64.StdEncoding.EncodeToString(pkix)
	k.Private = base64.StdEncoding.EncodeToString(s.ciphers[0].Seal(nil, nil, pkcs8, []byte(k.ID)))
	return k, nil
}

// open decrypts a key. If that fails, the key can only verify.
func (s sealer) open(stored StoredKey) (*signingKey, error) {
	k := &signingKey{StoredKey: stored}
	pkix, err := base64.StdEncoding.DecodeString(stored.Public)
	if err != nil {
		return nil, fmt.Errorf("identity: read signing key %s: %w", stored.ID, err)
	}
	public, err := x509.ParsePKIXPublicKey(pkix)
	if err != nil {
		return nil, fmt.Errorf("identity: read signing key %s: %w", stored.ID, err)
	}
	if !stored.Algorithm.fits(public) {
		return nil, fmt.Errorf("identity: read signing key %s: it is not one of %s", stored.ID, stored.Algorithm)
	}
	k.public = public.(publicKey)
	if private := s.decrypt(stored); private != nil && k.public.Equal(private.Public()) {
		k.private = private
	}
	return k, nil
}

// decrypt returns the private key, or nil if it was encrypted with another cookie key.
func (s sealer) decrypt(stored StoredKey) privateKey {
	sealed, err := base64.StdEncoding.DecodeString(stored.Private)
	if err != nil {
		return nil
	}
	for _, aead := range s.ciphers {
		pkcs8, err := aead.Open(nil, nil, sealed, []byte(stored.ID))
		if err != nil {
			continue
		}
		parsed, err := x509.ParsePKCS8PrivateKey(pkcs8)
		if err != nil {
			continue
		}
		if private, ok := parsed.(privateKey); ok {
			return private
		}
	}
	return nil
}
