package store

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/guestlist/guestlist/internal/store/storetest"
)

func TestOpenExclusive(t *testing.T) {
	t.Parallel()
	url := "sqlite:" + filepath.Join(t.TempDir(), "guestlist.db")
	alone := func() (*Store, error) { return OpenExclusive(t.Context(), url, storetest.Now) }
	s, err := alone() // creates the file
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrate(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	if _, err := alone(); !errors.Is(err, ErrInUse) {
		t.Errorf("a second one: %v", err)
	}
	other := fresh(t, url)
	if err := other.Ping(t.Context()); err == nil {
		t.Error("another reads meanwhile")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := other.Ping(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if _, err := alone(); !errors.Is(err, ErrInUse) {
		t.Errorf("while another only looks: %v", err)
	}
}
