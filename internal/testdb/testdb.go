// Package testdb creates databases for tests: an SQLite file, or a database on a MySQL
// server. The server is the installed MariaDB or MySQL. Each test process starts at most
// one, with its own directory and port, and it stops with the process.
// GUESTLIST_TEST_MYSQL_DSN selects another server; its user must be allowed to create and
// drop databases.
//
// If no server is installed, tests that need one are skipped, or fail if CI=true.
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

// SQLite returns the URL, sqlite:PATH, of a file that doesn't exist. Its directory is
// removed at the end of the test.
func SQLite(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp(ramDisk(), "guestlist-sqlite-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return "sqlite:" + filepath.Join(dir, "guestlist.db")
}

// MySQL returns the go-sql-driver DSN of a new empty database, for a TCP connection. The
// database is dropped at the end of the test.
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

// Each runs fn with an empty database of each engine, as the parallel subtests "sqlite"
// and "mysql". The latter fails if fn sends a statement that PlanetScale refuses; see
// Vitess.
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

// superuser returns a configuration for a user who may create databases.
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

// missing skips or fails a test whose server can't be started.
func missing(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errNoServer) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	t.Fatal(err)
}

// run executes one statement on a new connection.
func run(t testing.TB, cfg *mysql.Config, statement string) {
	t.Helper()
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	// The test's context has ended when cleanup functions run.
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
