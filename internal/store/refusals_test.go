package store

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/store/inspect"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/schema"
)

const (
	foreignUsers = "CREATE TABLE users (id INT NOT NULL PRIMARY KEY, name VARCHAR(255), email VARCHAR(255) NOT NULL)"
	gooseNotes   = "CREATE TABLE goose_db_version (id INTEGER NOT NULL PRIMARY KEY, version_id BIGINT NOT NULL, is_applied BOOLEAN NOT NULL, tstamp TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP)"
)

// insertVersions returns a statement that records versions as goose does.
func insertVersions(versions ...int64) string {
	var rows []string
	for i, version := range versions {
		rows = append(rows, fmt.Sprintf("(%d, %d, 1)", i+1, version))
	}
	return "INSERT INTO goose_db_version (id, version_id, is_applied) VALUES " + strings.Join(rows, ", ")
}

// allVersions returns the versions of this release, after goose's version 0.
func allVersions(t *testing.T) []int64 {
	t.Helper()
	steps, err := inspect.AllSteps()
	if err != nil {
		t.Fatal(err)
	}
	versions := []int64{0}
	for _, s := range steps {
		versions = append(versions, s.Version)
	}
	return versions
}

// up returns the statement of a migration.
func up(t *testing.T, file string) string {
	t.Helper()
	statement, _, err := schema.Statements(file)
	if err != nil {
		t.Fatal(err)
	}
	return statement
}

func TestMigrate_ForeignDatabase(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		name string
		make []string
		want string
	}{
		{"a users table of another program", []string{foreignUsers, "INSERT INTO users VALUES (1, 'Grace', 'grace@example.com')"},
			"belongs to another program: its table users lacks Guestlist's columns created_at, email_key, invite_sent_at and 7 more"},
		{"an empty users table of another program", []string{foreignUsers}, "its table users lacks"},
		{"a users table in capitals", []string{strings.ReplaceAll(foreignUsers, "users", "Users")}, "belongs to another program"},
		{"settings", []string{"CREATE TABLE settings (name VARCHAR(99) PRIMARY KEY, data TEXT)", "INSERT INTO settings VALUES ('admin_lock', 'x')"},
			"its table settings lacks Guestlist's columns updated_at and value"},
		{"sessions", []string{"CREATE TABLE sessions (id VARCHAR(99) PRIMARY KEY, payload TEXT)"}, "its table sessions lacks"},
		{"events", []string{"CREATE TABLE events (id INT PRIMARY KEY, title TEXT)"}, "its table events lacks"},
		{"tokens", []string{"CREATE TABLE tokens (id INT PRIMARY KEY, token TEXT)"}, "its table tokens lacks"},
		{"a view under our name", []string{"CREATE TABLE people (id INT PRIMARY KEY)", "CREATE VIEW users AS SELECT id FROM people"},
			"users is a view, where"},
		{"the tables of a first start that a foreign one ended", []string{up(t, "0001_users.sql"), gooseNotes, insertVersions(0, 1), "CREATE TABLE settings (id INT PRIMARY KEY)"},
			"its table settings lacks Guestlist's columns name, updated_at and value"},
		{"another program's migrations", []string{gooseNotes, insertVersions(0, 1, 2, 3), "CREATE TABLE notes (id INT PRIMARY KEY, t TEXT)"},
			"its table goose_db_version records that program's migrations 1, 2 and 3, and not Guestlist's"},
		{"another program's one migration", []string{gooseNotes, insertVersions(0, 1)}, "records that program's migration 1, and not"},
		{"another program's migrations under all our numbers", []string{gooseNotes, insertVersions(allVersions(t)...), "CREATE TABLE notes (id INT PRIMARY KEY)"},
			"its table goose_db_version records that program's migrations 1, 2, 3 and"},
		{"another program's migrations by dates", []string{gooseNotes, insertVersions(0, 20240101120000), "CREATE TABLE notes (id INT PRIMARY KEY)"},
			"records that program's migration 20240101120000, and not"},
		{"another program's migrations and its users", []string{gooseNotes, insertVersions(0, 1), foreignUsers}, "its table users lacks"},
		{"another program's version table before its first migration", []string{gooseNotes, insertVersions(0), "CREATE TABLE notes (id INT PRIMARY KEY)"},
			"it has the table notes and none of Guestlist's tables"},
		{"a version table that is none", []string{"CREATE TABLE goose_db_version (v INT PRIMARY KEY)"}, "doesn't record migrations"},
		{"tables under other names", []string{"CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE b (id INT PRIMARY KEY)", "CREATE TABLE c (id INT PRIMARY KEY)", "CREATE TABLE d (id INT PRIMARY KEY)", "CREATE TABLE e (id INT PRIMARY KEY)"},
			"it has the tables a, b, c and 2 more and none of Guestlist's tables"},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, databaseURL string) {
				execRaw(t, databaseURL, r.make...)
				before := snapshot(t, databaseURL)
				for _, try := range tries {
					err := try.do(t, databaseURL)
					var advised interface{ Advice() string }
					if !errors.Is(err, inspect.ErrForeign) || !strings.Contains(err.Error(), r.want) || !errors.As(err, &advised) {
						t.Errorf("%s: %v", try.name, err)
						continue
					}
					if advice := advised.Advice(); !strings.HasPrefix(advice, "Nothing in it was changed. ") || strings.Contains(strings.ToLower(advice), "drop") {
						t.Errorf("%s advises %q", try.name, advice)
					}
				}
				if diff := cmp.Diff(before, snapshot(t, databaseURL)); diff != "" {
					t.Errorf("it was changed: -before +after\n%s", diff)
				}
			})
		})
	}
}

