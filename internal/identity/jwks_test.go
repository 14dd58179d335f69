package identity_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/identity"
)

func TestJWKS_HasPublicKeysOnly(t *testing.T) {
	t.Parallel()
	s, _, _ := onSQLite(t)
	body, err := s.JWKS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Keys []map[string]any }
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Keys) != 2 {
		t.Fatalf("%s", body)
	}
	want := []map[string]any{
		{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": keyID(t, sign(t, s, identity.RS256)), "e": "AQAB", "n": 256},
		{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": keyID(t, sign(t, s, identity.ES256)), "x": 32, "y": 32},
	}
	for _, k := range got.Keys {
		for _, name := range []string{"n", "x", "y"} {
			if number, ok := k[name].(string); ok {
				b, err := base64.RawURLEncoding.DecodeString(number)
				if err != nil {
					t.Errorf("%s is %q", name, number)
				}
				k[name] = len(b)
			}
		}
	}
	if diff := cmp.Diff(want, got.Keys); diff != "" {
		t.Error(diff)
	}
}

func TestJWKS_CreatesTheRS256Key(t *testing.T) {
	t.Parallel()
	s, db, clock := onSQLite(t)
	other := newSigner(t, db, clock)
	load(t, other)
	keys := published(t, s, identity.RS256)
	if again := published(t, other, identity.RS256); len(keys) != 1 || !slices.Equal(again, keys) {
		t.Errorf("%v, another instance %v", keys, again)
	}
	if got := keyID(t, sign(t, s, identity.RS256)); got != keys[0] {
		t.Errorf("%s signs, %v is published", got, keys)
	}
}

// The document that is kept must not outlive a change of the keys or the end of one.
func TestJWKS_FollowsTheKeys(t *testing.T) {
	t.Parallel()
	s, _, clock := onSQLite(t)
	old := map[identity.Algorithm][]string{}
	for _, a := range algorithms {
		old[a] = published(t, s, a)
	}
	if _, err := s.Rotate(t.Context(), event.Origin{}, false); err != nil {
		t.Fatal(err)
	}
	load(t, s)
	for _, a := range algorithms {
		if keys := published(t, s, a); len(keys) != 2 || keys[1] != old[a][0] {
			t.Errorf("after a rotation: %v", keys)
		}
	}
	clock.advance(time.Hour + 7*day)
	for _, a := range algorithms {
		if keys := published(t, s, a); len(keys) != 1 || keys[0] == old[a][0] {
			t.Errorf("when the old key has retired: %v", keys)
		}
	}
	clock.advance(-time.Hour)
	for _, a := range algorithms {
		if keys := published(t, s, a); len(keys) != 2 {
			t.Errorf("when the clock is set back: %v", keys)
		}
	}
}

func TestJWKS_IsMadeOnce(t *testing.T) {
	t.Parallel()
	s, _, _ := onSQLite(t)
	first, err := s.JWKS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.JWKS(t.Context()); err != nil || &again[0] != &first[0] {
		t.Errorf("it was made again, %v", err)
	}
}

// BenchmarkJWKS measures what a request of the keys costs besides HTTP.
//
//	go test -run '^$' -bench JWKS ./internal/identity
func BenchmarkJWKS(b *testing.B) {
	s, _, _ := onSQLite(b)
	jwks(b, s)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.JWKS(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
