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

// How a change of the signing key goes. An SDK fetches the keys again for one that
// it does not know, but the official ones do that at most every five minutes, for
// else anybody could have them do it with made-up JWTs.
const (
	publishBefore = 10 * time.Minute    // a new key is shown for so long before it signs
	keyBits       = 3072                // 128 bits of security, by NIST SP 800-57
	maxKeys       = 34                  // a new one each day; they are in one row
	retiredTime   = 30 * 24 * time.Hour // the old one is shown after it has signed last, as by Stytch: JWTs past their time are exchanged for new ones
)

// signingKey is what session JWTs are signed with.
type signingKey struct {
	KeyID      string // jwk-test-<uuid>
	SigningKey []byte `json:",omitempty"` // RSA, PKCS #8; none for a key that signs no more
	VerifyKey  []byte `json:",omitempty"` // its public half, PKIX, of a key that signs no more
	SignsFrom  int64  `json:",omitempty"` // microseconds; 0: from the beginning

	key    *rsa.PrivateKey // SigningKey, parsed; nil for a key that signs no more
	public *rsa.PublicKey
}

// newSigningKey makes a key, which takes some tenths of a second.
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

// verifyOnly returns the key without its private half.
func (k signingKey) verifyOnly() (signingKey, error) {
	der, err := x509.MarshalPKIXPublicKey(k.public)
	k.SigningKey, k.VerifyKey, k.key = nil, der, nil
	return k, err
}

// keyRing is the signing keys, the newest first.
type keyRing []signingKey

// publishedAt returns the keys to be shown at a time, also those that sign only later.
func (r keyRing) publishedAt(now int64) keyRing {
	for i := 1; i < len(r); i++ {
		if r[i-1].SignsFrom+retiredTime.Microseconds() <= now {
			return r[:i]
		}
	}
	return r
}

// signer returns the place of the key that signs at a time.
func (r keyRing) signer(now int64) int {
	oldest := 0 // that still has its private half: it signs while a clock is set back
	for i, k := range r {
		if k.key == nil {
			break
		}
		if oldest = i; k.SignsFrom <= now {
			break
		}
	}
	return oldest
}

// storedRing is the keys as they were read last.
type storedRing struct {
	value string // the project's row
	all   keyRing
}

// keys returns the keys to be shown now. They are read each time, so that all
// instances have the same, and parsed only when they have changed. What was read
// last serves where the database fails: a link may have been spent already.
func (s *Server) keys(ctx context.Context) keyRing {
	last := s.ring.Load()
	value, err := s.read.GetProject(ctx)
	if err == nil && value != last.value {
		var p project
		if p, err = parseProject(value); err == nil {
			last = &storedRing{value, p.keyRing()}
			s.ring.Store(last)
		}
	}
	if err != nil && ctx.Err() == nil {
		s.opts.Log.Warn("local stytch: signing keys not read, the last ones serve", "error", s.opts.Explain(err))
	}
	return last.all.publishedAt(s.now())
}

// Rotation is a change of the signing key.
type Rotation struct {
	KeyID     string    // of the new one
	SignsFrom time.Time // when that begins to sign
	OldUntil  time.Time // until when what the old ones signed is good; not after SignsFrom: no longer
}

// RotateKey makes a new key that session JWTs are signed with, on all instances.
// SDKs get to know it before it signs, and the old ones stay for as long as
// anybody may hold a JWT by them. At once means that an old one is in wrong hands:
// all are forgotten, and apps that check JWTs by themselves may refuse good ones
// until they fetch the keys again, and take bad ones until they do.
func (s *Server) RotateKey(ctx context.Context, atOnce bool) (Rotation, error) {
	fresh, err := newSigningKey()
	if err != nil {
		return Rotation{}, err
	}
	err = s.tx(ctx, func(q *dbsqlc.Queries) error {
		was, err := q.GetProject(ctx)
		if err != nil {
			return err
		}
		p, err := parseProject(was)
		if err != nil {
			return err
		}
		if err := p.rotate(fresh, s.now(), atOnce); err != nil {
			return err
		}
		value, err := json.Marshal(p)
		if err != nil {
			return err
		}
		n, err := q.ReplaceProject(ctx, dbsqlc.ReplaceProjectParams{Value: string(value), Was: was})
		if err == nil && n == 0 {
			err = errConflict
		}
		fresh.SignsFrom = p.SignsFrom
		return err
	})
	if err != nil {
		return Rotation{}, fmt.Errorf("local stytch: rotate key: %w", s.opts.Explain(err))
	}
	r := Rotation{KeyID: fresh.KeyID, SignsFrom: toTime(fresh.SignsFrom), OldUntil: toTime(fresh.SignsFrom)}
	if !atOnce {
		r.OldUntil = r.SignsFrom.Add(retiredTime)
	}
	return r, nil
}

// rotate puts a key before those that the project has.
func (p *project) rotate(fresh signingKey, now int64, atOnce bool) error {
	fresh.SignsFrom, p.Retired = now+publishBefore.Microseconds(), p.keyRing().publishedAt(now)
	switch {
	case atOnce:
		fresh.SignsFrom, p.Retired = now, nil
	case len(p.Retired) == maxKeys:
		return fmt.Errorf("there are %d keys of the last %d days already; with --at-once they are forgotten", maxKeys, int(retiredTime.Hours()/24))
	}
	for i := range p.Retired {
		if i <= p.Retired.signer(now) {
			continue // it signs until the fresh one does
		}
		var err error
		if p.Retired[i], err = p.Retired[i].verifyOnly(); err != nil {
			return err
		}
	}
	p.signingKey = fresh
	return nil
}
