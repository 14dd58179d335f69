package identity_test

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/testdb"
)

const day = 24 * time.Hour

// eachAlgorithm runs a test with keys of each algorithm.
func eachAlgorithm(t *testing.T, test func(*testing.T, identity.Algorithm)) {
	for _, a := range algorithms {
		t.Run(string(a), func(t *testing.T) {
			t.Parallel()
			test(t, a)
		})
	}
}

// onSQLiteWith returns a signer with its own database and a key of an algorithm.
func onSQLiteWith(t *testing.T, a identity.Algorithm) (*identity.Signer, *store.Store, *fakeClock) {
	t.Helper()
	s, db, clock := onSQLite(t)
	sign(t, s, a)
	return s, db, clock
}

func TestLoad_CreatesNoRS256KeyUntilItIsUsed(t *testing.T) {
	t.Parallel()
	s, db, clock := onSQLite(t)
	clock.advance(90 * day)
	load(t, s)
	mint(t, s, ada(t))
	sign(t, s, identity.ES256)
	if r, err := s.Rotate(t.Context(), event.Origin{}, true); err != nil || len(r.Keys) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if keys := stored(t, db, identity.RS256); len(keys) > 0 {
		t.Fatalf("%d keys", len(keys))
	}
	token := sign(t, s, identity.RS256)
	keys := stored(t, db, identity.RS256)
	if len(keys) != 1 || keys[0].ID != keyID(t, token) || !keys[0].SignsFrom.Equal(clock.now()) {
		t.Errorf("%d keys after use, signed with %s", len(keys), keyID(t, token))
	}
}

func TestLoad_InstancesAgreeOnOneKey(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		clock := newClock()
		db := openStore(t, databaseURL, clock)
		signers := make([]*identity.Signer, 4)
		for i := range signers {
			signers[i] = newSigner(t, db, clock)
		}
		concurrently := func(do func(*identity.Signer)) {
			var all sync.WaitGroup
			for _, s := range signers {
				all.Go(func() { do(s) })
				all.Go(func() { do(s) })
			}
			all.Wait()
		}
		check := func(when string, keys int) {
			t.Helper()
			concurrently(func(s *identity.Signer) { load(t, s) })
			concurrently(func(s *identity.Signer) { sign(t, s, identity.RS256) })
			for _, a := range algorithms {
				if n := len(stored(t, db, a)); n != keys {
					t.Fatalf("%s: %d keys of %s", when, n, a)
				}
				used := map[string]bool{}
				for _, s := range signers {
					used[keyID(t, sign(t, s, a))] = true
				}
				if len(used) != 1 {
					t.Errorf("%s: signed with %v", when, used)
				}
			}
			events, _, err := db.ListEvents(t.Context(), event.Query{Kind: event.SettingChanged, Limit: 100})
			if err != nil || len(events) != 2*keys {
				t.Errorf("%s: %d events, %v", when, len(events), err)
			}
		}
		check("at the first start", 1)
		clock.advance(90 * day)
		check("when the keys are due", 2)
		clock.advance(time.Hour)
		check("when the next ones sign", 2)
	})
}

func TestSign_ReadsTheKeyOfAnotherInstance(t *testing.T) {
	t.Parallel()
	s, db, clock := onSQLite(t)
	other := newSigner(t, db, clock)
	load(t, other)
	token := sign(t, other, identity.RS256)
	if got := keyID(t, sign(t, s, identity.RS256)); got != keyID(t, token) {
		t.Error("it made another key")
	}
	third := newSigner(t, db, clock)
	load(t, third)
	if _, err := third.Verify(token); err != nil {
		t.Error(err)
	}
}

func TestLoad_RotatesAfterNinetyDays(t *testing.T) {
	t.Parallel()
	eachAlgorithm(t, func(t *testing.T, a identity.Algorithm) {
		s, db, clock := onSQLiteWith(t, a)
		old := keyID(t, sign(t, s, a))
		clock.advance(90*day - time.Microsecond)
		load(t, s)
		if n := len(published(t, s, a)); n != 1 {
			t.Fatalf("%d keys before it is due", n)
		}
		clock.advance(time.Microsecond)
		load(t, s)
		if keys := published(t, s, a); len(keys) != 2 || keys[1] != old {
			t.Fatalf("keys when it is due: %v", keys)
		}
		clock.advance(time.Hour - time.Microsecond)
		last := sign(t, s, a)
		if keyID(t, last) != old {
			t.Error("the new key signs before apps have had an hour to fetch it")
		}
		clock.advance(time.Microsecond)
		if keyID(t, sign(t, s, a)) == old {
			t.Error("the old key signs after an hour")
		}
		clock.advance(7*day - time.Microsecond)
		if _, err := verify(t, s, last); err != nil {
			t.Errorf("within seven days: %v", err)
		}
		clock.advance(time.Microsecond)
		if _, err := verify(t, s, last); err == nil {
			t.Error("the old key is published after seven days")
		}
		load(t, s)
		if n := len(stored(t, db, a)); n != 1 {
			t.Errorf("%d keys are stored", n)
		}
	})
}

