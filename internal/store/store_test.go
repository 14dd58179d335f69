package store_test

import (
	"log/slog"
	"testing"

	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/store/storetest"
	"github.com/guestlist/guestlist/internal/testdb"
)

func TestStore(t *testing.T) {
	t.Parallel()
	planetScale := func(t testing.TB) string { return testdb.NewVitess(t).DSN }
	for engine, newURL := range map[string]func(testing.TB) string{"sqlite": testdb.SQLite, "mysql": planetScale} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T) func() storetest.Store {
				databaseURL := newURL(t)
				return func() storetest.Store { return open(t, databaseURL) }
			})
		})
	}
}

// open returns a store that is ready, and closed at the end of the test.
func open(t testing.TB, databaseURL string) *store.Store {
	t.Helper()
	s, err := store.Open(databaseURL, storetest.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Migrate(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return s
}
