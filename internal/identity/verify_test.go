package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"

	jwtlib "github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/identity"
)

func TestSign_HeaderAndClaims(t *testing.T) {
	t.Parallel()
	s, _, _ := onSQLite(t)
	for _, a := range algorithms {
		for _, typ := range []string{"JWT", "logout+jwt"} {
			token, err := s.Sign(t.Context(), a, typ, adaClaims)
			if err != nil {
				t.Fatal(err)
			}
			part := strings.Split(token, ".")
			var header map[string]any
			if err := json.Unmarshal(decode(t, part[0]), &header); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]any{"alg": string(a), "typ": typ, "kid": keyID(t, token)}, header); diff != "" {
				t.Error(diff)
			}
			if got := string(decode(t, part[1])); got != `{"sub":"0193-ada","name":"Ada <Lovelace> & Söhne","exp":1152921504606846976}` {
				t.Errorf("claims: %s", got)
			}
		}
	}
}

func TestSign_Refusals(t *testing.T) {
	t.Parallel()
	s, _, _ := onSQLite(t)
	for name, row := range map[string]struct {
		algorithm identity.Algorithm
		claims    any
	}{
		"no algorithm":              {"", adaClaims},
		"none":                      {"none", adaClaims},
		"HS256":                     {"HS256", adaClaims},
		"lower case":                {"rs256", adaClaims},
		"claims that JSON can't be": {identity.ES256, map[string]any{"f": func() {}}},
	} {
		if token, err := s.Sign(t.Context(), row.algorithm, "JWT", row.claims); token != "" || err == nil {
			t.Errorf("%s: %q, %v", name, token, err)
		}
	}
}