// rotatedTo returns the id of the new key of an algorithm.
func rotatedTo(t *testing.T, r identity.Rotation, a identity.Algorithm) string {
	t.Helper()
	i := slices.IndexFunc(r.Keys, func(k identity.RotatedKey) bool { return k.Algorithm == a })
	if i < 0 {
		t.Fatalf("no key of %s: %+v", a, r)
	}
	return r.Keys[i].ID
}

func TestRotate_SignsAfterAnHour(t *testing.T) {
	t.Parallel()
	s, db, clock := onSQLiteWith(t, identity.RS256)
	r, err := s.Rotate(t.Context(), event.Origin{Actor: "ada@example.com"}, false)
	if err != nil {
		t.Fatal(err)
	}
	if !r.SignsFrom.Equal(noon.Add(time.Hour)) || !r.OldUntil.Equal(noon.Add(time.Hour+7*day)) || len(r.Keys) != 2 || r.Keys[0].Algorithm != identity.ES256 {
		t.Errorf("%+v", r)
	}
	if events, _, err := db.ListEvents(t.Context(), event.Query{Kind: event.SettingChanged, Limit: 10}); err != nil || len(events) != 4 {
		t.Errorf("%d events, %v", len(events), err)
	}
	load(t, s)
	for _, a := range algorithms {
		if got := keyID(t, sign(t, s, a)); got == rotatedTo(t, r, a) {
			t.Errorf("%s signs at once", a)
		}
	}
	clock.advance(time.Hour)
	for _, a := range algorithms {
		if got := keyID(t, sign(t, s, a)); got != rotatedTo(t, r, a) {
			t.Errorf("signed with %s after an hour, want %s", got, rotatedTo(t, r, a))
		}
	}
}

func TestRotate_AtOnceForgetsTheOldKeys(t *testing.T) {
	t.Parallel()
	s, db, clock := onSQLite(t)
	leaked := map[identity.Algorithm]string{}
	for _, a := range algorithms {
		leaked[a] = sign(t, s, a)
	}
	r, err := s.Rotate(t.Context(), event.Origin{}, true)
	if err != nil {
		t.Fatal(err)
	}
	other := newSigner(t, db, clock)
	for name, signer := range map[string]*identity.Signer{"this instance": s, "another one": other} {
		load(t, signer)
		for _, a := range algorithms {
			if got := keyID(t, sign(t, signer, a)); got != rotatedTo(t, r, a) {
				t.Errorf("%s signs with %s", name, got)
			}
			if _, err := verify(t, signer, leaked[a]); err == nil {
				t.Errorf("%s publishes the old key of %s", name, a)
			}
		}
	}
}

