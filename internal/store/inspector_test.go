package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/schema"
)

func newInspector(t *testing.T, databaseURL string) *inspect.Inspector {
	t.Helper()
	l, err := inspect.Open(databaseURL, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestInspector_ChangesNothing(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		if _, err := s.Migrate(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		count := func() (n int) {
			t.Helper()
			if err := s.read.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM settings").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := count()
		l := newInspector(t, databaseURL)
		server, err := l.Server(t.Context())
		if err != nil || server.Version == "" || server.Unencrypted || strings.Contains(server.Version, "-") {
			t.Errorf("%+v, %v", server, err)
		}
		if err := l.CanWrite(t.Context()); err != nil {
			t.Errorf("it can't be written: %v", err)
		}
		if n := count(); n != before {
			t.Errorf("%d settings, where %d were", n, before)
		}
		if n, err := l.CountAdmins(t.Context()); n != 0 || err != nil {
			t.Errorf("%d administrators, %v", n, err)
		}
		if s.sqlite != l.IsFile() {
			t.Errorf("a file: %v", l.IsFile())
		}
		if _, noted, err := l.DifferingSettings(t.Context(), nil, nil); noted || err != nil {
			t.Errorf("noted: %v, %v", noted, err)
		}
		if err := s.RecordSettings(t.Context(), map[string]string{"A": "1", "B": "1", "C": "1"}, map[string]string{"S": "hush", "T": "hush"}, event.New(event.SettingChanged, time.Now(), "", "", "")); err != nil {
			t.Fatal(err)
		}
		names, noted, err := l.DifferingSettings(t.Context(), map[string]string{"A": "1", "B": "2", "D": "1"}, map[string]string{"S": "hush", "T": "other"})
		if diff := cmp.Diff([]string{"B", "T"}, names); diff != "" || !noted || err != nil {
			t.Errorf("%s noted: %v, %v", diff, noted, err)
		}
	})
}

func TestInspector_WithoutTables(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		if path, ok := dbconn.ParsePath(databaseURL); ok {
			if err := dbconn.CreateFile(path); err != nil {
				t.Fatal(err)
			}
		}
		l := newInspector(t, databaseURL)
		if _, err := l.Server(t.Context()); err != nil {
			t.Errorf("server: %v", err)
		}
		if err := l.CanWrite(t.Context()); !errors.Is(err, dbconn.ErrNoTables) {
			t.Errorf("writing: %v", err)
		}
		if n, err := l.CountAdmins(t.Context()); n != 0 || err != nil {
			t.Errorf("%d administrators, %v", n, err)
		}
		if _, noted, err := l.DifferingSettings(t.Context(), nil, nil); noted || err != nil {
			t.Errorf("noted: %v, %v", noted, err)
		}
		if status, _ := pendingSQL(t, databaseURL); status.Pending() != len(status.Migrations) {
			t.Errorf("%d are pending: something was made", status.Pending())
		}
	})
}

// A file that isn't open anywhere stays the same, without files beside it.
func TestInspector_UnusedFile(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.SQLite(t)
	path, _ := dbconn.ParsePath(databaseURL)
	s := fresh(t, databaseURL)
	if _, err := s.Migrate(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	s.Close()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l := newInspector(t, databaseURL)
	if err := l.CanWrite(t.Context()); err != nil {
		t.Error(err)
	}
	l.Close()
	after, err := os.ReadFile(path)
	if err != nil || string(before) != string(after) {
		t.Errorf("the file is another now: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); len(left) != 1 || err != nil {
		t.Errorf("%v, %v", left, err)
	}
}

func TestInspector_MissingFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	databaseURL := "sqlite:" + filepath.Join(dir, "not", "there", "guestlist.db")
	if _, err := inspect.Open(databaseURL, time.Now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if err := inspect.CanCreate(databaseURL); err != nil {
		t.Errorf("it can't be made: %v", err)
	}
	if left, err := os.ReadDir(dir); len(left) != 0 || err != nil {
		t.Errorf("%v, %v", left, err)
	}
	blocked := "sqlite:" + filepath.Join(dir, "file", "guestlist.db")
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := inspect.CanCreate(blocked); err == nil {
		t.Error("a file could be made in a file")
	}
}

func TestInspector_BusyFile(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.SQLite(t)
	s := fresh(t, databaseURL)
	if _, err := s.Migrate(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	tx, err := s.write.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if err := newInspector(t, databaseURL).CanWrite(t.Context()); !errors.Is(err, dbconn.ErrBusy) {
		t.Errorf("got %v", err)
	}
}

func TestMigrationStatus_UnknownAndSkipped(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		if _, err := s.Migrate(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		note := func(statement string) {
			t.Helper()
			if _, err := s.write.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		note("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9001, 1)")
		note("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9002, 1)")
		status, _ := pendingSQL(t, databaseURL)
		if diff := cmp.Diff([]int64{9001, 9002}, status.Unknown); diff != "" || status.Skipped() != nil {
			t.Errorf("%s skipped: %v", diff, status.Skipped())
		}
		if n, err := s.Migrate(t.Context(), quiet); n != 0 || err == nil || err.Error() != status.Newer().Error() {
			t.Errorf("Migrate applied %d, %v", n, err)
		}
		last := status.Migrations[len(status.Migrations)-1]
		_, down, err := schema.Statements(last.Name)
		if err != nil {
			t.Fatal(err)
		}
		note(down)
		note(fmt.Sprintf("DELETE FROM goose_db_version WHERE version_id = %d", last.Version))
		status, _ = pendingSQL(t, databaseURL)
		if diff := cmp.Diff([]string{last.Name}, status.Skipped()); diff != "" {
			t.Error(diff)
		}
		provider, _ := migrations(t, s)
		if _, err := provider.Up(t.Context()); err == nil {
			t.Error("goose applies what was left out")
		}
	})
}
