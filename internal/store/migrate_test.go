package store

import (
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"

	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/store/storetest"
	"github.com/guestlist/guestlist/internal/testdb"
)

var quiet = slog.New(slog.DiscardHandler)

// fresh opens a store on a database as it is found, closed at the end of the test.
func fresh(t testing.TB, databaseURL string) *Store {
	t.Helper()
	s, err := Open(databaseURL, storetest.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// migrations returns the versions that there are, oldest first.
func migrations(t testing.TB, s *Store) (*goose.Provider, []int64) {
	t.Helper()
	p, err := s.provider(quiet)
	if err != nil {
		t.Fatal(err)
	}
	var versions []int64
	for _, source := range p.ListSources() {
		versions = append(versions, source.Version)
	}
	return p, versions
}

// applied returns how often each version is recorded in the database.
func applied(t testing.TB, s *Store) map[int64]int {
	t.Helper()
	rows, err := s.read.Query("SELECT version_id FROM goose_db_version WHERE version_id > 0")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	times := map[int64]int{}
	for rows.Next() {
		var version int64
		if err := rows.Scan(&version); err != nil {
			t.Fatal(err)
		}
		times[version]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return times
}

// tables returns the tables there are besides goose's.
func tables(t testing.TB, s *Store) []string {
	t.Helper()
	query := "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name NOT LIKE 'goose%'"
	if s.sqlite {
		query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%'"
	}
	rows, err := s.read.Query(query + " ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names := []string{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

func wantUpToDate(t *testing.T, s *Store) {
	t.Helper()
	_, versions := migrations(t, s)
	want := map[int64]int{}
	for _, v := range versions {
		want[v] = 1
	}
	if diff := cmp.Diff(want, applied(t, s)); diff != "" {
		t.Errorf("how often each migration was applied: -want +got\n%s", diff)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		if err := s.Ping(t.Context()); err == nil {
			t.Error("a database without tables is ready")
		}
		_, versions := migrations(t, s)
		for _, want := range []int{len(versions), 0} {
			if n, err := s.Migrate(t.Context(), quiet); n != want || err != nil {
				t.Fatalf("%d applied, want %d; %v", n, want, err)
			}
			wantUpToDate(t, s)
		}
	})
}

func TestMigrate_Concurrent(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		instances := make([]*Store, 10)
		for i := range instances {
			instances[i] = fresh(t, databaseURL)
		}
		errs := make([]error, len(instances))
		start := make(chan struct{})
		var all sync.WaitGroup
		for i, s := range instances {
			all.Go(func() {
				<-start
				if errs[i] = s.Wait(t.Context(), quiet); errs[i] == nil {
					_, errs[i] = s.Migrate(t.Context(), quiet)
				}
			})
		}
		close(start)
		all.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Error(err)
		}
		for _, s := range instances {
			if err := s.Ping(t.Context()); err != nil {
				t.Error(err)
			}
		}
		wantUpToDate(t, instances[0])
	})
}

func TestMigrate_WhileAnotherCreatesTheVersionTable(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		id := "BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT"
		if s.sqlite {
			id = "INTEGER PRIMARY KEY AUTOINCREMENT"
		}
		if _, err := s.write.Exec("CREATE TABLE goose_db_version (id " + id + ", version_id BIGINT NOT NULL, is_applied BOOLEAN NOT NULL, tstamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP)"); err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(200 * time.Millisecond) // Migrate has found the table without its first row by then
			s.write.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1)")
		}()
		if _, err := s.Migrate(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		wantUpToDate(t, s)
	})
}

func TestMigrations_DownAndUp(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		p, versions := migrations(t, s)
		for _, v := range versions {
			before := []string{}
			if v > versions[0] {
				before = tables(t, s)
			}
			if _, err := p.UpByOne(t.Context()); err != nil {
				t.Fatalf("up to %d: %v", v, err)
			}
			up := tables(t, s)
			if _, err := p.Down(t.Context()); err != nil {
				t.Fatalf("down from %d: %v", v, err)
			}
			if diff := cmp.Diff(before, tables(t, s)); diff != "" {
				t.Errorf("tables after %d was taken back: -want +got\n%s", v, diff)
			}
			if _, err := p.UpByOne(t.Context()); err != nil {
				t.Fatalf("up to %d again: %v", v, err)
			}
			if diff := cmp.Diff(up, tables(t, s)); diff != "" {
				t.Errorf("tables of %d the second time: -want +got\n%s", v, diff)
			}
		}
		if _, err := p.DownTo(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if left := tables(t, s); len(left) > 0 {
			t.Errorf("taking everything back leaves %v", left)
		}
	})
}

func TestMigrate_FinishesAnInterruptedMigration(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		p, versions := migrations(t, s)
		for _, n := range []int{1, len(versions) / 2, len(versions) - 1} {
			if _, err := p.UpTo(t.Context(), versions[n-1]); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Migrate(t.Context(), quiet); got != len(versions)-n || err != nil {
				t.Fatalf("%d applied after %d, want %d; %v", got, n, len(versions)-n, err)
			}
			wantUpToDate(t, s)
			if _, err := p.DownTo(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A deploy request of PlanetScale brings tables and goose's rows, and no others.
func TestMigrate_AddsTheAdminLockRow(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		if _, err := s.Migrate(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		if _, err := s.write.Exec("DELETE FROM settings"); err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(t.Context()); err == nil {
			t.Error("a database without the row is ready")
		}
		for range 2 {
			if n, err := s.Migrate(t.Context(), quiet); n != 0 || err != nil {
				t.Errorf("%d applied; %v", n, err)
			}
			if err := s.Ping(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestMigrate_KeepsSigningKeys(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := fresh(t, databaseURL)
		p, _ := migrations(t, s)
		if _, err := p.UpTo(t.Context(), 139); err != nil { // before RS256 keys
			t.Fatal(err)
		}
		execute(t, s, "INSERT INTO signing_keys (id, generation, private_key, public_key, signs_from, created_at) VALUES ('kid', 3, 'private', 'public', 1, 2)")
		migrateUp(t, s)
		want := []identity.StoredKey{{
			Algorithm: identity.ES256, ID: "kid", Generation: 3, Private: "private", Public: "public",
			SignsFrom: time.UnixMicro(1).UTC(), CreatedAt: time.UnixMicro(2).UTC(),
		}}
		got, err := s.ListSigningKeys(t.Context(), identity.ES256, 10)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, %s", err, diff)
		}
		if got, err := s.ListSigningKeys(t.Context(), identity.RS256, 10); len(got) > 0 || err != nil {
			t.Errorf("%v, %v", got, err)
		}
	})
}
