//go:build linux

package main

import (
	"log/slog"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store"
)

func TestSeededPeopleAreAsIfTheyHadBeenAdded(t *testing.T) {
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
	const n = 7321 // more than a batch, and not whole ones
	if err := seed(t.Context(), db, n, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	if s, err = store.Open(databaseURL, time.Now); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	page, err := s.ListUsers(t.Context(), directory.Query{Sort: directory.ByName, Limit: directory.MaxLimit})
	if err != nil || page.Total != n {
		t.Fatalf("%d people, %v; want %d", page.Total, err, n)
	}
	for _, u := range page.Users {
		email, err := directory.ParseEmail(u.Email.Typed)
		if err != nil || email != u.Email {
			t.Errorf("%q is kept as %q: %v", u.Email.Typed, u.Email.Key, err)
		}
		terms, err := directory.ParseSearch(u.Email.Typed)
		if err != nil {
			t.Fatal(err)
		}
		found, err := s.ListUsers(t.Context(), directory.Query{Sort: directory.ByName, Limit: 1, Terms: terms})
		if err != nil || len(found.Users) != 1 || found.Users[0] != u {
			t.Errorf("a search for %q finds %v, %v", u.Email.Typed, found.Users, err)
		}
	}
	for role, want := range map[directory.Role]int{directory.Admin: 7, directory.Member: n - 7} {
		if page, err := s.ListUsers(t.Context(), directory.Query{Sort: directory.ByEmail, Limit: 1, Role: role}); err != nil || page.Total != want {
			t.Errorf("%d with role %s, %v; want %d", page.Total, role, err, want)
		}
	}
}
