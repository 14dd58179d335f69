package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// Algorithm is a signature algorithm of JWTs (https://www.rfc-editor.org/rfc/rfc7518#section-3.1).
type Algorithm string

// The algorithms of a Signer. Each has keys of its own.
const (
	// RS256 signs ID tokens, because every OpenID Connect client verifies it. Its first key is
	// created when one is needed, which takes about 100 ms.
	RS256 Algorithm = "RS256"
	// ES256 signs identities, which have to fit into a header, and ID tokens of clients that ask for it.
	ES256 Algorithm = "ES256"
)

const rsaBits = 2048

// algorithms lists all algorithms in the order of the JWKS: some clients take the first key.
var algorithms = [...]Algorithm{RS256, ES256}

// privateKey is a private key of the standard library.
type privateKey interface {
	Public() crypto.PublicKey
}

// publicKey is a public key of the standard library.
type publicKey interface {
	Equal(x crypto.PublicKey) bool
}

// method returns how the algorithm signs. It returns an error for an algorithm that a Signer has
// no keys of.
func (a Algorithm) method() (jwt.SigningMethod, error) {
	switch a {
	case RS256:
		return jwt.SigningMethodRS256, nil
	case ES256:
		return jwt.SigningMethodES256, nil
	}
	return nil, fmt.Errorf("identity: there is no algorithm %q", string(a))
}

// generate returns a new private key.
func (a Algorithm) generate() (privateKey, error) {
	switch a {
	case RS256:
		return rsa.GenerateKey(rand.Reader, rsaBits)
	case ES256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return nil, fmt.Errorf("identity: there is no algorithm %q", string(a))
}

// fits reports whether a public key is one of the algorithm.
func (a Algorithm) fits(key any) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return a == RS256 && k.N.BitLen() >= rsaBits
	case *ecdsa.PublicKey:
		return a == ES256 && k.Curve == elliptic.P256()
	}
	return false
}

// keyName returns what the audit log calls a key of the algorithm.
func (a Algorithm) keyName() string {
	if a == RS256 {
		return "key that signs ID tokens for apps"
	}
	return "key that signs identities for apps"
}
