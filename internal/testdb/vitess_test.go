package testdb

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// rehearsal is a test that records its failures.
type rehearsal struct {
	testing.TB
	failures []string
	cleanups []func()
}

func (r *rehearsal) Error(args ...any) { r.failures = append(r.failures, fmt.Sprint(args...)) }
func (r *rehearsal) Cleanup(f func())  { r.cleanups = append(r.cleanups, f) }

// ended runs the cleanup functions and returns the failures.
func (r *rehearsal) ended() []string {
	for _, f := range r.cleanups {
		f()
	}
	return r.failures
}

func TestVitess_RefusesWhatPlanetScaleRefuses(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		statement string
		because   string // empty if it is accepted
	}{
		{"CREATE TABLE others (id BIGINT PRIMARY KEY, name VARCHAR(99)) /*! COLLATE utf8mb4_bin */", ""},
		{"INSERT INTO people VALUES (1, 'GET_LOCK(@x); LOCK TABLES, it''s REFERENCES')", ""},
		{"-- name: GetPerson; LOCK TABLES\nSELECT name FROM people WHERE id = 1", ""},
		{"SELECT GET_LOCK('x', 1)", "it is lost"},
		{"LOCK TABLES people WRITE", "nothing here begins like that"},
		{"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "nothing here begins like that"},
		{"SELECT @n := id FROM people", "a variable is its connection's"},
		{"CREATE TABLE pets (id BIGINT PRIMARY KEY, owner BIGINT, FOREIGN KEY (owner) REFERENCES people (id))", "can't watch each other"},
		{"CREATE TEMPORARY TABLE pets (id BIGINT)", "nothing here begins like that"},
		{"CREATE TRIGGER t BEFORE INSERT ON people FOR EACH ROW SET NEW.id = 1", "nothing here begins like that"},
		{"INSERT INTO people VALUES (2, 'Bob') RETURNING id", "does not know it"},
		{"DELETE FROM people; DELETE FROM people", "two statements"},
		{"SELECT seq, 'x' FROM seq_1_to_100001", "no more than 100000 rows"},
	} {
		t.Run(r.statement[:min(40, len(r.statement))], func(t *testing.T) {
			t.Parallel()
			rehearsed := &rehearsal{TB: t}
			db := through(t, BehindVitess(rehearsed, MySQL(t)))
			if _, err := db.Exec("CREATE TABLE people (id BIGINT PRIMARY KEY, name VARCHAR(99))"); err != nil {
				t.Fatal(err)
			}
			rows, err := db.Query(r.statement)
			for err == nil && rows.Next() {
			}
			if r.because == "" && err != nil {
				t.Error(err)
			}
			failures := strings.Join(rehearsed.ended(), "\n")
			if (failures == "") != (r.because == "") || !strings.Contains(failures, r.because) {
				t.Errorf("failures %q, want %q", failures, r.because)
			}
		})
	}
}

func TestVitess_AcceptsOnlyARollbackAfterAnAbortedTransaction(t *testing.T) {
	t.Parallel()
	rehearsed := &rehearsal{TB: t}
	dsn := MySQL(t)
	v := BehindVitess(rehearsed, dsn)
	db := through(t, v)
	if _, err := db.Exec("CREATE TABLE people (id BIGINT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	v.EndTransaction(1)
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO people VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("INSERT INTO people VALUES (2)"); err == nil || !strings.Contains(err.Error(), "Error 1317 (70100)") {
		t.Errorf("got %v", err)
	}
	if !v.Ended() {
		t.Error("it was not ended")
	}
	if _, err := tx.Exec("INSERT INTO people VALUES (3)"); err == nil {
		t.Error("it goes on")
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	n := 0
	if err := db.QueryRow("SELECT COUNT(*) FROM people").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows are left, %v", n, err)
	}
	if failures := rehearsed.ended(); len(failures) != 1 || !strings.Contains(failures[0], "has failed: what comes after it may be in none") {
		t.Errorf("failures %q", failures)
	}
}

func TestVitess_SafeMigrations(t *testing.T) {
	t.Parallel()
	v := NewVitess(t)
	db := through(t, v)
	create := "CREATE TABLE people (id BIGINT PRIMARY KEY)"
	v.SafeMigrations(true)
	for _, statement := range []string{create, "ALTER TABLE people ADD x BIGINT", "DROP TABLE people", "CREATE INDEX x ON people (id)", "TRUNCATE people", "RENAME TABLE people TO others"} {
		if _, err := db.Exec(statement); err == nil || err.Error() != "Error 1105 (HY000): direct DDL is disabled" {
			t.Errorf("%s: %v", statement, err)
		}
	}
	v.SafeMigrations(false)
	if _, err := db.Exec(create); err != nil {
		t.Fatal(err)
	}
	v.SafeMigrations(true)
	if _, err := db.Exec("INSERT INTO people VALUES (1)"); err != nil {
		t.Error(err)
	}
}

// through connects with the settings of the program.
func through(t *testing.T, v *Vitess) *sql.DB {
	t.Helper()
	cfg, err := mysql.ParseDSN(v.DSN)
	if err != nil {
		t.Fatal(err)
	}
	cfg.InterpolateParams = true
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}
