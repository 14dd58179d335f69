package store

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/testdb"
)

// lines is a log that says when a line with certain words has been written to it.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
	has  string
	seen chan struct{}
}

func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(line)
	if l.seen != nil && bytes.Contains(l.text.Bytes(), []byte(l.has)) {
		close(l.seen)
		l.seen = nil
	}
	return len(line), nil
}

// logUntil returns a log, and a channel that is closed when it says something.
func logUntil(words string) (*slog.Logger, <-chan struct{}) {
	seen := make(chan struct{})
	return slog.New(slog.NewTextHandler(&lines{has: words, seen: seen}, nil)), seen
}

func TestPrepare_UnavailableServer(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		name string
		away func(v *testdb.Vitess, on bool)
	}{
		{"no primary is there", (*testdb.Vitess).PrimaryAway},
		{"the primary is read-only", (*testdb.Vitess).ReadOnly},
		{"all connections are taken", (*testdb.Vitess).NoConnections},
	} {
		for _, state := range []struct {
			name  string
			ready func(t *testing.T, s *Store)
		}{{"an empty database", func(*testing.T, *Store) {}}, {"a database that is up to date", migrateUp}} {
			t.Run(r.name+", "+state.name, func(t *testing.T) {
				t.Parallel()
				v := testdb.NewVitess(t)
				ready := fresh(t, v.DSN)
				state.ready(t, ready)
				ready.Close()
				r.away(v, true)
				log, waits := logUntil("waiting for the database")
				s := fresh(t, v.DSN)
				done := make(chan error, 1)
				go func() {
					err := s.Prepare(t.Context(), log)
					if err == nil {
						err = s.WaitForWrites(t.Context(), log)
					}
					done <- err
				}()
				select {
				case <-waits:
				case err := <-done:
					t.Fatalf("it did not wait: %v", err)
				case <-time.After(20 * time.Second):
					t.Fatal("it says nothing")
				}
				r.away(v, false)
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				wantUpToDate(t, s)
			})
		}
	}
}

func TestWait_Cancelled(t *testing.T) {
	t.Parallel()
	v := testdb.NewVitess(t)
	v.PrimaryAway(true)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err := fresh(t, v.DSN).Prepare(ctx, quiet)
	if err == nil || strings.Contains(err.Error(), "keyspace") {
		t.Errorf("got %v", err)
	}
}

// vtgate answers DATABASE() with what the connection named, and not with a schema.
func TestMigrate_PlanetScaleNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"@primary", "guestlist@primary", "people"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := testdb.NewVitess(t)
			dsn := v.Name(name)
			var all sync.WaitGroup
			for range 10 {
				s := fresh(t, dsn)
				all.Go(func() {
					if err := s.Prepare(t.Context(), quiet); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			s := fresh(t, dsn)
			wantUpToDate(t, s)
			if n, err := s.Migrate(t.Context(), quiet); n != 0 || err != nil {
				t.Errorf("a second start applied %d; %v", n, err)
			}
			status, script := pendingSQL(t, dsn)
			if status.Pending() != 0 || script != "" {
				t.Errorf("%d are pending: %s", status.Pending(), script)
			}
			v.SafeMigrations(true)
			if n, err := fresh(t, dsn).Migrate(t.Context(), quiet); n != 0 || err != nil {
				t.Errorf("with safe migrations: %d applied; %v", n, err)
			}
		})
	}
}

func TestOpen_Timeouts(t *testing.T) {
	t.Parallel()
	cfg, err := mysql.ParseDSN(testdb.MySQL(t))
	if err != nil {
		t.Fatal(err)
	}
	databaseURL := "mysql://" + cfg.User + "@" + cfg.Addr + "/" + cfg.DBName + "?readTimeout=10s"
	s := fresh(t, databaseURL)
	if err := s.Prepare(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
	if s.timeout != 10*time.Second {
		t.Errorf("a statement may take %v", s.timeout)
	}
	if _, err := newInspector(t, databaseURL).Server(t.Context()); err != nil {
		t.Errorf("doctor: %v", err)
	}
	if _, err := inspect.MigrationStatus(t.Context(), databaseURL); err != nil {
		t.Errorf("migrate status: %v", err)
	}
}