// tries are the ways in which a database is opened.
var tries = []struct {
	name string
	do   func(t *testing.T, databaseURL string) error
}{
	{"a start", func(t *testing.T, databaseURL string) error {
		s, err := Open(databaseURL, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		return s.Prepare(t.Context(), quiet)
	}},
	{"guestlist migrate", func(t *testing.T, databaseURL string) error {
		s, err := Open(databaseURL, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		_, err = s.Migrate(t.Context(), quiet)
		return err
	}},
	{"guestlist migrate status", func(t *testing.T, databaseURL string) error {
		_, err := inspect.MigrationStatus(t.Context(), databaseURL)
		return err
	}},
	{"guestlist copy", func(t *testing.T, databaseURL string) error { return inspect.Refused(t.Context(), databaseURL) }},
	{"guestlist copy, alone", func(t *testing.T, databaseURL string) error {
		s, err := OpenExclusive(t.Context(), databaseURL, nil)
		if err != nil {
			return err
		}
		defer s.Close()
		return s.Prepare(t.Context(), quiet)
	}},
	{"guestlist doctor", func(t *testing.T, databaseURL string) error { return newInspector(t, databaseURL).Examine(t.Context()) }},
}

func TestMigrate_MissingTables(t *testing.T) {
	t.Parallel()
	for _, r := range []struct{ name, lose, want string }{
		{"a table", "DROP TABLE outbox", "this database lacks Guestlist's table outbox although goose_db_version records that it was created"},
		{"a column", "ALTER TABLE sessions DROP COLUMN address", "Guestlist's table sessions lacks its column address"},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, databaseURL string) {
				s := fresh(t, databaseURL)
				migrateUp(t, s)
				execute(t, s, r.lose)
				if strings.HasPrefix(r.name, "a column") {
					execute(t, s, "DELETE FROM goose_db_version WHERE version_id = 37") // else nothing is looked at closely
				}
				s.Close()
				before := snapshot(t, databaseURL)
				for _, try := range tries {
					if err := try.do(t, databaseURL); err == nil || errors.Is(err, inspect.ErrForeign) || !strings.Contains(err.Error(), r.want) {
						t.Errorf("%s: %v", try.name, err)
					}
				}
				if diff := cmp.Diff(before, snapshot(t, databaseURL)); diff != "" {
					t.Errorf("it was changed: -before +after\n%s", diff)
				}
			})
		})
	}
}

func TestMigrate_NewerRelease(t *testing.T) {
	t.Parallel()
	for _, r := range []struct{ name, more string }{
		{"with all of this release's tables", ""},
		{"with one of them missing", "DROP TABLE idempotency_keys"},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, databaseURL string) {
				s := fresh(t, databaseURL)
				migrateUp(t, s)
				execute(t, s, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9001, 1)")
				if r.more != "" {
					execute(t, s, "DELETE FROM goose_db_version WHERE version_id = 36")
					execute(t, s, r.more)
				}
				s.Close()
				before := snapshot(t, databaseURL)
				for _, try := range tries {
					if try.name == "guestlist migrate status" || try.name == "guestlist doctor" {
						continue // these report it among other findings
					}
					const want = "this database was migrated by a newer release of Guestlist, which added the migration 9001"
					if err := try.do(t, databaseURL); err == nil || err.Error() != want {
						t.Errorf("%s: %v", try.name, err)
					}
				}
				if diff := cmp.Diff(before, snapshot(t, databaseURL)); diff != "" {
					t.Errorf("it was changed: -before +after\n%s", diff)
				}
			})
		})
	}
}

