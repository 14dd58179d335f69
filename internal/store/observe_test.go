package store

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/userio"
)

// statementsOf returns the names of the statements from now on.
func statementsOf(s *Store) *[]string {
	var observed []string
	s.Watch(func(_ context.Context, name string) func(error) {
		observed = append(observed, name)
		return func(error) {}
	})
	return &observed
}

func TestWatch_Import(t *testing.T) {
	t.Parallel()
	s := opened(t, filepath.Join(t.TempDir(), "guestlist.db"))
	observed := statementsOf(s)
	if _, err := s.ImportUsers(t.Context(), userio.Import{ID: "none", Parts: 2}, nil, time.Now(), time.Now(), userio.Import.DoneEvent); !errors.Is(err, userio.ErrLeaseLost) {
		t.Fatal(err)
	}
	if !slices.Contains(*observed, "AdvanceImport") {
		t.Errorf("observed %q", *observed)
	}
}

// Each statement is a round trip to the server, which is most of the cost of adding a user.
func TestCreateUser_Statements(t *testing.T) {
	t.Parallel()
	s := opened(t, filepath.Join(t.TempDir(), "guestlist.db"))
	observed := statementsOf(s)
	email, err := directory.ParseEmail("ada.lovelace@example.com")
	if err != nil {
		t.Fatal(err)
	}
	ada := directory.User{ID: "ada", Name: "Ada King, Countess of Lovelace", Email: email}
	if err := s.CreateUser(t.Context(), directory.NewUser{User: ada, Event: event.Event{ID: "added"}}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"InsertUser", "ParkedJobsOf", "InsertRows", "GetRemovedAddress", "InsertEvent"}; !slices.Equal(*observed, want) {
		t.Errorf("took %q, want %q", *observed, want)
	}
}
