package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"math/big"
	"time"
)

// PublicKey verifies the JWTs of Mint that name its id.
type PublicKey struct {
	ID  string
	Key *ecdsa.PublicKey
}

// PublicKeys returns the keys that verify the JWTs of Mint, newest first.
func (s *Signer) PublicKeys() []PublicKey {
	var keys []PublicKey
	for _, k := range s.rings.Load().of(ES256).published(s.now()) {
		keys = append(keys, PublicKey{ID: k.ID, Key: k.public.(*ecdsa.PublicKey)})
	}
	return keys
}

// jwk is a public key in JSON (https://www.rfc-editor.org/rfc/rfc7518#section-6).
type jwk struct {
	Use       string    `json:"use"`
	Type      string    `json:"kty"`
	ID        string    `json:"kid"`
	Curve     string    `json:"crv,omitempty"` // of ES256
	Algorithm Algorithm `json:"alg"`
	X         string    `json:"x,omitempty"` // of ES256
	Y         string    `json:"y,omitempty"` // of ES256
	N         string    `json:"n,omitempty"` // of RS256
	E         string    `json:"e,omitempty"` // of RS256
}

// newJWK describes the public half of a key.
func newJWK(k *signingKey) (jwk, error) {
	described := jwk{Use: "sig", ID: k.ID, Algorithm: k.Algorithm}
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		described.Type = "RSA"
		described.N = encode(public.N.Bytes())
		described.E = encode(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // 4, X and Y
		if err != nil {
			return jwk{}, fmt.Errorf("identity: publish key %s: %w", k.ID, err)
		}
		described.Type, described.Curve = "EC", "P-256"
		described.X, described.Y = encode(point[1:33]), encode(point[33:])
	default:
		return jwk{}, fmt.Errorf("identity: publish key %s: it is a %T", k.ID, public)
	}
	return described, nil
}

// jwksDocument is a JWKS and the number of keys of each algorithm in it, by which it is found
// again: as time passes, older keys are left out.
type jwksDocument struct {
	published [len(algorithms)]int
	body      []byte
}

// JWKS returns the public keys of all algorithms in JSON
// (https://www.rfc-editor.org/rfc/rfc7517#section-5), RS256 first. The caller must not change it.
// If there is no RS256 key, it creates one, so that a client that fetches the keys before it gets
// its first ID token has the key of it. Errors are those of the Store.
func (s *Signer) JWKS(ctx context.Context) ([]byte, error) {
	if len(s.rings.Load().of(RS256)) == 0 {
		if err := s.ensure(ctx, RS256); err != nil {
			return nil, err
		}
	}
	return s.rings.Load().document(s.now())
}

// document returns the JWKS of a time.
func (r *keyRings) document(now time.Time) ([]byte, error) {
	var published [len(algorithms)]int
	for i, a := range algorithms {
		published[i] = len(r.of(a).published(now))
	}
	if made := r.jwks.Load(); made != nil && made.published == published {
		return made.body, nil
	}
	keys := []jwk{}
	for i, a := range algorithms {
		for _, k := range r.of(a)[:published[i]] {
			described, err := newJWK(k)
			if err != nil {
				return nil, err
			}
			keys = append(keys, described)
		}
	}
	body, err := json.Marshal(map[string][]jwk{"keys": keys})
	if err != nil {
		return nil, err
	}
	r.jwks.Store(&jwksDocument{published: published, body: body})
	return body, nil
}
