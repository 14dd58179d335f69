package harness

import (
	"crypto/rand"
	"database/sql"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/testdb"
)

// OpenMySQL opens a MySQL database for the duration of the test.
func OpenMySQL(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// EmptySQLite returns a migrated database without users, or with one member if the email
// address is not empty.
func EmptySQLite(t *testing.T, member string) string {
	t.Helper()
	databaseURL := testdb.SQLite(t)
	s := Start(t, databaseURL, NewClock(Noon), "--guestlist-admins="+member)
	if member != "" {
		if err := s.App.Store.Transact(t.Context(), func(tx *sql.Tx) error {
			_, err := tx.ExecContext(t.Context(), "UPDATE users SET role = 'member'")
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.App.Store.Transact(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), "DELETE FROM settings WHERE name = 'in_force'")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return databaseURL
}

// WithPassword returns the DSN of a database user with a password, who has all rights on
// the database. limits is a clause of CREATE USER.
func WithPassword(t *testing.T, dsn, limits string) string {
	t.Helper()
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := OpenMySQL(t, dsn)
	cfg.User, cfg.Passwd = "t_"+strings.ToLower(rand.Text()[:20]), rand.Text()
	for _, statement := range []string{
		"CREATE USER " + cfg.User + " IDENTIFIED BY '" + cfg.Passwd + "' " + limits,
		"GRANT ALL ON " + cfg.DBName + ".* TO " + cfg.User,
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("the user of the tests must be allowed to create users: %v", err)
		}
	}
	t.Cleanup(func() { OpenMySQL(t, dsn).Exec("DROP USER " + cfg.User) })
	return cfg.FormatDSN()
}

// WithDatabase calls fn with a plain connection to a database, without package store.
func WithDatabase(t *testing.T, databaseURL string, fn func(db *sql.DB)) {
	t.Helper()
	driver, source := "sqlite", strings.TrimPrefix(databaseURL, "sqlite:")
	if source == databaseURL {
		cfg, err := mysql.ParseDSN(databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		cfg.ParseTime = true // for goose
		driver, source = "mysql", cfg.FormatDSN()
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	fn(db)
}
