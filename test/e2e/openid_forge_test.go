package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// decodeJSON decodes a JSON value.
func decodeJSON[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// keysOf returns the published keys of a site.
func keysOf(t *testing.T, site *harness.Site) jose.JSONWebKeySet {
	t.Helper()
	return decodeJSON[jose.JSONWebKeySet](t, harness.NewVisitor(site).Get(openid.JWKSPath).Body)
}

// forgeIDTokens returns what an attacker makes of a genuine ID token and the published keys, by name.
func forgeIDTokens(t *testing.T, site *harness.Site, genuine string) map[string]string {
	t.Helper()
	parts := strings.Split(genuine, ".")
	decode := func(part string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(part)
		harness.Must(t, err)
		return b
	}
	header, claims := decodeJSON[map[string]any](t, string(decode(parts[0]))), decodeJSON[jwt.MapClaims](t, string(decode(parts[1])))
	kid := header["kid"].(string)
	sign := func(method jwt.SigningMethod, key any, change map[string]any, more map[string]any) string {
		t.Helper()
		changed := maps.Clone(claims)
		maps.Copy(changed, more)
		token := jwt.NewWithClaims(method, changed)
		token.Header = maps.Clone(header)
		token.Header["alg"] = method.Alg()
		maps.Copy(token.Header, change)
		text, err := token.SignedString(key)
		harness.Must(t, err)
		return text
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	harness.Must(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	harness.Must(t, err)
	forged := map[string]string{
		"an empty text":       ".",
		"no signature":        parts[0] + "." + parts[1] + ".",
		"two parts":           parts[0] + "." + parts[1],
		"four parts":          genuine + "." + parts[2],
		"a space":             genuine + " ",
		"another signature":   parts[0] + "." + parts[1] + "." + parts[2][:10] + "AAAA" + parts[2][14:],
		"padding":             genuine + "==",
		"other claims":        parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(decode(parts[1])), `"sub":"`, `"sub":"x`, 1))) + "." + parts[2],
		"none":                sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil),
		"None":                sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, map[string]any{"alg": "None"}, nil),
		"none with signature": sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, nil) + parts[2],
		"another RSA key":     sign(jwt.SigningMethodRS256, rsaKey, nil, nil),
		"another RSA key with its own key in the header": sign(jwt.SigningMethodRS256, rsaKey, map[string]any{"jwk": jose.JSONWebKey{Key: &rsaKey.PublicKey, KeyID: kid}}, nil),
		"another RSA key at an address":                  sign(jwt.SigningMethodRS256, rsaKey, map[string]any{"jku": "https://evil.example.com/jwks.json"}, nil),
		"another RSA key without a name":                 sign(jwt.SigningMethodRS256, rsaKey, map[string]any{"kid": ""}, nil),
		"another RSA key by a path":                      sign(jwt.SigningMethodRS256, rsaKey, map[string]any{"kid": "../../dev/null"}, nil),
		"a name that isn't text":                         sign(jwt.SigningMethodRS256, rsaKey, map[string]any{"kid": []string{kid}}, nil),
		"another EC key":                                 sign(jwt.SigningMethodES256, ecKey, nil, nil),
		"RS512":                                          sign(jwt.SigningMethodRS512, rsaKey, nil, nil),
		"PS256":                                          sign(jwt.SigningMethodPS256, rsaKey, nil, nil),
		"an empty secret":                                sign(jwt.SigningMethodHS256, []byte{}, nil, nil),
	}
	for _, k := range keysOf(t, site).Keys {
		der, err := x509.MarshalPKIXPublicKey(k.Key)
		harness.Must(t, err)
		published, err := json.Marshal(k)
		harness.Must(t, err)
		for form, secret := range map[string][]byte{
			"PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "DER": der, "JSON": published, "its name": []byte(k.KeyID),
		} {
			forged["HS256 with the public "+k.Algorithm+" key as "+form] = sign(jwt.SigningMethodHS256, secret, map[string]any{"kid": k.KeyID}, nil)
		}
		forged["another RSA key by the name of the "+k.Algorithm+" key"] = sign(jwt.SigningMethodRS256, rsaKey, map[string]any{"kid": k.KeyID}, nil)
		forged["another EC key by the name of the "+k.Algorithm+" key"] = sign(jwt.SigningMethodES256, ecKey, map[string]any{"kid": k.KeyID}, nil)
	}
	own := func(a identity.Algorithm, typ string, change map[string]any) string {
		t.Helper()
		changed := maps.Clone(claims)
		maps.Copy(changed, change)
		token, err := site.App.Signer.Sign(t.Context(), a, typ, changed)
		harness.Must(t, err)
		return token
	}
	forged["another issuer"] = own(identity.RS256, "JWT", map[string]any{"iss": "https://evil.example.com"})
	forged["an issuer with a slash"] = own(identity.RS256, "JWT", map[string]any{"iss": site.URL + "/"})
	forged["no subject"] = own(identity.RS256, "JWT", map[string]any{"sub": ""})
	forged["another kind of token"] = own(identity.RS256, "logout+jwt", nil)
	forged["claims of an app's header"] = own(identity.ES256, "JWT", map[string]any{"auth_time": 0})
	return forged
}

// Tokens that were signed before the keys were rotated are verified afterwards, with keys that clients
// fetch again; --at-once ends them. Both holds on another instance.
func TestOpenID_KeysAreRotated(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []identity.Algorithm{identity.RS256, identity.ES256} {
		testdb.Each(t, func(t *testing.T, url string) {
			site, client, ada := startWithClient(t, url, openid.ClientInput{Algorithm: string(algorithm)})
			other := site.Replica()
			verified := func(at *harness.Site, token string) error {
				signed, err := jose.ParseSigned(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(algorithm)})
				harness.Must(t, err)
				_, err = signed.Verify(keysOf(t, at))
				return err
			}
			reload := func() { // as each instance does twice a minute
				t.Helper()
				harness.Must(t, site.App.Signer.Load(t.Context()))
				harness.Must(t, other.App.Signer.Load(t.Context()))
			}
			issue := func(at *harness.Site) string {
				t.Helper()
				return tokensOf(t, client.At(at).Redeem(client.Authorize(ada).Get("code"))).IDToken
			}
			before := issue(site)
			if _, err := site.Command("keys", "rotate-identity"); err != nil {
				t.Fatal(err)
			}
			site.Clock.Advance(time.Hour) // the new keys sign from now on
			reload()
			for _, at := range []*harness.Site{site, other} {
				for _, token := range []string{before, issue(at)} {
					if err := verified(at, token); err != nil {
						t.Errorf("%s: %v", algorithm, err)
					}
				}
				if client.Authorize(ada.At(at), "id_token_hint", before).Get("code") == "" {
					t.Errorf("%s: a hint of before isn't known", algorithm)
				}
			}
			if _, err := site.Command("keys", "rotate-identity", "--at-once"); err != nil {
				t.Fatal(err)
			}
			reload()
			for _, at := range []*harness.Site{site, other} {
				if err := verified(at, before); err == nil {
					t.Errorf("%s: a token of a deleted key is verified", algorithm)
				}
				if err := verified(at, issue(at)); err != nil {
					t.Errorf("%s: %v", algorithm, err)
				}
			}
		})
	}
}
