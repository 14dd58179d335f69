package store

import (
	"database/sql"
	"log/slog"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/exact"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
	"github.com/guestlist/guestlist/internal/testdb"
)

func TestLookups_MatchExactText(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s, err := Open(databaseURL, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if _, err := s.Migrate(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		queries := func(db testdb.Database) any { return dbsqlc.New(db) }
		testdb.CheckLookups(t, queries, func(fn func(testdb.Database) error) error {
			return s.Transact(t.Context(), func(tx *sql.Tx) error { return fn(exact.On(tx)) })
		})
	})
}