func TestRotate_IsLimited(t *testing.T) {
	t.Parallel()
	eachAlgorithm(t, func(t *testing.T, a identity.Algorithm) {
		s, db, _ := onSQLiteWith(t, a)
		newest := stored(t, db, a)[0]
		for range 30 {
			newest.ID = ids.New()
			newest.Generation++
			if err := db.AddSigningKeys(t.Context(), []identity.StoredKey{newest}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Rotate(t.Context(), event.Origin{}, false); err != nil {
			t.Fatalf("the 32nd key: %v", err)
		}
		before := len(stored(t, db, identity.ES256)) + len(stored(t, db, identity.RS256))
		if _, err := s.Rotate(t.Context(), event.Origin{}, false); !errors.Is(err, identity.ErrTooManyKeys) {
			t.Error(err)
		}
		if after := len(stored(t, db, identity.ES256)) + len(stored(t, db, identity.RS256)); after != before {
			t.Errorf("a refused rotation made %d keys", after-before)
		}
		if _, err := s.Rotate(t.Context(), event.Origin{}, true); err != nil {
			t.Error(err)
		}
		if n := len(stored(t, db, a)); n != 1 {
			t.Errorf("%d keys are left", n)
		}
	})
}

func TestKeys_AreEncryptedWithTheCookieKey(t *testing.T) {
	t.Parallel()
	eachAlgorithm(t, func(t *testing.T, a identity.Algorithm) {
		s, db, clock := onSQLiteWith(t, a)
		first := sign(t, s, a)
		key := stored(t, db, a)[0]
		public, err := base64.StdEncoding.DecodeString(key.Public)
		if err != nil {
			t.Fatal(err)
		}
		private, err := base64.StdEncoding.DecodeString(key.Private)
		number := string(public[len(public)-60 : len(public)-10]) // of the point or the modulus, which PKCS #8 contains
		if err != nil || len(private) < 100 || strings.Contains(string(private), number) {
			t.Errorf("the private key is readable: %v", err)
		}

		both := newSigner(t, db, clock, "the next cookie key", "a cookie key")
		load(t, both)
		if got := keyID(t, sign(t, both, a)); got != keyID(t, first) {
			t.Errorf("with both cookie keys, %s signs", got)
		}
		other := newSigner(t, db, clock, "the next cookie key")
		load(t, other)
		if got := keyID(t, sign(t, other, a)); got == keyID(t, first) {
			t.Error("a key was decrypted without its cookie key")
		}
		if _, err := verify(t, other, first); err != nil {
			t.Errorf("the key of the old cookie key is not published any more: %v", err)
		}
		// Instances with different cookie keys must not replace each other's signing keys forever.
		for range 5 {
			load(t, s)
			load(t, other)
		}
		if keys := published(t, s, a); len(keys) != 2 {
			t.Errorf("%d keys", len(keys))
		}
		if _, err := verify(t, s, sign(t, other, a)); err != nil {
			t.Error(err)
		}
	})
}

func TestLoad_KeepsKeysDuringAnOutage(t *testing.T) {
	t.Parallel()
	eachAlgorithm(t, func(t *testing.T, a identity.Algorithm) {
		s, db, clock := onSQLiteWith(t, a)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Load(t.Context()); err == nil {
			t.Error("keys were read from a closed database")
		}
		clock.advance(time.Hour)
		if _, err := s.Verify(sign(t, s, a)); err != nil {
			t.Error(err)
		}
	})
}

func TestRS256_FailsDuringAnOutageIfThereIsNoKey(t *testing.T) {
	t.Parallel()
	s, db, _ := onSQLite(t)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if token, err := s.Sign(t.Context(), identity.RS256, "JWT", adaClaims); token != "" || err == nil {
		t.Errorf("%q, %v", token, err)
	}
	if body, err := s.JWKS(t.Context()); body != nil || err == nil { // clients would keep a JWKS without the key
		t.Errorf("%s, %v", body, err)
	}
}

func TestSign_SignsWhenTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	eachAlgorithm(t, func(t *testing.T, a identity.Algorithm) {
		s, _, clock := onSQLiteWith(t, a)
		clock.advance(-365 * day)
		load(t, s)
		if _, err := verify(t, s, sign(t, s, a)); err != nil {
			t.Error(err)
		}
	})
}

func TestKeys_OfAnotherKindAreNotUsed(t *testing.T) {
	t.Parallel()
	eachAlgorithm(t, func(t *testing.T, a identity.Algorithm) {
		s, db, _ := onSQLiteWith(t, a)
		key := stored(t, db, a)[0]
		key.Generation, key.ID = 9, ids.New()
		for _, other := range algorithms {
			if other == a {
				continue
			}
			key.Algorithm = other
			if len(key.Public) > 200 {
				t.Skip("an RSA key doesn't fit among those of ES256 on MySQL")
			}
			if err := db.AddSigningKeys(t.Context(), []identity.StoredKey{key}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Load(t.Context()); err == nil {
			t.Error("an ECDSA key was read as one of RSA")
		}
	})
}

func TestKeys_WithThePublicKeyOfAnotherDontSign(t *testing.T) {
	t.Parallel()
	eachAlgorithm(t, func(t *testing.T, a identity.Algorithm) {
		_, db, clock := onSQLiteWith(t, a)
		_, other, _ := onSQLiteWith(t, a)
		key := stored(t, db, a)[0]
		mixed := key
		mixed.Public = stored(t, other, a)[0].Public
		if err := db.DeleteSigningKey(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		if err := db.AddSigningKeys(t.Context(), []identity.StoredKey{mixed}, nil); err != nil {
			t.Fatal(err)
		}
		s := newSigner(t, db, clock)
		load(t, s)
		if got := keyID(t, sign(t, s, a)); got == key.ID {
			t.Error("it signs what its public key refuses")
		}
	})
}
