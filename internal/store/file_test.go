package store

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/storetest"
	"github.com/guestlist/guestlist/internal/testdb"
)

// insertNamedUsers adds users whose names fill some pages.
func insertNamedUsers(t *testing.T, s *Store, n int) {
	t.Helper()
	for range n {
		id := rand.Text()
		u := directory.User{ID: id, Name: "Ada " + id, Email: directory.Email{Display: id, Normalized: id}}
		if err := s.CreateUser(t.Context(), directory.NewUser{User: u, Event: event.Event{ID: id}}); err != nil {
			t.Fatal(err)
		}
	}
}

// newCrashedFile returns a directory with a file of so many users and its log, as a killed program leaves them, and a
// backup from before most of the users were added.
func newCrashedFile(t *testing.T, people int) (path, backup string) {
	t.Helper()
	live := filepath.Join(t.TempDir(), "guestlist.db")
	s := opened(t, live)
	insertNamedUsers(t, s, 20)
	backup = filepath.Join(t.TempDir(), "backup.db")
	if err := Backup(t.Context(), "sqlite:"+live, backup); err != nil {
		t.Fatal(err)
	}
	insertNamedUsers(t, s, people)
	path = filepath.Join(t.TempDir(), "guestlist.db")
	for _, ending := range []string{"", "-wal"} {
		copyFile(t, live+ending, path+ending)
	}
	if dbconn.LogSize(path) <= 0 {
		t.Fatal("there is no log")
	}
	return path, backup
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPrepare_LogOfAKilledProgram(t *testing.T) {
	t.Parallel()
	path, _ := newCrashedFile(t, 100)
	s := fresh(t, "sqlite:"+path)
	if err := s.Prepare(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := s.read.QueryRow("SELECT COUNT(*) FROM users").Scan(&n); n != 120 || err != nil {
		t.Errorf("%d people; %v", n, err)
	}
}

func TestPrepare_ForeignLog(t *testing.T) {
	t.Parallel()
	path, backup := newCrashedFile(t, 80)
	copyFile(t, backup, path)
	before := snapshot(t, "sqlite:"+path)
	target := filepath.Join(t.TempDir(), "copy.db")
	for _, try := range append(tries[:2:2], tries[4], tries[0], struct {
		name string
		do   func(t *testing.T, databaseURL string) error
	}{"guestlist doctor", func(t *testing.T, databaseURL string) error {
		_, err := newInspector(t, databaseURL).Server(t.Context())
		return err
	}}, struct {
		name string
		do   func(t *testing.T, databaseURL string) error
	}{"guestlist backup", func(t *testing.T, databaseURL string) error { return Backup(t.Context(), databaseURL, target) }}) {
		err := try.do(t, "sqlite:"+path)
		var advised interface{ Advice() string }
		if err == nil || !strings.Contains(err.Error(), "the log "+path+"-wal doesn't belong to the SQLite file beside it") || !errors.As(err, &advised) ||
			!strings.Contains(advised.Advice(), "move "+path+"-wal and "+path+"-shm away") {
			t.Errorf("%s: %v", try.name, err)
		}
		after := snapshot(t, "sqlite:"+path)
		delete(after, "guestlist.db-shm") // an index of the log, created by readers
		if diff := cmp.Diff(before, after); diff != "" {
			t.Fatalf("%s changed something", try.name)
		}
	}
	for _, ending := range []string{"-wal", "-shm"} {
		if err := os.Remove(path + ending); err != nil {
			t.Fatal(err)
		}
	}
	s := fresh(t, "sqlite:"+path)
	if err := s.Prepare(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
}

func TestPrepare_EmptyFile(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.SQLite(t)
	path, _ := dbconn.ParsePath(databaseURL)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	status, _ := pendingSQL(t, databaseURL)
	if status.Pending() != len(status.Migrations) {
		t.Errorf("%d are pending", status.Pending())
	}
	s := fresh(t, databaseURL)
	if err := s.Prepare(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	wantUpToDate(t, s)
}

func TestOpen_InvalidPath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(file, "guestlist.db"): "is a file, not a directory",
		dir:                                 "the SQLite file's path is a directory",
		":memory:":                          "lost when the program stops",
	} {
		_, err := Open("sqlite:"+path, storetest.Now)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
		if path == ":memory:" {
			continue
		}
		if _, err := inspect.Open("sqlite:"+path, time.Now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s, for doctor: %v, want %q", path, err, want)
		}
		if err := Backup(t.Context(), "sqlite:"+path, filepath.Join(dir, "backup")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s, to be backed up: %v, want %q", path, err, want)
		}
		if _, err := OpenExclusive(t.Context(), "sqlite:"+path, time.Now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s, alone: %v, want %q", path, err, want)
		}
	}
}
