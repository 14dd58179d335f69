package openid

import (
	"crypto"
	_ "crypto/sha256" // for at_hash
	_ "crypto/sha512" // for at_hash
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// clockSkew is by how much the clocks of provider and client may differ.
const clockSkew = 5 * time.Minute

// signatureAlgorithms are the algorithms by the type of key they use.
var signatureAlgorithms = map[jose.SignatureAlgorithm]string{
	jose.RS256: "RSA", jose.RS384: "RSA", jose.RS512: "RSA", jose.PS256: "RSA", jose.PS384: "RSA", jose.PS512: "RSA",
	jose.ES256: "EC", jose.ES384: "EC", jose.ES512: "EC", jose.EdDSA: "OKP",
}

// hashes are the hash functions of at_hash by algorithm.
var hashes = map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}

// idToken is an ID token, or a logout token, whose signature may not have been verified.
type idToken struct {
	value  string
	header object
	claims object
}

// encode returns unpadded base64url.
func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// readIDToken reads a JWT.
func (r *run) readIDToken(value string) idToken {
	parts := strings.Split(value, ".")
	if len(parts) != 3 {
		r.stop("%q is no JWT", value)
	}
	return idToken{value, r.readPart(parts[0]), r.readPart(parts[1])}
}

// readPart reads the header or the claims of a JWT.
func (r *run) readPart(part string) object {
	text, err := base64.RawURLEncoding.DecodeString(part)
	r.must(err)
	read, err := parseObject(text)
	r.must(err)
	return read
}

// checkIDToken checks an ID token as every module does.
func (r *run) checkIDToken(q *request, t idToken) {
	r.checkIDTokenClaims(q, t)
	r.checkNonce(q, t)
	r.checkSignature("the ID token", t)
}

// checkIDTokenClaims checks the claims of an ID token other than nonce.
func (r *run) checkIDTokenClaims(q *request, t idToken) {
	now := r.p.now()
	if t.claims.text("iss") != r.metadata.text("issuer") {
		r.fail("the ID token has the iss %v, want %q", t.claims["iss"], r.metadata.text("issuer"))
	}
	r.checkAudience("the ID token", q.client, t.claims)
	r.checkTime(t, "exp", now.Add(-clockSkew), now.AddDate(50, 0, 0), true)
	r.checkTime(t, "iat", now.Add(-clockSkew), now.Add(clockSkew), true)
	r.checkTime(t, "auth_time", now.AddDate(-1, 0, 0), now.Add(clockSkew), false)
	if t.claims.has("acr") && t.claims.text("acr") == "" {
		r.fail("the ID token has the acr %v", t.claims["acr"])
	}
	sub := t.claims.text("sub")
	if !isPrintable(sub) || len(sub) > 255 {
		r.fail("the ID token has the sub %v", t.claims["sub"])
	}
	identity := object{}
	for name, value := range t.claims {
		if !protocolClaims[name] {
			identity[name] = value
		}
	}
	r.checkStandardClaims("the ID token", identity)
}

// checkAudience checks that a token is meant for a client.
func (r *run) checkAudience(what string, c Client, claims object) {
	if claims.text("aud") == c.ID {
		return
	}
	audience, _ := claims.list("aud")
	for _, id := range audience {
		if id == c.ID {
			return
		}
	}
	r.fail("%s has the aud %v, want %q", what, claims["aud"], c.ID)
}

// checkTime checks that a claim is a time, in seconds, between two others.
func (r *run) checkTime(t idToken, name string, from, until time.Time, required bool) {
	if !required && !t.claims.has(name) {
		return
	}
	seconds, ok := t.claims.integer(name)
	if !ok {
		r.fail("the ID token has the %s %v, want a whole number", name, t.claims[name])
		return
	}
	at := time.Unix(seconds, 0)
	if at.Before(from) || at.After(until) {
		r.fail("the ID token has the %s %s, want one from %s until %s", name, at.UTC(), from.UTC(), until.UTC())
	}
}

// checkNonce checks that the ID token has the nonce of the request, or none if that has none.
func (r *run) checkNonce(q *request, t idToken) {
	if !t.claims.has("nonce") && q.nonce == "" {
		return
	}
	if t.claims.text("nonce") != q.nonce {
		r.fail("the ID token has the nonce %v, want %q", t.claims["nonce"], q.nonce)
	}
}

// checkSignature verifies the signature of a JWT with the provider's keys.
func (r *run) checkSignature(what string, t idToken) {
	algorithm := jose.SignatureAlgorithm(t.header.text("alg"))
	kty := signatureAlgorithms[algorithm]
	if kty == "" {
		r.fail("%s is signed with %q", what, algorithm)
		return
	}
	parsed, err := jose.ParseSigned(t.value, []jose.SignatureAlgorithm{algorithm})
	if err != nil {
		r.fail("%s: %v", what, err)
		return
	}
	candidates := 0
	for _, k := range r.keys {
		if !k.usable || !k.fits(t.header, kty) {
			continue
		}
		candidates++
		payload, err := parsed.Verify(k.jwk.Key)
		if err == nil && json.Valid(payload) {
			return
		}
	}
	r.fail("%s: the signature, with %s and the kid %q, is of none of the provider's %d keys that it could be of", what, algorithm, t.header.text("kid"), candidates)
}

// fits reports whether a JWT with this header can have been signed with the key.
func (k key) fits(header object, kty string) bool {
	m := k.members
	return m.text("kty") == kty &&
		(header.text("kid") == "" || header.text("kid") == m.text("kid")) &&
		(!m.has("alg") || m.text("alg") == header.text("alg")) &&
		(!m.has("use") || m.text("use") == "sig")
}

// checkHash checks at_hash or c_hash, if the ID token has it.
func (r *run) checkHash(t idToken, name, of string) {
	if !t.claims.has(name) {
		return
	}
	algorithm := t.header.text("alg")
	hash := hashes[algorithm[max(0, len(algorithm)-3):]]
	if hash == 0 {
		r.fail("the ID token, signed with %q, has the %s %v", algorithm, name, t.claims[name])
		return
	}
	sum := hash.New()
	sum.Write([]byte(of))
	if want := encode(sum.Sum(nil)[:hash.Size()/2]); t.claims.text(name) != want {
		r.fail("the ID token has the %s %v, want %q", name, t.claims[name], want)
	}
}
