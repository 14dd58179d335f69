package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// setSetting writes a setting, as anything that commits.
func setSetting(t *testing.T, s *Store, name, value string) {
	t.Helper()
	if _, err := s.write.ExecContext(t.Context(), "INSERT INTO settings (name, value, updated_at) VALUES (?, ?, 0)", name, value); err != nil {
		t.Error(err)
	}
}

func listDir(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestBackup_WhileOthersWrite(t *testing.T) {
	t.Parallel()
	path, folder := filepath.Join(t.TempDir(), "guestlist.db"), t.TempDir()
	s := opened(t, path)
	seed(t, s, 2000)
	const writers = 4
	var written [writers]atomic.Int64
	stop, begun := make(chan struct{}), make(chan struct{}, writers)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for n := int64(1); ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				setSetting(t, s, fmt.Sprintf("writer %d: %d", w, n), "x")
				if written[w].Store(n); n == 5 {
					begun <- struct{}{}
				}
			}
		})
	}
	for range writers {
		<-begun
	}
	for i := range 5 {
		var before [writers]int64
		for w := range writers {
			before[w] = written[w].Load()
		}
		file := filepath.Join(folder, fmt.Sprint(i, ".db"))
		if err := Backup(t.Context(), "sqlite:"+path, file); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		restored := opened(t, file)
		for w, n := range before {
			for k := int64(1); k <= n; k++ {
				if _, err := read(t.Context(), restored, (*dbsqlc.Queries).GetSetting, fmt.Sprintf("writer %d: %d", w, k)); err != nil {
					t.Fatalf("what writer %d wrote before, %d of %d: %v", w, k, n, err)
				}
			}
		}
		var verdict string
		if err := restored.read.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("integrity: %s, %v", verdict, err)
		}
	}
	close(stop)
	all.Wait()
}

func TestBackup_OmitsDeletedRows(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "guestlist.db")
	s := opened(t, path)
	setSetting(t, s, "gone", "Ada Lovelace was here")
	setSetting(t, s, "kept", "Grace Hopper is here")
	if _, err := s.write.Exec("DELETE FROM settings WHERE name = 'gone'"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "copy.db")
	if err := Backup(t.Context(), "sqlite:"+path, file); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "Ada Lovelace") || !strings.Contains(string(b), "Grace Hopper") {
		t.Error("what was deleted is in the copy, or what was not is missing")
	}
}

func TestBackup_FailureLeavesNoFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "guestlist.db")
	s := opened(t, path)
	seed(t, s, 100)
	damaged := filepath.Join(t.TempDir(), "damaged.db")
	if err := os.WriteFile(damaged, []byte(strings.Repeat("Dear Ada, ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	missing := filepath.Join(t.TempDir(), "missing.db")
	for _, r := range []struct {
		name, from string
		ctx        context.Context
		there      []string // in the folder before
		want       string
	}{
		{"where the file is there already", "sqlite:" + path, t.Context(), []string{"copy.db"}, "copy.db is there already"},
		{"where an old log would be read into it", "sqlite:" + path, t.Context(), []string{"copy.db-wal"}, "copy.db-wal is there already"},
		{"of what is not there", "sqlite:" + missing, t.Context(), nil, "there is no file "},
		{"of what is no database", "sqlite:" + damaged, t.Context(), nil, "corrupt or not a database"},
		{"called off", "sqlite:" + path, over, nil, "context canceled"},
		{"of a server", "mysql://user:secret@127.0.0.1/guestlist", t.Context(), nil, "mysqldump"},
	} {
		folder := t.TempDir()
		for _, name := range r.there {
			if err := os.WriteFile(filepath.Join(folder, name), []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := Backup(r.ctx, r.from, filepath.Join(folder, "copy.db"))
		if err == nil || !strings.Contains(err.Error(), r.want) {
			t.Errorf("%s: got %v, want %q", r.name, err, r.want)
		}
		if left := listDir(t, folder); !slices.Equal(left, r.there) {
			t.Errorf("%s: it leaves %v", r.name, left)
		}
		for _, name := range r.there {
			if b, err := os.ReadFile(filepath.Join(folder, name)); err != nil || string(b) != "mine" {
				t.Errorf("%s: it changed %s: %q, %v", r.name, name, b, err)
			}
		}
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("a file was made where there was none")
	}
}

func TestBackup_NewFileIsNotReplaced(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	temp, file := filepath.Join(folder, "temp"), filepath.Join(folder, "copy.db")
	for name, text := range map[string]string{temp: "new", file: "mine"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := publish(temp, file); !errors.Is(err, os.ErrExist) {
		t.Errorf("got %v", err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "mine" {
		t.Errorf("it is %q now, %v", b, err)
	}
}
