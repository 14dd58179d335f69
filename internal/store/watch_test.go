package store

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/roster"
)

func TestWhoeverWatchesIsToldOfTheStatementsOfAnImport(t *testing.T) {
	t.Parallel()
	s := opened(t, filepath.Join(t.TempDir(), "guestlist.db"))
	var told []string
	s.Watch(func(_ context.Context, name string) func(error) {
		told = append(told, name)
		return func(error) {}
	})
	if _, err := s.AddPeople(t.Context(), roster.Import{ID: "none", Parts: 2}, nil, time.Now(), time.Now()); !errors.Is(err, roster.ErrLost) {
		t.Fatal(err)
	}
	if !slices.Contains(told, "AdvanceImport") {
		t.Errorf("told of %q", told)
	}
}