func TestVerify_ReturnsTheClaimsAsSigned(t *testing.T) {
	t.Parallel()
	s, _, _ := onSQLite(t)
	for _, a := range algorithms {
		token := sign(t, s, a)
		got, err := s.Verify(token)
		if err != nil || string(got) != string(decode(t, strings.Split(token, ".")[1])) {
			t.Errorf("%s: %s, %v", a, got, err)
		}
		expired, err := s.Sign(t.Context(), a, "JWT", claims{Subject: "u", Expires: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Verify(expired); err != nil {
			t.Errorf("%s, expired: %v", a, err)
		}
	}
	if _, err := s.Verify(mint(t, s, ada(t))); err != nil {
		t.Error(err)
	}
}

func TestVerify_Refusals(t *testing.T) {
	t.Parallel()
	s, db, _ := onSQLite(t)
	forgedRSA, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	forgedECDSA, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	token := map[identity.Algorithm]string{}
	kid := map[identity.Algorithm]string{}
	publicDER := map[identity.Algorithm][]byte{}
	for _, a := range algorithms {
		token[a] = sign(t, s, a)
		kid[a] = keyID(t, token[a])
		if publicDER[a], err = base64.StdEncoding.DecodeString(stored(t, db, a)[0].Public); err != nil {
			t.Fatal(err)
		}
	}
	forge := func(method jwtlib.SigningMethod, key any, header map[string]any) string {
		forged := jwtlib.NewWithClaims(method, jwtlib.MapClaims{"sub": "0193-ada"})
		for name, value := range header {
			forged.Header[name] = value
		}
		signed, err := forged.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	type refusal struct{ name, token string }
	rows := []refusal{
		{"an empty text", ""},
		{"a text", "x"},
		{"dots", ".."},
		{"no key named", forge(jwtlib.SigningMethodRS256, forgedRSA, nil)},
		{"an empty key id", forge(jwtlib.SigningMethodES256, forgedECDSA, map[string]any{"kid": ""})},
		{"a key id that is a number", forge(jwtlib.SigningMethodES256, forgedECDSA, map[string]any{"kid": 1})},
		{"an unknown key", forge(jwtlib.SigningMethodRS256, forgedRSA, map[string]any{"kid": "unknown"})},
		{"another RSA key of the same id", forge(jwtlib.SigningMethodRS256, forgedRSA, map[string]any{"kid": kid[identity.RS256]})},
		{"another ECDSA key of the same id", forge(jwtlib.SigningMethodES256, forgedECDSA, map[string]any{"kid": kid[identity.ES256]})},
		{"RS256 with the id of an ES256 key", forge(jwtlib.SigningMethodRS256, forgedRSA, map[string]any{"kid": kid[identity.ES256]})},
		{"ES256 with the id of an RS256 key", forge(jwtlib.SigningMethodES256, forgedECDSA, map[string]any{"kid": kid[identity.RS256]})},
		{"RS512", forge(jwtlib.SigningMethodRS512, forgedRSA, map[string]any{"kid": kid[identity.RS256]})},
		{"PS256", forge(jwtlib.SigningMethodPS256, forgedRSA, map[string]any{"kid": kid[identity.RS256]})},
	}
	add := func(name string, a identity.Algorithm, token string) {
		rows = append(rows, refusal{fmt.Sprintf("%s, %s", name, a), token})
	}
	for i, a := range algorithms {
		other := algorithms[1-i]
		part := strings.Split(token[a], ".")
		header, payload := string(decode(t, part[0])), string(decode(t, part[1]))
		withAlgorithm := func(alg string) string { return encode(strings.Replace(header, string(a), alg, 1)) }
		add("no algorithm", a, withAlgorithm("none")+"."+part[1]+".")
		add("no algorithm, by the library", a, forge(jwtlib.SigningMethodNone, jwtlib.UnsafeAllowNoneSignatureType, map[string]any{"kid": kid[a]}))
		add("no algorithm with the signature", a, withAlgorithm("none")+"."+part[1]+"."+part[2])
		add("None", a, withAlgorithm("None")+"."+part[1]+".")
		add("no signature", a, part[0]+"."+part[1]+".")
		add("two parts", a, part[0]+"."+part[1])
		add("four parts", a, token[a]+".x")
		add("the other algorithm in the header", a, withAlgorithm(string(other))+"."+part[1]+"."+part[2])
		add("the id of the other key", a, encode(strings.Replace(header, kid[a], kid[other], 1))+"."+part[1]+"."+part[2])
		add("other claims", a, part[0]+"."+encode(strings.Replace(payload, "0193-ada", "0193-eve", 1))+"."+part[2])
		add("the signature of the other token", a, part[0]+"."+part[1]+"."+strings.Split(token[other], ".")[2])
		add("a changed signature", a, part[0]+"."+part[1]+"."+flip(part[2]))
		add("a space after it", a, token[a]+" ")
		add("padding", a, token[a]+"=")
		add("bits after its end", a, setUnusedBits(token[a]))
		for name, secret := range map[string][]byte{
			"the DER public key": publicDER[a],
			"the PEM public key": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: publicDER[a]}),
			"the key id":         []byte(kid[a]),
			"an empty secret":    {},
		} {
			add("HS256 with "+name, a, forge(jwtlib.SigningMethodHS256, secret, map[string]any{"kid": kid[a]}))
		}
		for _, typ := range []string{"", "logout+jwt", "at+jwt", "jwt"} {
			signed, err := s.Sign(t.Context(), a, typ, adaClaims)
			if err != nil {
				t.Fatal(err)
			}
			add(fmt.Sprintf("type %q", typ), a, signed)
		}
		for _, claims := range []any{"text", []string{"sub"}, 1} {
			signed, err := s.Sign(t.Context(), a, "JWT", claims)
			if err != nil {
				t.Fatal(err)
			}
			add(fmt.Sprintf("claims that are %T", claims), a, signed)
		}
	}
	for _, row := range rows {
		if got, err := s.Verify(row.token); got != nil || !errors.Is(err, identity.ErrNotVerified) {
			t.Errorf("%s: %s, %v", row.name, got, err)
		}
	}
}

func decode(t *testing.T, part string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// flip changes the first character of a signature.
func flip(signature string) string {
	if signature[0] == 'A' {
		return "B" + signature[1:]
	}
	return "A" + signature[1:]
}

// setUnusedBits sets bits of the last character that belong to no byte.
func setUnusedBits(token string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1
	return token[:last] + string(alphabet[strings.IndexByte(alphabet, token[last])|15])
}

// BenchmarkSign measures signing with each algorithm.
//
//	go test -run '^$' -bench Sign ./internal/identity
func BenchmarkSign(b *testing.B) {
	s, _, _ := onSQLite(b)
	for _, a := range algorithms {
		sign(b, s, a)
		b.Run(string(a), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sign(b, s, a)
			}
		})
	}
}
