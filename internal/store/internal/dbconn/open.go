package dbconn

import (
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/go-sql-driver/mysql"
)

// DefaultTimeout limits waiting for the database unless its address sets another limit.
const DefaultTimeout = 5 * time.Second

// OpenMySQL opens a pool of connections to a server. It does not connect yet.
func OpenMySQL(cfg *mysql.Config) (*sql.DB, error) {
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(LeaveReadOnly(connector))
	db.SetMaxOpenConns(32)
	db.SetMaxIdleConns(32)
	db.SetConnMaxLifetime(3 * time.Minute) // PlanetScale closes older ones
	db.SetConnMaxIdleTime(time.Minute)
	return db, nil
}

// CreateFile creates a missing file and its directory, accessible only by the owner.
func CreateFile(path string) error {
	if err := CheckPath(path); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return PathError(path, err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return PathError(path, err)
	}
	return PathError(path, f.Close())
}

// OpenFile opens a pool of connections to a file.
func OpenFile(path string, conns int, pragmas ...string) (*sql.DB, error) {
	db, err := OpenWith(path, url.Values{"_pragma": append([]string{"synchronous(FULL)"}, pragmas...)})
	if err == nil {
		db.SetMaxOpenConns(conns)
		db.SetMaxIdleConns(conns)
	}
	return db, err
}

// OpenWith opens a file with parameters in addition to those that every use has. SQLite's busy handler ignores the
// context and blocks the connections of the pool, so the timeout is short and the store retries. It comes first
// because the other pragmas may have to wait.
func OpenWith(path string, q url.Values) (*sql.DB, error) {
	q["_pragma"] = append([]string{"busy_timeout(1000)"}, q["_pragma"]...)
	q.Set("_txlock", "immediate")
	return sql.Open("sqlite", fileURI(path)+"?"+q.Encode())
}
