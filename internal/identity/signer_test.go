package identity_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/testdb"
)

const day = 24 * time.Hour

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
	got, err := verify(s, token)
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
	got, err := verify(s, mint(t, s, identity.Identity{AppID: "app-1", UserID: "token-1", Name: "deploy"}))
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

func TestJWKS_HasPublicKeysOnly(t *testing.T) {
	t.Parallel()
	s, _, _ := onSQLite(t)
	body, err := s.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Keys []map[string]any }
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Keys) != 1 {
		t.Fatalf("%s", body)
	}
	for _, name := range []string{"x", "y"} {
		coordinate, _ := got.Keys[0][name].(string)
		if b, err := base64.RawURLEncoding.DecodeString(coordinate); err != nil || len(b) != 32 {
			t.Errorf("%s is %q", name, coordinate)
		}
		delete(got.Keys[0], name)
	}
	want := map[string]any{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": keyID(t, mint(t, s, ada(t)))}
	if diff := cmp.Diff(want, got.Keys[0]); diff != "" {
		t.Error(diff)
	}
}

func TestLoad_InstancesAgreeOnOneKey(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		clock := newClock()
		db := openStore(t, databaseURL, clock)
		signers := make([]*identity.Signer, 8)
		for i := range signers {
			signers[i] = newSigner(t, db, clock)
		}
		loadAll := func() {
			var all sync.WaitGroup
			for _, s := range signers {
				all.Go(func() {
					if err := s.Load(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		}
		check := func(when string, keys int) {
			t.Helper()
			loadAll()
			stored, err := db.ListSigningKeys(t.Context(), 100)
			if err != nil || len(stored) != keys {
				t.Fatalf("%s: %d keys, %v", when, len(stored), err)
			}
			events, _, err := db.ListEvents(t.Context(), event.Query{Kind: event.SettingChanged, Limit: 100})
			if err != nil || len(events) != keys {
				t.Errorf("%s: %d events, %v", when, len(events), err)
			}
			used := map[string]bool{}
			for _, s := range signers {
				used[keyID(t, mint(t, s, ada(t)))] = true
			}
			if len(used) != 1 {
				t.Errorf("%s: signed with %v", when, used)
			}
		}
		check("at the first start", 1)
		clock.advance(90 * day)
		check("when the key is due", 2)
		clock.advance(time.Hour)
		check("when the next one signs", 2)
	})
}

func TestLoad_RotatesAfterNinetyDays(t *testing.T) {
	t.Parallel()
	s, db, clock := onSQLite(t)
	published := func() int { return len(s.PublicKeys()) }
	old := keyID(t, mint(t, s, ada(t)))
	clock.advance(90*day - time.Microsecond)
	load(t, s)
	if n := published(); n != 1 {
		t.Fatalf("%d keys before it is due", n)
	}
	clock.advance(time.Microsecond)
	load(t, s)
	if n := published(); n != 2 {
		t.Fatalf("%d keys when it is due", n)
	}
	clock.advance(time.Hour - time.Microsecond)
	last := mint(t, s, ada(t))
	if keyID(t, last) != old {
		t.Error("the new key signs before apps have had an hour to fetch it")
	}
	clock.advance(time.Microsecond)
	if keyID(t, mint(t, s, ada(t))) == old {
		t.Error("the old key signs after an hour")
	}
	clock.advance(7*day - time.Microsecond)
	if _, err := verify(s, last); err != nil {
		t.Errorf("within seven days: %v", err)
	}
	clock.advance(time.Microsecond)
	if _, err := verify(s, last); err == nil {
		t.Error("the old key is published after seven days")
	}
	load(t, s)
	if stored, err := db.ListSigningKeys(t.Context(), 10); err != nil || len(stored) != 1 {
		t.Errorf("%d keys are stored, %v", len(stored), err)
	}
}

func TestRotate_SignsAfterAnHour(t *testing.T) {
	t.Parallel()
	s, _, clock := onSQLite(t)
	old := keyID(t, mint(t, s, ada(t)))
	r, err := s.Rotate(t.Context(), event.Origin{Actor: "ada@example.com"}, false)
	if err != nil {
		t.Fatal(err)
	}
	if !r.SignsFrom.Equal(noon.Add(time.Hour)) || !r.OldUntil.Equal(noon.Add(time.Hour+7*day)) {
		t.Errorf("%+v", r)
	}
	load(t, s)
	if got := keyID(t, mint(t, s, ada(t))); got != old {
		t.Error("it signs at once")
	}
	clock.advance(time.Hour)
	if got := keyID(t, mint(t, s, ada(t))); got != r.KeyID {
		t.Errorf("signed with %s after an hour, want %s", got, r.KeyID)
	}
}

func TestRotate_AtOnceForgetsTheOldKeys(t *testing.T) {
	t.Parallel()
	s, db, clock := onSQLite(t)
	leaked := mint(t, s, ada(t))
	r, err := s.Rotate(t.Context(), event.Origin{}, true)
	if err != nil {
		t.Fatal(err)
	}
	other := newSigner(t, db, clock)
	for name, signer := range map[string]*identity.Signer{"this instance": s, "another one": other} {
		load(t, signer)
		if got := keyID(t, mint(t, signer, ada(t))); got != r.KeyID {
			t.Errorf("%s signs with %s", name, got)
		}
		if _, err := verify(signer, leaked); err == nil {
			t.Errorf("%s publishes the old key", name)
		}
	}
}

func TestRotate_IsLimited(t *testing.T) {
	t.Parallel()
	s, _, _ := onSQLite(t)
	for i := range 31 {
		if _, err := s.Rotate(t.Context(), event.Origin{}, false); err != nil {
			t.Fatalf("rotation %d: %v", i, err)
		}
	}
	if _, err := s.Rotate(t.Context(), event.Origin{}, false); !errors.Is(err, identity.ErrTooManyKeys) {
		t.Error(err)
	}
	if _, err := s.Rotate(t.Context(), event.Origin{}, true); err != nil {
		t.Error(err)
	}
}

func TestKeys_AreEncryptedWithTheCookieKey(t *testing.T) {
	t.Parallel()
	s, db, clock := onSQLite(t)
	first := mint(t, s, ada(t))
	stored, err := db.ListSigningKeys(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	public, err := base64.StdEncoding.DecodeString(stored[0].Public)
	if err != nil {
		t.Fatal(err)
	}
	private, err := base64.StdEncoding.DecodeString(stored[0].Private)
	if err != nil || len(private) < 100 || strings.Contains(string(private), string(public[27:])) { // PKCS #8 ends with the public key
		t.Errorf("the private key is readable: %v", err)
	}

	both := newSigner(t, db, clock, "the next cookie key", "a cookie key")
	load(t, both)
	if got := keyID(t, mint(t, both, ada(t))); got != keyID(t, first) {
		t.Errorf("with both cookie keys, %s signs", got)
	}
	other := newSigner(t, db, clock, "the next cookie key")
	load(t, other)
	if got := keyID(t, mint(t, other, ada(t))); got == keyID(t, first) {
		t.Error("a key was decrypted without its cookie key")
	}
	if _, err := verify(other, first); err != nil {
		t.Errorf("the key of the old cookie key is not published any more: %v", err)
	}
	// Instances with different cookie keys must not replace each other's signing keys forever.
	for range 5 {
		load(t, s)
		load(t, other)
	}
	if n := len(s.PublicKeys()); n != 2 {
		t.Errorf("%d keys", n)
	}
	if _, err := verify(s, mint(t, other, ada(t))); err != nil {
		t.Error(err)
	}
}

func TestLoad_KeepsKeysDuringAnOutage(t *testing.T) {
	t.Parallel()
	s, db, clock := onSQLite(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Load(t.Context()); err == nil {
		t.Error("keys were read from a closed database")
	}
	clock.advance(time.Hour)
	if _, err := verify(s, mint(t, s, ada(t))); err != nil {
		t.Error(err)
	}
}

func TestMint_SignsWhenTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	s, _, clock := onSQLite(t)
	clock.advance(-365 * day)
	load(t, s)
	if _, err := verify(s, mint(t, s, ada(t))); err != nil {
		t.Error(err)
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
