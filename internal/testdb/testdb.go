// Package testdb gives a test a database of its own: an SQLite file, or a fresh
// database on a MySQL server. The server is MariaDB or MySQL as found on this
// machine, started at most once in a test process, on a folder and a port of its
// own, and gone with the process. GUESTLIST_TEST_MYSQL_DSN names another server
// to use instead; its user must be allowed to create and drop databases.
//
// Where there is no server, tests that need one are skipped, and say why. With
// CI=true they fail: a run that proves less than it should must not be green.
package testdb

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// SQLite returns the URL, sqlite:PATH, of a file that does not exist yet. Its
// folder is removed at the end of the test.
func SQLite(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(ramDisk(), "guestlist-sqlite-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return "sqlite:" + filepath.Join(dir, "guestlist.db")
}

// MySQL returns a go-sql-driver DSN, reached over TCP, of an empty database
// that no other test knows. It is dropped at the end of the test.
func MySQL(t testing.TB) string {
	t.Helper()
	cfg := superuser(t)
	name := "guestlist_test_" + strings.ToLower(rand.Text())
	run(t, cfg, "CREATE DATABASE "+name)
	t.Cleanup(func() { run(t, cfg, "DROP DATABASE "+name) })

	own := cfg.Clone()
	own.DBName = name
	return own.FormatDSN()
}

// Each runs fn on an empty database of either engine, as the parallel subtests
// "sqlite" and "mysql". What PlanetScale would refuse of what fn sends fails the
// second: see Vitess.
func Each(t *testing.T, fn func(t *testing.T, databaseURL string)) {
	t.Helper()
	engines := []struct {
		name string
		open func(testing.TB) string
	}{{"sqlite", SQLite}, {"mysql", func(t testing.TB) string { return NewVitess(t).DSN }}}
	for _, engine := range engines {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			fn(t, engine.open(t))
		})
	}
}

// superuser returns who may create databases, on the server to be used.
func superuser(t testing.TB) *mysql.Config {
	t.Helper()
	if dsn := os.Getenv("GUESTLIST_TEST_MYSQL_DSN"); dsn != "" {
		cfg, err := mysql.ParseDSN(dsn)
		if err != nil {
			t.Fatalf("GUESTLIST_TEST_MYSQL_DSN: %v", err)
		}
		cfg.DBName = ""
		return cfg
	}
	server, err := privateServer()
	if err != nil {
		missing(t, err)
	}
	return rootConfig("tcp", server.addr)
}

// missing ends a test that can't have its server.
func missing(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errNoServer) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	t.Fatal(err)
}

// run carries out one statement on a connection of its own.
func run(t testing.TB, cfg *mysql.Config, statement string) {
	t.Helper()
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	// Not the test's own context: it has ended by the time of a clean-up.
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
