// Package store keeps the directory, its sessions and its outbox in MySQL
// (PlanetScale, MariaDB) or in an SQLite file: it opens the database, migrates
// it, maps rows to the types of packages directory, session and outbox, and
// driver errors to theirs.
//
// One set of queries (folder queries, compiled by sqlc) serves both engines.
// What differs between them is here: how to connect (url.go, store.go), how an
// error looks (errors.go), how migrations are locked (migrate.go).
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "modernc.org/sqlite" // SQLite in pure Go: the binary stays static

	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// Store is an open database. Its methods may be called by many goroutines.
type Store struct {
	read   *sql.DB // many readers
	write  *sql.DB // the same pool on MySQL; one connection on SQLite, which has one writer
	sqlite bool
	now    func() time.Time
}

// Open connects to a database given as mysql://…, a go-sql-driver DSN or
// sqlite:PATH; the file and its folder are made if missing. It does not wait
// for a MySQL server to answer and migrates nothing: see Migrate. The clock is
// the one whose times the store writes by itself.
func Open(databaseURL string, now func() time.Time) (*Store, error) {
	if path, ok := parsePath(databaseURL); ok {
		return openSQLite(path, now)
	}
	cfg, err := parseMySQL(databaseURL)
	if err != nil {
		return nil, err
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(32)
	db.SetMaxIdleConns(32)
	db.SetConnMaxLifetime(3 * time.Minute) // PlanetScale closes older ones by itself
	db.SetConnMaxIdleTime(time.Minute)
	return &Store{read: db, write: db, now: now}, nil
}

func openSQLite(path string, now func() time.Time) (*Store, error) {
	if path == "" || strings.ContainsAny(path, "?#") {
		return nil, errors.New("sqlite: needs the path of a file, without ? and #")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	// Made here so that nobody else on the machine can read it.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	open := func(conns int, extra ...string) (*sql.DB, error) {
		q := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)"}, "_txlock": {"immediate"}}
		q["_pragma"] = append(q["_pragma"], extra...)
		db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
		if err == nil {
			db.SetMaxOpenConns(conns)
			db.SetMaxIdleConns(conns)
		}
		return db, err
	}
	write, err := open(1)
	if err != nil {
		return nil, err
	}
	read, err := open(8, "query_only(1)")
	if err != nil {
		return nil, err
	}
	return &Store{read: read, write: write, sqlite: true, now: now}, nil
}

// Close closes all connections.
func (s *Store) Close() error {
	if s.read == s.write {
		return s.read.Close()
	}
	return errors.Join(s.read.Close(), s.write.Close())
}

// Ping reports whether the database answers and holds the newest tables.
func (s *Store) Ping(ctx context.Context) error {
	_, err := s.queries().GetSetting(ctx, "admin_lock")
	return translate("ping", err)
}

// Reader is the pool to read from outside a transaction.
func (s *Store) Reader() *sql.DB { return s.read }

func (s *Store) queries() *dbsqlc.Queries { return dbsqlc.New(s.read) }

// InTx runs fn in a transaction and commits it if fn returns nil. Where the
// database gave up the transaction because of others (deadlock, lock wait, busy
// file), it is run again, so fn must have no effect but on tx. An error of the
// commit is returned as it is: whether it took effect is not known then.
func (s *Store) InTx(ctx context.Context, fn func(tx *sql.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := s.tryTx(ctx, fn)
		if err == nil || attempt == 10 || !isContention(err) {
			return err
		}
		pause := time.Duration(attempt) * 10 * time.Millisecond
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause + rand.N(pause)):
		}
	}
}

func (s *Store) tryTx(ctx context.Context, fn func(tx *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() // after a commit, this does nothing
	if err := fn(tx); err != nil {
		return err
	}
	err = tx.Commit()
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		err = ctx.Err() // the cancelled call was rolled back before the commit
	}
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}
