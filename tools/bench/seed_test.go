//go:build linux

package main

import (
	"database/sql"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store"
)

const schemaQuery = "SELECT concat_ws(' ', type, name, tbl_name, sql) FROM sqlite_schema ORDER BY 1"

// queryColumn returns the rows of a query with one text column.
func queryColumn(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	values, err := texts(db, query)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func TestSeed_StoresUsersLikeTheStore(t *testing.T) {
	t.Parallel()
	e := sqlite(t.TempDir())
	databaseURL, err := e.create("people")
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(databaseURL, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrate(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := e.openSeed(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	migrated := queryColumn(t, db, schemaQuery)
	const n = 7321 // more than one batch, and not a multiple of its size
	if err := seed(t.Context(), db, n, time.Now()); err != nil {
		t.Fatal(err)
	}
	if seeded := queryColumn(t, db, schemaQuery); !slices.Equal(seeded, migrated) {
		t.Errorf("the schema is now\n%s\nand was\n%s", strings.Join(seeded, "\n"), strings.Join(migrated, "\n"))
	}
	if found := queryColumn(t, db, "PRAGMA integrity_check"); !slices.Equal(found, []string{"ok"}) {
		t.Error(found)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	if s, err = store.Open(databaseURL, time.Now); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	page, err := s.ListUsers(t.Context(), directory.Query{Sort: directory.ByName, Limit: 50})
	if err != nil || page.Total != n {
		t.Fatalf("%d people, %v; want %d", page.Total, err, n)
	}
	for _, u := range page.Users {
		email, err := directory.ParseEmail(u.Email.Display)
		if err != nil || email != u.Email {
			t.Errorf("%q is kept as %q: %v", u.Email.Display, u.Email.Normalized, err)
		}
		whole, err := directory.ParseSearch(u.Email.Normalized)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range u.SearchTerms() {
			found, err := s.ListUsers(t.Context(), directory.Query{Sort: directory.ByName, Limit: 1, Terms: append(whole, word)})
			if err != nil || len(found.Users) != 1 || found.Users[0] != u {
				t.Errorf("a search for %q and %q finds %v, %v", word, whole, found.Users, err)
			}
		}
	}
	for role, want := range map[directory.Role]int{directory.Admin: 7, directory.Member: n - 7} {
		if page, err := s.ListUsers(t.Context(), directory.Query{Sort: directory.ByEmail, Limit: 1, Role: role}); err != nil || page.Total != want {
			t.Errorf("%d with role %s, %v; want %d", page.Total, role, err, want)
		}
	}
}
