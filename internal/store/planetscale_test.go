package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
)

// states are those of a database that a program finds when it starts.
var states = []struct {
	name  string
	ready func(t *testing.T, s *Store)
	want  error // where changes of tables are refused
}{
	{"an empty database", func(*testing.T, *Store) {}, ErrDDLRefused},
	{"a database that is one migration behind", func(t *testing.T, s *Store) {
		p, versions := migrations(t, s)
		if _, err := p.UpTo(t.Context(), versions[len(versions)-2]); err != nil {
			t.Fatal(err)
		}
	}, ErrDDLRefused},
	{"a database that is up to date", migrateUp, nil},
	{"a database whose deploy request brought no rows", func(t *testing.T, s *Store) {
		migrateUp(t, s)
		execute(t, s, "DELETE FROM goose_db_version")
		execute(t, s, "DELETE FROM settings")
	}, nil},
}

func migrateUp(t *testing.T, s *Store) {
	t.Helper()
	if _, err := s.Migrate(t.Context(), quiet); err != nil {
		t.Fatal(err)
	}
}

func execute(t *testing.T, s *Store, statement string) {
	t.Helper()
	if _, err := s.write.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func TestMigrate_SafeMigrations(t *testing.T) {
	t.Parallel()
	for _, r := range states {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			v := testdb.NewVitess(t)
			r.ready(t, fresh(t, v.DSN))
			v.SafeMigrations(true)
			begin := time.Now()
			n, err := fresh(t, v.DSN).Migrate(t.Context(), quiet)
			if n != 0 || !errors.Is(err, r.want) {
				t.Errorf("%d applied; %v", n, err)
			}
			if took := time.Since(begin); r.want == ErrDDLRefused && took > 2*time.Second {
				t.Errorf("it took %v to say so", took) // goose's own tries take three seconds
			}
		})
	}
}

func TestMigrate_SafeMigrationsInstructions(t *testing.T) {
	t.Parallel()
	v := testdb.NewVitess(t)
	v.SafeMigrations(true)
	s := fresh(t, v.DSN)
	s.database = "people"
	_, err := s.Migrate(t.Context(), quiet)
	if err == nil {
		t.Fatal("nothing was refused")
	}
	for _, words := range []string{
		`turn on "Automatically copy migration data" for the table goose_db_version`,
		"pscale branch create people guestlist-migrate --wait\n",
		"pscale connect people guestlist-migrate --execute 'guestlist migrate'\n",
		"pscale deploy-request create people guestlist-migrate --auto-delete-branch\n",
		"pscale deploy-request deploy people guestlist-migrate --wait\n",
	} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("it lacks %q:\n%v", words, err)
		}
	}
	for _, words := range []string{"1105", "HY000", "direct DDL", "CREATE TABLE", "goose_lock", "127.0.0.1"} {
		if strings.Contains(err.Error(), words) {
			t.Errorf("it says %q:\n%v", words, err)
		}
	}
}

func TestPrepare_ConcurrentWithSafeMigrations(t *testing.T) {
	t.Parallel()
	for _, r := range states[:3] {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			v := testdb.NewVitess(t)
			r.ready(t, fresh(t, v.DSN))
			v.SafeMigrations(true)
			var all sync.WaitGroup
			for range 10 {
				s := fresh(t, v.DSN)
				all.Go(func() {
					if n, err := s.Migrate(t.Context(), quiet); n != 0 || !errors.Is(err, r.want) {
						t.Errorf("%d applied; %v", n, err)
					}
				})
			}
			all.Wait()
		})
	}
}

// As PlanetScale brings them over: a branch is made of tables without rows, and so
// is what a deploy request changes, but for the rows of goose's table.
func TestMigrate_AfterADeployRequest(t *testing.T) {
	t.Parallel()
	dsn := testdb.MySQL(t)
	v := testdb.BehindVitess(t, dsn)
	v.SafeMigrations(true)
	main := fresh(t, v.DSN)
	if _, err := main.Migrate(t.Context(), quiet); !errors.Is(err, ErrDDLRefused) {
		t.Fatalf("before: %v", err)
	}
	branch := testdb.MySQL(t)
	_, versions := migrations(t, main)
	if n, err := fresh(t, testdb.BehindVitess(t, branch).DSN).Migrate(t.Context(), quiet); n != len(versions) || err != nil {
		t.Fatalf("on the branch: %d applied; %v", n, err)
	}
	deploy(t, fresh(t, branch), fresh(t, dsn))
	if n, err := main.Migrate(t.Context(), quiet); n != 0 || err != nil {
		t.Fatalf("afterwards: %d applied; %v", n, err)
	}
	wantUpToDate(t, main)
}

// deploy does what a deploy request does.
func deploy(t *testing.T, branch, main *Store) {
	t.Helper()
	for _, table := range append(tables(t, branch), "goose_db_version", "goose_lock") {
		var name, statement string
		if err := branch.read.QueryRow("SHOW CREATE TABLE "+table).Scan(&name, &statement); err != nil {
			t.Fatal(err)
		}
		execute(t, main, statement)
	}
	for _, version := range append([]int64{0}, slices.Sorted(maps.Keys(applied(t, branch)))...) {
		execute(t, main, fmt.Sprintf("INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, 1)", version))
	}
}

// A deploy request brings tables without rows unless PlanetScale is configured to copy them. Ten instances start on
// the result.
func TestMigrate_RecordsADeployRequest(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]string{
		"no rows at all":                 "DELETE FROM goose_db_version",
		"no rows of the last migrations": "DELETE FROM goose_db_version WHERE version_id > 5",
		"not the first row":              "DELETE FROM goose_db_version WHERE version_id = 0",
	} {
		for leased, prepare := range map[string]func(s *Store){
			"with the lease table":    func(*Store) {},
			"without the lease table": func(s *Store) { execute(t, s, "DROP TABLE goose_lock") },
		} {
			t.Run(name+", "+leased, func(t *testing.T) {
				t.Parallel()
				v := testdb.NewVitess(t)
				s := fresh(t, v.DSN)
				migrateUp(t, s)
				execute(t, s, lose)
				prepare(s)
				refused := v.SafeMigrations(true)
				var all sync.WaitGroup
				for range 10 {
					s := fresh(t, v.DSN)
					all.Go(func() {
						if n, err := s.Migrate(t.Context(), quiet); n != 0 || err != nil {
							t.Errorf("%d applied; %v", n, err)
						}
					})
				}
				all.Wait()
				wantUpToDate(t, s)
				if n := v.SafeMigrations(false) - refused; n > 10 {
					t.Errorf("%d changes of tables were refused", n)
				}
			})
		}
	}
}