// Opening a file in WAL mode to write to it, and closing it, changes it, whatever is done.
func TestMigrate_ForeignFileInWALMode(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.SQLite(t)
	execRaw(t, databaseURL, "PRAGMA journal_mode = WAL", foreignUsers)
	before := snapshot(t, databaseURL)
	for _, try := range tries {
		if err := try.do(t, databaseURL); !errors.Is(err, inspect.ErrForeign) {
			t.Errorf("%s: %v", try.name, err)
		}
	}
	if err := Backup(t.Context(), databaseURL, filepath.Join(t.TempDir(), "backup.db")); !errors.Is(err, inspect.ErrForeign) {
		t.Errorf("a backup: %v", err)
	}
	if diff := cmp.Diff(before, snapshot(t, databaseURL)); diff != "" {
		t.Errorf("it was changed: -before +after\n%s", diff)
	}
}

// Tables of tools don't show whose database it is.
func TestMigrate_EmptyDatabaseWithTablesOfTools(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		execRaw(t, databaseURL, "CREATE TABLE _litestream_seq (id INT PRIMARY KEY)", "CREATE TABLE _vt_hld_1 (id INT PRIMARY KEY)")
		s := fresh(t, databaseURL)
		if _, err := s.Migrate(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		wantUpToDate(t, s)
	})
}

// What a program that has no goose table left finds, and one whose first start was cut off.
func TestMigrate_UnrecordedMigrations(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		name string
		make []string
	}{
		{"only the version table", []string{gooseNotes}},
		{"a version table with its first row", []string{gooseNotes, insertVersions(0)}},
		{"one table that is not noted", []string{gooseNotes, insertVersions(0), up(t, "0001_users.sql")}},
		{"one table and no version table", []string{up(t, "0001_users.sql")}},
		{"a table and an index that are not noted", []string{up(t, "0001_users.sql"), up(t, "0023_users_by_stytch.sql")}},
		{"no first row", []string{gooseNotes, insertVersions(1), up(t, "0001_users.sql")}},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, databaseURL string) {
				make := r.make
				if !strings.HasPrefix(databaseURL, "sqlite:") {
					make = nil
					for _, statement := range r.make {
						make = append(make, strings.Replace(statement, "INTEGER NOT NULL PRIMARY KEY", "BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY", 1))
					}
				}
				execRaw(t, databaseURL, make...)
				if _, err := inspect.MigrationStatus(t.Context(), databaseURL); err != nil {
					t.Error(err)
				}
				s := fresh(t, databaseURL)
				if _, err := s.Migrate(t.Context(), quiet); err != nil {
					t.Fatal(err)
				}
				wantUpToDate(t, s)
			})
		})
	}
}

// execRaw carries out statements as another program does.
func execRaw(t *testing.T, databaseURL string, statements ...string) {
	t.Helper()
	db := openRaw(t, databaseURL)
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%v\n%s", err, statement)
		}
	}
}

func openRaw(t *testing.T, databaseURL string) *sql.DB {
	t.Helper()
	driver, dsn := "mysql", databaseURL
	if path, ok := dbconn.ParsePath(databaseURL); ok {
		driver, dsn = "sqlite", path
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// snapshot is what a database holds: the bytes of an SQLite file and the names of the files
// beside it, or the definitions and rows of all tables on a server.
func snapshot(t *testing.T, databaseURL string) map[string]string {
	t.Helper()
	all := map[string]string{}
	if path, ok := dbconn.ParsePath(databaseURL); ok {
		files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.Base(file)] = string(text)
		}
		return all
	}
	db := openRaw(t, databaseURL)
	defer db.Close()
	tables, err := db.Query("SHOW FULL TABLES")
	if err != nil {
		t.Fatal(err)
	}
	defer tables.Close()
	for tables.Next() {
		var name, kind string
		if err := tables.Scan(&name, &kind); err != nil {
			t.Fatal(err)
		}
		all[name] = rowsOf(t, db, "SELECT * FROM "+name)
	}
	if err := tables.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// rowsOf returns the result of a query as text.
func rowsOf(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(columns, "|")
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("\n%v", values)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return text
}
