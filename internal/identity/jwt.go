package identity

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// sign returns claims as a JWT (https://www.rfc-editor.org/rfc/rfc7519) that names the key.
func (k *signingKey) sign(c claims) (string, error) {
	header, err := json.Marshal(map[string]string{"alg": "ES256", "kid": k.ID, "typ": "JWT"})
	if err != nil {
		return "", err
	}
	payload, err := marshal(c)
	if err != nil {
		return "", err
	}
	signed := encode(header) + "." + encode(payload)
	signature, err := jwt.SigningMethodES256.Sign(signed, k.private)
	if err != nil {
		return "", fmt.Errorf("identity: sign: %w", err)
	}
	return signed + "." + encode(signature), nil
}

// marshal returns claims in JSON, without the escapes for HTML that json.Marshal adds.
func marshal(c claims) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(c)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// PublicKey verifies JWTs that name its id.
type PublicKey struct {
	ID  string
	Key *ecdsa.PublicKey
}

// PublicKeys returns the keys that verify JWTs, newest first.
func (s *Signer) PublicKeys() []PublicKey {
	var keys []PublicKey
	for _, k := range s.ring.Load().published(s.now()) {
		keys = append(keys, PublicKey{ID: k.ID, Key: k.public})
	}
	return keys
}

// jwk is a public key in JSON (https://www.rfc-editor.org/rfc/rfc7518#section-6.2.1).
type jwk struct {
	Use       string `json:"use"`
	Type      string `json:"kty"`
	ID        string `json:"kid"`
	Curve     string `json:"crv"`
	Algorithm string `json:"alg"`
	X         string `json:"x"`
	Y         string `json:"y"`
}

// JWKS returns PublicKeys in JSON (https://www.rfc-editor.org/rfc/rfc7517#section-5).
func (s *Signer) JWKS() ([]byte, error) {
	keys := []jwk{}
	for _, k := range s.PublicKeys() {
		point, err := k.Key.Bytes() // 4, X and Y
		if err != nil {
			return nil, fmt.Errorf("identity: publish key %s: %w", k.ID, err)
		}
		x, y := point[1:33], point[33:]
		keys = append(keys, jwk{Use: "sig", Type: "EC", ID: k.ID, Curve: "P-256", Algorithm: "ES256", X: encode(x), Y: encode(y)})
	}
	return json.Marshal(map[string][]jwk{"keys": keys})
}
