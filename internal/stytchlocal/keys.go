package stytchlocal

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// The life of a signing key. When an SDK meets an unknown key it fetches the keys again,
// the official ones at most every five minutes.
const (
	publishBefore = 10 * time.Minute    // how long a new key is published before it signs
	retiredFor    = 30 * 24 * time.Hour // how long an old key is published after it last signed, as at Stytch: expired JWTs can be exchanged for new ones
	keyBits       = 3072                // 128 bits of security, by NIST SP 800-57
	maxKeys       = 34                  // allows a new key each day; all keys are in one row
)

// signingKey is a key that signs session JWTs. The private half of a key that no longer
// signs is deleted.
type signingKey struct {
	KeyID      string // jwk-test-<uuid>
	SigningKey []byte `json:",omitempty"` // RSA, PKCS #8; empty if the private half was deleted
	VerifyKey  []byte `json:",omitempty"` // PKIX; the public half if the private half was deleted
	SignsFrom  int64  `json:",omitempty"` // microseconds; 0 for the first key

	key    *rsa.PrivateKey // SigningKey, parsed; nil if the private half was deleted
	public *rsa.PublicKey
}

// newSigningKey generates a key, which takes some tenths of a second.
func newSigningKey() (signingKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return signingKey{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return signingKey{KeyID: "jwk-test-" + uuid.NewString(), SigningKey: der, key: key, public: &key.PublicKey}, err
}

func (k *signingKey) parse() error {
	var parsed any
	var err error
	if len(k.VerifyKey) > 0 {
		parsed, err = x509.ParsePKIXPublicKey(k.VerifyKey)
	} else {
		parsed, err = x509.ParsePKCS8PrivateKey(k.SigningKey)
	}
	if err != nil {
		return fmt.Errorf("read signing key: %w", err)
	}
	switch parsed := parsed.(type) {
	case *rsa.PrivateKey:
		k.key, k.public = parsed, &parsed.PublicKey
	case *rsa.PublicKey:
		k.public = parsed
	default:
		return errors.New("read signing key: it is not one of RSA")
	}
	return nil
}

func (k signingKey) verifyOnly() (signingKey, error) {
	der, err := x509.MarshalPKIXPublicKey(k.public)
	k.SigningKey, k.VerifyKey, k.key = nil, der, nil
	return k, err
}

// keyRing holds signing keys, newest first.
type keyRing []signingKey

// publishedAt returns the keys that are published at a time, including those that do not
// sign yet.
func (r keyRing) publishedAt(now int64) keyRing {
	for i := 1; i < len(r); i++ {
		if r[i-1].SignsFrom+retiredFor.Microseconds() <= now {
			return r[:i]
		}
	}
	return r
}

// signerAt returns the index of the key that signs at a time. If the clock was set back,
// that is the oldest key with a private half.
func (r keyRing) signerAt(now int64) int {
	signer := 0
	for i, k := range r {
		if k.key == nil {
			break
		}
		if signer = i; k.SignsFrom <= now {
			break
		}
	}
	return signer
}

type storedKeyRing struct {
	value string // the project's row
	keys  keyRing
}

// keys returns the published keys. It reads them each time, so that all instances agree,
// and parses them only after a change. If the database fails it returns those read last: a
// link may already have been redeemed.
func (s *Server) keys(ctx context.Context) keyRing {
	ring := s.ring.Load()
	value, err := s.read.GetProject(ctx)
	if err == nil && value != ring.value {
		var p project
		if p, err = parseProject(value); err == nil {
			ring = &storedKeyRing{value, p.keyRing()}
			s.ring.Store(ring)
		}
	}
	if err != nil && ctx.Err() == nil {
		s.opts.Log.Warn("cannot read signing keys, using the previous ones", "error", s.opts.Explain(err))
	}
	return ring.keys.publishedAt(s.now())
}

// Rotation describes a change of the signing key.
type Rotation struct {
	KeyID     string    // of the new key
	SignsFrom time.Time // when the new key begins to sign
	OldUntil  time.Time // until when the old keys' signatures are valid; SignsFrom if they are not
}

// RotateKey replaces the key that signs session JWTs, on all instances. The new key is
// published before it signs, and the old keys stay published as long as JWTs with their
// signatures may be in use.
//
// If immediately is set, because a key was leaked, the old keys are deleted at once. Apps
// that verify JWTs themselves may then refuse valid ones, and accept forged ones, until
// they fetch the keys again.
func (s *Server) RotateKey(ctx context.Context, immediately bool) (Rotation, error) {
	newKey, err := newSigningKey()
	if err != nil {
		return Rotation{}, err
	}
	err = s.tx(ctx, func(q *dbsqlc.Queries) error {
		old, err := q.GetProject(ctx)
		if err != nil {
			return err
		}
		p, err := parseProject(old)
		if err != nil {
			return err
		}
		if err := p.rotate(newKey, s.now(), immediately); err != nil {
			return err
		}
		value, err := json.Marshal(p)
		if err != nil {
			return err
		}
		n, err := q.ReplaceProject(ctx, dbsqlc.ReplaceProjectParams{Value: string(value), Was: old})
		if err == nil && n == 0 {
			err = errConflict
		}
		newKey.SignsFrom = p.SignsFrom
		return err
	})
	if err != nil {
		return Rotation{}, fmt.Errorf("local stytch: rotate key: %w", s.opts.Explain(err))
	}
	r := Rotation{KeyID: newKey.KeyID, SignsFrom: toTime(newKey.SignsFrom), OldUntil: toTime(newKey.SignsFrom)}
	if !immediately {
		r.OldUntil = r.SignsFrom.Add(retiredFor)
	}
	return r, nil
}

// rotate makes a key the newest of the project.
func (p *project) rotate(newKey signingKey, now int64, immediately bool) error {
	if immediately {
		newKey.SignsFrom = now
		p.signingKey, p.Retired = newKey, nil
		return nil
	}
	newKey.SignsFrom = now + publishBefore.Microseconds()
	p.Retired = p.keyRing().publishedAt(now)
	if len(p.Retired) == maxKeys {
		return fmt.Errorf("there are %d keys of the last %d days already; with --at-once they are forgotten", maxKeys, int(retiredFor.Hours()/24))
	}
	for i := p.Retired.signerAt(now) + 1; i < len(p.Retired); i++ { // the signer signs until the new key does
		var err error
		if p.Retired[i], err = p.Retired[i].verifyOnly(); err != nil {
			return err
		}
	}
	p.signingKey = newKey
	return nil
}
