package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/storetest"
	"github.com/guestlist/guestlist/internal/testdb"
)

// opened returns a store on a file that is up to date.
func opened(t *testing.T, path string) *Store {
	t.Helper()
	s := fresh(t, "sqlite:"+path)
	if err := s.Wait(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Migrate(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpen_FileIsPrivate(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "some", "data")
	path := filepath.Join(folder, "guestlist.db")
	opened(t, path)
	for name, want := range map[string]os.FileMode{
		filepath.Dir(folder): 0o700 | os.ModeDir, folder: 0o700 | os.ModeDir, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600,
	} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
		}
	}
}

func TestOpen_FileNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"with space.db", "100%25.db", "Gäste 王.db", "a&b=c.db", "it's.db", "a:b.db", "no-ending"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			opened(t, filepath.Join(folder, name))
			if _, err := os.Stat(filepath.Join(folder, name+"-wal")); err != nil {
				t.Errorf("another file was opened: %v", err)
			}
		})
	}
	for _, url := range []string{"sqlite:", "sqlite:a.db?mode=memory", "sqlite:a#b.db", "sqlite:" + t.TempDir()} {
		if s, err := Open(url, storetest.Now); err == nil {
			s.Close()
			t.Errorf("%s is opened", url)
		}
	}
}

func TestOpen_CorruptFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "guestlist.db")
	s := opened(t, path)
	for range 200 {
		id := rand.Text()
		if err := s.CreateUser(t.Context(), directory.NewUser{User: directory.User{ID: id, Name: "Ada", Email: directory.Email{Display: id, Normalized: id}}, Event: event.Event{ID: id}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil { // brings the -wal file home
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		name   string
		damage func(file []byte) []byte
		want   string
	}{
		{"none", func(b []byte) []byte { return b }, ""},
		{"another kind of file", func([]byte) []byte { return []byte(strings.Repeat("Dear Ada, ", 1000)) }, "corrupt or not a database"},
		{"its beginning overwritten", func(b []byte) []byte { return append(make([]byte, 100), b[100:]...) }, "corrupt or not a database"},
		{"cut", func(b []byte) []byte { return b[:len(b)/2] }, "corrupt or not a database"},
		{"a page overwritten", func(b []byte) []byte { return append(bytes.Repeat([]byte{0xa5}, 4096), b[4096:]...) }, "corrupt or not a database"},
		{"pages in the middle overwritten", func(b []byte) []byte {
			copy(b[len(b)/2:], bytes.Repeat([]byte{0xa5}, 8192))
			return b
		}, "corrupt or not a database"},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "guestlist.db")
			bad := r.damage(bytes.Clone(good))
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open("sqlite:"+path, storetest.Now)
			if err != nil {
				t.Fatal(err)
			}
			err = s.Wait(t.Context(), quiet)
			if (err == nil) != (r.want == "") || err != nil && !strings.Contains(err.Error(), r.want) {
				t.Errorf("got %v, want %q", err, r.want)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, bad) {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
}

// A large file is looked over while it is in use already.
func TestCheck_LargeFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "guestlist.db")
	s := opened(t, path)
	for i := range 3 {
		if _, err := s.write.Exec("INSERT INTO settings (name, value, updated_at) VALUES (?, ?, 0)", fmt.Sprint("large ", i), strings.Repeat("a", dbconn.MaxStartupCheckSize/2)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("a good file: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		name   string
		damage func(file []byte) []byte
		atOnce bool
	}{
		{"cut", func(b []byte) []byte { return b[:len(b)/2] }, true},
		{"a page of a table overwritten", func(b []byte) []byte {
			copy(b[4096:], bytes.Repeat([]byte{0xa5}, 4096))
			return b
		}, false},
	} {
		if err := os.WriteFile(path, r.damage(bytes.Clone(good)), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open("sqlite:"+path, storetest.Now)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Wait(t.Context(), quiet); (err != nil) != r.atOnce || err != nil && !strings.Contains(err.Error(), "corrupt or not a database") {
			t.Errorf("%s: at once: %v", r.name, err)
		}
		if err := s.Check(t.Context()); !errors.Is(err, dbconn.ErrCorrupt) {
			t.Errorf("%s: beside: %v", r.name, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Turning on the write-ahead log needs the file for oneself, and SQLite doesn't
// always wait for that.
func TestOpen_ConcurrentCreation(t *testing.T) {
	t.Parallel()
	for range 20 {
		path := filepath.Join(t.TempDir(), "guestlist.db")
		var all sync.WaitGroup
		start := make(chan struct{})
		for range 10 {
			s := fresh(t, "sqlite:"+path)
			all.Go(func() {
				<-start
				if err := s.Wait(t.Context(), quiet); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		all.Wait()
	}
}

func TestFileLargerThan(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		if _, err := s.Migrate(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		setSetting(t, s, "large", strings.Repeat("a", 60_000))
		for bytes, want := range map[int64]bool{60_000: s.sqlite, 10_000_000: false} {
			if got := s.FileLargerThan(t.Context(), bytes); got != want {
				t.Errorf("a file of more than %d: %t", bytes, got)
			}
		}
	})
}

func TestReader_CannotWrite(t *testing.T) {
	t.Parallel()
	s := opened(t, filepath.Join(t.TempDir(), "guestlist.db"))
	for _, statement := range []string{"DELETE FROM settings", "UPDATE settings SET value = 'x'", "CREATE TABLE x (id BIGINT)", "DROP TABLE settings"} {
		if _, err := s.Reader().ExecContext(t.Context(), statement); err == nil {
			t.Errorf("a reader can %s", statement)
		}
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// Another program may lock the file for longer than the timeout.
func TestStore_BusyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "guestlist.db")
	s, other := opened(t, path), opened(t, path)
	held, err := other.write.Begin()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	u := directory.User{ID: "1", Email: directory.Email{Display: "a", Normalized: "a"}}
	if err := s.CreateUser(ctx, directory.NewUser{User: u, Event: event.New(event.UserAdded, u.CreatedAt, u.ID, u.Email.Normalized, "")}); !errors.Is(err, directory.ErrUnavailable) {
		t.Errorf("a write while another writes: %v", err)
	}
	if _, err := s.GetUser(t.Context(), "1"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("a read while another writes: %v", err)
	}
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateUser(t.Context(), directory.NewUser{User: u, Event: event.New(event.UserAdded, u.CreatedAt, u.ID, u.Email.Normalized, "")}); err != nil {
		t.Errorf("a write after the other's: %v", err)
	}
}
