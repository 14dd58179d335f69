package storetest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/identity"
)

var signingKeyRows = []row{
	{"signing keys are listed newest first", single(testListSigningKeys)},
	{"of two keys of a generation the second is refused, with its event and deletions", single(testSigningKeyTaken)},
	{"of concurrent keys of a generation one is added", testSigningKeysConcurrently},
	{"signing keys are deleted", single(testDeleteSigningKeys)},
}

func signingKey(generation int64) identity.StoredKey {
	return identity.StoredKey{ID: newID(), Generation: generation, Private: "private", Public: "public", SignsFrom: Now(), CreatedAt: Now()}
}

func addSigningKey(t *testing.T, s Store, k identity.StoredKey, drop ...string) {
	t.Helper()
	if err := s.AddSigningKey(t.Context(), k, drop, settingsChanged()); err != nil {
		t.Fatal(err)
	}
}

func wantSigningKeys(t *testing.T, s Store, limit int, want ...identity.StoredKey) {
	t.Helper()
	got, err := s.ListSigningKeys(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append([]identity.StoredKey{}, want...), got); diff != "" {
		t.Error(diff)
	}
}

func testListSigningKeys(t *testing.T, s Store) {
	wantSigningKeys(t, s, 10)
	first, second, third := signingKey(9), signingKey(10), signingKey(11)
	for _, k := range []identity.StoredKey{second, third, first} {
		addSigningKey(t, s, k)
	}
	wantSigningKeys(t, s, 10, third, second, first)
	wantSigningKeys(t, s, 2, third, second)
}

func testSigningKeyTaken(t *testing.T, s Store) {
	first := signingKey(1)
	addSigningKey(t, s, first)
	if err := s.AddSigningKey(t.Context(), signingKey(1), []string{first.ID}, settingsChanged()); !errors.Is(err, identity.ErrGenerationTaken) {
		t.Error(err)
	}
	wantSigningKeys(t, s, 10, first)
	if events, _, err := s.ListEvents(t.Context(), event.Query{Kind: event.SettingChanged, Limit: 10}); err != nil || len(events) != 1 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func testSigningKeysConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open(), open()}
	added := 0
	for _, err := range concurrently(12, func(i int) error {
		return stores[i%len(stores)].AddSigningKey(t.Context(), signingKey(1), nil, settingsChanged())
	}) {
		switch {
		case err == nil:
			added++
		case !errors.Is(err, identity.ErrGenerationTaken):
			t.Error(err)
		}
	}
	if keys, err := stores[0].ListSigningKeys(t.Context(), 100); err != nil || len(keys) != 1 || added != 1 {
		t.Errorf("%d added, %d listed, %v", added, len(keys), err)
	}
}

func testDeleteSigningKeys(t *testing.T, s Store) {
	first, second, third := signingKey(1), signingKey(2), signingKey(3)
	addSigningKey(t, s, first)
	addSigningKey(t, s, second)
	addSigningKey(t, s, third, first.ID, "unknown")
	wantSigningKeys(t, s, 10, third, second)
	for range 2 {
		if err := s.DeleteSigningKey(t.Context(), third.ID); err != nil {
			t.Fatal(err)
		}
	}
	wantSigningKeys(t, s, 10, second)
}
