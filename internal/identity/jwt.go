package identity

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// sign returns claims as a JWT (https://www.rfc-editor.org/rfc/rfc7519) that names the key.
func (k *signingKey) sign(typ string, claims any) (string, error) {
	method, err := k.Algorithm.method()
	if err != nil {
		return "", err
	}
	header, err := json.Marshal(map[string]string{"alg": method.Alg(), "kid": k.ID, "typ": typ})
	if err != nil {
		return "", err
	}
	payload, err := marshal(claims)
	if err != nil {
		return "", fmt.Errorf("identity: sign: %w", err)
	}
	signed := encode(header) + "." + encode(payload)
	signature, err := method.Sign(signed, k.private)
	if err != nil {
		return "", fmt.Errorf("identity: sign: %w", err)
	}
	return signed + "." + encode(signature), nil
}

// marshal returns claims in JSON, without the escapes for HTML that json.Marshal adds.
func marshal(claims any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(claims)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// parser accepts the algorithms of a Signer and no other, and leaves times to the caller.
var parser = jwt.NewParser(
	jwt.WithValidMethods([]string{string(RS256), string(ES256)}),
	jwt.WithoutClaimsValidation(),
	jwt.WithStrictDecoding(),
)

// Verify returns the claims of a JWT of type "JWT" that a published key has signed, in JSON. It
// checks the signature only: iss, aud, exp and the like are for the caller. The key that the token
// names decides the algorithm. Keys that another instance has created are known within half a
// minute. Every error wraps ErrNotVerified.
func (s *Signer) Verify(token string) ([]byte, error) {
	rings, now := s.rings.Load(), s.now()
	parsed, err := parser.Parse(token, func(t *jwt.Token) (any, error) {
		if typ, _ := t.Header["typ"].(string); typ != "JWT" {
			return nil, fmt.Errorf("its type is %q", typ)
		}
		id, _ := t.Header["kid"].(string)
		for _, a := range algorithms {
			for _, k := range rings.of(a).published(now) {
				if k.ID == id && t.Method.Alg() == string(a) {
					return k.public, nil
				}
			}
		}
		return nil, fmt.Errorf("there is no %s key %q", t.Method.Alg(), id)
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotVerified, err)
	}
	_, rest, _ := strings.Cut(parsed.Raw, ".")
	payload, _, _ := strings.Cut(rest, ".")
	return parser.DecodeSegment(payload)
}
