package storetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/identity"
)

var signingKeyRows = []row{
	{"signing keys are listed newest first", single(ofEachAlgorithm(testListSigningKeys))},
	{"signing keys as long as they get are stored", single(testLongSigningKeys)},
	{"of two keys of a generation the second is refused, with its event and deletions", single(ofEachAlgorithm(testSigningKeyTaken))},
	{"keys of both algorithms are added or none", single(testSigningKeysOfBoth)},
	{"keys of unknown algorithms are refused", single(testUnknownAlgorithm)},
	{"of concurrent keys of a generation one is added", testSigningKeysConcurrently},
	{"signing keys are deleted", single(ofEachAlgorithm(testDeleteSigningKeys))},
}

// ofEachAlgorithm runs a test for each algorithm on one store: their keys don't affect each other.
func ofEachAlgorithm(test func(*testing.T, Store, identity.Algorithm)) func(*testing.T, Store) {
	return func(t *testing.T, s Store) {
		for _, a := range []identity.Algorithm{identity.ES256, identity.RS256} {
			test(t, s, a)
		}
	}
}

func signingKey(a identity.Algorithm, generation int64) identity.StoredKey {
	return identity.StoredKey{Algorithm: a, ID: newID(), Generation: generation, Private: "private", Public: "public", SignsFrom: Now(), CreatedAt: Now()}
}

func addSigningKey(t *testing.T, s Store, k identity.StoredKey, drop ...identity.StoredKey) {
	t.Helper()
	if err := s.AddSigningKeys(t.Context(), []identity.StoredKey{k}, drop, settingsChanged()); err != nil {
		t.Fatal(err)
	}
}

func wantSigningKeys(t *testing.T, s Store, a identity.Algorithm, limit int, want ...identity.StoredKey) {
	t.Helper()
	got, err := s.ListSigningKeys(t.Context(), a, limit)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append([]identity.StoredKey{}, want...), got); diff != "" {
		t.Error(diff)
	}
}

func wantSettingEvents(t *testing.T, s Store, want int) {
	t.Helper()
	if events, _, err := s.ListEvents(t.Context(), event.Query{Kind: event.SettingChanged, Limit: 10}); err != nil || len(events) != want {
		t.Errorf("%d events, want %d; %v", len(events), want, err)
	}
}

func testListSigningKeys(t *testing.T, s Store, a identity.Algorithm) {
	wantSigningKeys(t, s, a, 10)
	first, second, third := signingKey(a, 9), signingKey(a, 10), signingKey(a, 11)
	for _, k := range []identity.StoredKey{second, third, first} {
		addSigningKey(t, s, k)
	}
	wantSigningKeys(t, s, a, 10, third, second, first)
	wantSigningKeys(t, s, a, 2, third, second)
}

func testLongSigningKeys(t *testing.T, s Store) {
	rsa := signingKey(identity.RS256, 1)
	rsa.Private, rsa.Public = strings.Repeat("k", 4000), strings.Repeat("k", 1000) // 4,096 bits
	ecdsa := signingKey(identity.ES256, 1)
	ecdsa.Private, ecdsa.Public = strings.Repeat("k", 500), strings.Repeat("k", 200)
	addSigningKey(t, s, rsa)
	addSigningKey(t, s, ecdsa)
	wantSigningKeys(t, s, identity.RS256, 10, rsa)
	wantSigningKeys(t, s, identity.ES256, 10, ecdsa)
}

func testSigningKeyTaken(t *testing.T, s Store, a identity.Algorithm) {
	first := signingKey(a, 1)
	before, _, err := s.ListEvents(t.Context(), event.Query{Kind: event.SettingChanged, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	addSigningKey(t, s, first)
	err = s.AddSigningKeys(t.Context(), []identity.StoredKey{signingKey(a, 1)}, []identity.StoredKey{first}, settingsChanged())
	if !errors.Is(err, identity.ErrGenerationTaken) {
		t.Error(err)
	}
	wantSigningKeys(t, s, a, 10, first)
	wantSettingEvents(t, s, len(before)+1)
}

func testSigningKeysOfBoth(t *testing.T, s Store) {
	ecdsa, rsa := signingKey(identity.ES256, 1), signingKey(identity.RS256, 1)
	if err := s.AddSigningKeys(t.Context(), []identity.StoredKey{ecdsa, rsa}, nil, settingsChanged(), settingsChanged()); err != nil {
		t.Fatal(err)
	}
	add := []identity.StoredKey{signingKey(identity.ES256, 2), signingKey(identity.RS256, 1)}
	if err := s.AddSigningKeys(t.Context(), add, []identity.StoredKey{ecdsa}, settingsChanged()); !errors.Is(err, identity.ErrGenerationTaken) {
		t.Error(err)
	}
	wantSigningKeys(t, s, identity.ES256, 10, ecdsa)
	wantSigningKeys(t, s, identity.RS256, 10, rsa)
	wantSettingEvents(t, s, 2)
	add = []identity.StoredKey{signingKey(identity.ES256, 2), signingKey(identity.RS256, 2)}
	if err := s.AddSigningKeys(t.Context(), add, []identity.StoredKey{ecdsa, rsa}); err != nil {
		t.Fatal(err)
	}
	wantSigningKeys(t, s, identity.ES256, 10, add[0])
	wantSigningKeys(t, s, identity.RS256, 10, add[1])
}

func testUnknownAlgorithm(t *testing.T, s Store) {
	for _, a := range []identity.Algorithm{"", "HS256", "rs256"} {
		k := signingKey(a, 1)
		_, listed := s.ListSigningKeys(t.Context(), a, 10)
		added := s.AddSigningKeys(t.Context(), []identity.StoredKey{k}, nil)
		dropped := s.AddSigningKeys(t.Context(), nil, []identity.StoredKey{k})
		deleted := s.DeleteSigningKey(t.Context(), k)
		for _, err := range []error{listed, added, dropped, deleted} {
			if err == nil {
				t.Errorf("%q was taken", a)
			}
		}
	}
}

func testSigningKeysConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open(), open()}
	ofEachAlgorithm(func(t *testing.T, _ Store, a identity.Algorithm) {
		added := 0
		for _, err := range concurrently(12, func(i int) error {
			return stores[i%len(stores)].AddSigningKeys(t.Context(), []identity.StoredKey{signingKey(a, 1)}, nil, settingsChanged())
		}) {
			switch {
			case err == nil:
				added++
			case !errors.Is(err, identity.ErrGenerationTaken):
				t.Error(err)
			}
		}
		if keys, err := stores[0].ListSigningKeys(t.Context(), a, 100); err != nil || len(keys) != 1 || added != 1 {
			t.Errorf("%s: %d added, %d listed, %v", a, added, len(keys), err)
		}
	})(t, stores[0])
}

func testDeleteSigningKeys(t *testing.T, s Store, a identity.Algorithm) {
	first, second, third := signingKey(a, 1), signingKey(a, 2), signingKey(a, 3)
	addSigningKey(t, s, first)
	addSigningKey(t, s, second)
	addSigningKey(t, s, third, first, signingKey(a, 4))
	wantSigningKeys(t, s, a, 10, third, second)
	for range 2 {
		if err := s.DeleteSigningKey(t.Context(), third); err != nil {
			t.Fatal(err)
		}
	}
	wantSigningKeys(t, s, a, 10, second)
}
