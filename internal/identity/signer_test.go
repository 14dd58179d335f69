package identity_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/identity"
)

func TestMint_Claims(t *testing.T) {
	t.Parallel()
	s, _, _ := onSQLite(t)
	token := mint(t, s, ada(t))
	var header map[string]any
	part, _, _ := strings.Cut(token, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(decoded, &header); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"alg": "ES256", "typ": "JWT", "kid": keyID(t, token)}, header); diff != "" {
		t.Error(diff)
	}
	got, err := verify(t, s, token)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"iss": issuer, "aud": "app-1", "sub": "0193-ada", "email": "ada@example.com", "name": "Ada Lovelace",
		"preferred_username": "ada_example.com", "groups": []any{"admins", "staff"}, "sid": "session-1",
		"iat": float64(noon.Unix()), "exp": float64(noon.Unix() + 120),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMint_ProgramWithoutUser(t *testing.T) {
	t.Parallel()
	s, _, _ := onSQLite(t)
	got, err := verify(t, s, mint(t, s, identity.Identity{AppID: "app-1", UserID: "token-1", Name: "deploy"}))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"iss": issuer, "aud": "app-1", "sub": "token-1", "name": "deploy", "groups": []any{},
		"iat": float64(noon.Unix()), "exp": float64(noon.Unix() + 120),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMint_Refusals(t *testing.T) {
	t.Parallel()
	s, db, clock := onSQLite(t)
	for name, id := range map[string]identity.Identity{"no app": {UserID: "u"}, "no user": {AppID: "a"}} {
		if token, err := s.Mint(t.Context(), id); token != "" || !errors.Is(err, identity.ErrIncomplete) {
			t.Errorf("%s: %q, %v", name, token, err)
		}
	}
	if token, err := newSigner(t, db, clock).Mint(t.Context(), ada(t)); token != "" || !errors.Is(err, identity.ErrNoKey) {
		t.Errorf("before keys are loaded: %q, %v", token, err)
	}
	if _, err := identity.NewSigner(identity.Options{Store: db, Now: clock.now}); err == nil {
		t.Error("a signer without a cookie key")
	}
}

func TestMint_ReusesTokensOfTheSameIdentityOnly(t *testing.T) {
	t.Parallel()
	s, _, clock := onSQLite(t)
	first := mint(t, s, ada(t))
	clock.advance(30*time.Second - time.Microsecond)
	if mint(t, s, ada(t)) != first {
		t.Error("not reused within half a minute")
	}
	// Every field, including those that are added later.
	fields := reflect.TypeFor[identity.Identity]()
	for i := range fields.NumField() {
		changed := ada(t)
		switch v := reflect.ValueOf(&changed).Elem().Field(i); v.Kind() {
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Slice:
			v.Set(reflect.ValueOf([]string{"staff"}))
		default:
			t.Fatalf("%s is a %s", fields.Field(i).Name, v.Kind())
		}
		if mint(t, s, changed) == first {
			t.Errorf("reused for another %s", fields.Field(i).Name)
		}
	}
	clock.advance(time.Microsecond)
	second := mint(t, s, ada(t))
	if second == first {
		t.Error("reused after half a minute")
	}
	clock.advance(-time.Hour)
	if third := mint(t, s, ada(t)); third == first || third == second {
		t.Error("a token of the future was used when the clock was set back")
	}
}

func TestMint_CacheIsBounded(t *testing.T) {
	t.Parallel()
	s, _, _ := onSQLite(t)
	id := ada(t)
	first := mint(t, s, id)
	for i := range 5000 {
		id.SessionID = fmt.Sprint(i)
		mint(t, s, id)
	}
	if mint(t, s, ada(t)) == first {
		t.Error("the first token is still kept after 5,000 others")
	}
}

// BenchmarkMint measures a request of a user that came within the last half minute, and one of
// a user that did not.
//
//	go test -run '^$' -bench Mint ./internal/identity
func BenchmarkMint(b *testing.B) {
	s, _, clock := onSQLite(b)
	id := ada(b)
	b.Run("reused", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			mint(b, s, id)
		}
	})
	b.Run("signed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			clock.advance(30 * time.Second)
			mint(b, s, id)
		}
	})
}
