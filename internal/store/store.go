// Package store implements the storage interfaces of the domain packages on MySQL (PlanetScale, MariaDB) and SQLite. It
// opens and migrates the database and converts rows and errors to the domain's.
//
// One set of queries (folder queries, compiled by sqlc) serves both engines. The differences between them are in this
// package: connections (url.go, store.go), errors (errors.go, advice.go) and locking of migrations (lease.go).
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	_ "modernc.org/sqlite" // SQLite in pure Go: the binary stays static

	"github.com/guestlist/guestlist/internal/exact"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// Store is an open database. Its methods are safe for concurrent use.
type Store struct {
	read       *sql.DB // many readers
	write      *sql.DB // the same pool as read on MySQL; one connection on SQLite, which allows one writer
	migrator   *sql.DB // on MySQL without a limit for a statement, because changing a table takes time; on SQLite without waiting for the disk
	sqlite     bool
	path       string // of an SQLite file that can be inspected before it is opened; else empty
	leaseTime  time.Duration
	database   string             // the database's name in PlanetScale's commands
	statements *dbconn.Statements // of read; nil on MySQL
	timeout    time.Duration      // for a statement outside a transaction, or a transaction, with all retries
	now        func() time.Time
	maxSorted  int // see maxSortedMatches
	maxScanned int // see maxScannedWords
	totals     countCache
	sessions   *dbconn.Batcher[session.Session] // nil on SQLite
	notices    bool                             // see WriteNotices
	observer   dbconn.Observer                  // may be nil
}

// Open opens a database given as mysql://…, a go-sql-driver DSN or sqlite:PATH. It creates a missing file and its
// directory. It doesn't wait for a MySQL server and doesn't migrate; see Migrate. The store takes the times it sets
// from now.
func Open(databaseURL string, now func() time.Time) (*Store, error) {
	if path, ok := dbconn.ParsePath(databaseURL); ok {
		return openSQLite(path, now)
	}
	cfg, err := dbconn.ParseMySQL(databaseURL)
	if err != nil {
		return nil, err
	}
	db, err := dbconn.OpenMySQL(cfg)
	if err != nil {
		return nil, err
	}
	unbounded := cfg.Clone()
	unbounded.ReadTimeout, unbounded.WriteTimeout = 0, 0
	unbounded.RejectReadOnly = false // Prepare waits until the server accepts changes, and logs it
	migrator, err := dbconn.OpenMySQL(unbounded)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := &Store{
		read: db, write: db, migrator: migrator, database: planetScaleName(cfg.DBName), timeout: cfg.ReadTimeout, now: now,
		leaseTime: leaseTime, maxSorted: maxSortedMatches, maxScanned: maxScannedWords,
	}
	s.sessions = dbconn.NewBatcher(s.timeout, s.getSessions)
	return s, nil
}

func openSQLite(path string, now func() time.Time) (*Store, error) {
	if err := dbconn.CreateFile(path); err != nil {
		return nil, err
	}
	const shared = "journal_mode(WAL)" // readers and the writer don't block each other
	// A statement's journal for undoing itself needs no file.
	write, err := dbconn.OpenFile(path, 1, shared, "temp_store(MEMORY)")
	if err != nil {
		return nil, err
	}
	read, err := dbconn.OpenFile(path, 8, shared, "query_only(1)", "cache_size(-2000)") // KiB; each takes twice that, and the system caches the file as well
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	// A migration that is lost in a power cut is applied again by the next start. The first write after it waits for the
	// disk, for both.
	migrator, err := dbconn.OpenFile(path, 1, shared, "synchronous(NORMAL)")
	if err != nil {
		return nil, errors.Join(err, write.Close(), read.Close())
	}
	migrator.SetMaxIdleConns(0)
	return &Store{
		read: read, write: write, migrator: migrator, sqlite: true, path: path, statements: dbconn.NewStatements(read), timeout: dbconn.DefaultTimeout, now: now,
		maxSorted: maxSortedMatches, maxScanned: maxScannedWords,
	}, nil
}

// Close closes all connections.
func (s *Store) Close() error {
	return errors.Join(s.read.Close(), s.write.Close(), s.migrator.Close()) // closing a pool twice is fine
}

// Ping returns an error unless the database answers and has the newest tables.
func (s *Store) Ping(ctx context.Context) error {
	_, err := read(ctx, s, (*dbsqlc.Queries).GetSetting, "admin_lock")
	return translate("ping", err)
}

// Ready returns an error unless the database answers, has the newest tables and accepts changes: a server that became a
// replica still answers reads. A busy database is ready.
func (s *Store) Ready(ctx context.Context) error {
	if err := s.Ping(ctx); err != nil {
		return err
	}
	// A read-only server or file refuses this before it looks for the row.
	err := translate("write", s.writer().DeleteSetting(ctx, "no such setting"))
	if class := fault.ClassOf(err); err != nil && class != fault.Unreachable {
		return err
	}
	return nil
}

// Reader returns a connection for reading outside a transaction. It has no timeout of its own.
func (s *Store) Reader() dbsqlc.DBTX {
	return exact.On(dbconn.Pool{DB: s.read, Timeout: s.timeout, Statements: s.statements})
}

// queries are the generated queries on a connection.
type queries struct {
	*dbsqlc.Queries
	db dbconn.DB // for statements that sqlc can't generate
}

// on returns the queries on a connection, observed.
func (s *Store) on(db dbconn.DB) queries {
	db = s.observer.On(db)
	return queries{dbsqlc.New(db), db}
}

// queries returns queries to read with outside a transaction, all within the timeout of the returned context.
func (s *Store) queries(ctx context.Context) (context.Context, queries, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	return ctx, s.on(s.Reader()), cancel
}

// read runs one query outside a transaction, within the store's timeout.
func read[A, T any](ctx context.Context, s *Store, query func(*dbsqlc.Queries, context.Context, A) (T, error), arg A) (T, error) {
	ctx, q, cancel := s.queries(ctx)
	defer cancel()
	return query(q.Queries, ctx, arg)
}

// writer returns queries for changes of one statement that need no transaction.
func (s *Store) writer() queries { return s.on(exact.On(dbconn.Pool{DB: s.write, Timeout: s.timeout})) }

// queriesTx returns queries in a transaction.
func (s *Store) queriesTx(tx *sql.Tx) queries { return s.on(exact.On(tx)) }

// Transact runs fn in a transaction and commits it if fn returns nil. If the database rolled it back because of
// another transaction (deadlock, lock wait, busy file), or the connection was lost before the commit, Transact runs fn
// again, so fn must have no effect outside tx. If the response to a commit was lost, it returns an error, and the
// commit may have taken effect. All attempts together have a timeout, after which the transaction is rolled back and
// fn's next statement fails.
func (s *Store) Transact(ctx context.Context, fn func(tx *sql.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return dbconn.Retry(ctx, 10, func(err error) bool { return dbconn.IsContention(err) || isRolledBack(err) }, func() error {
		return s.tryTx(ctx, fn)
	})
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
		err = ctx.Err() // the transaction was rolled back before the commit
	}
	if err != nil {
		return &commitError{err}
	}
	return nil
}

// commitError is an error of a commit, which may have taken effect.
type commitError struct{ error }

func (e *commitError) Error() string { return "commit: " + e.error.Error() }

func (e *commitError) Unwrap() error { return e.error }

// isRolledBack reports whether a transaction's connection was lost before the commit.
func isRolledBack(err error) bool {
	var commit *commitError
	return dbconn.IsConnectionError(err) && !errors.As(err, &commit)
}

// deleteInBatches deletes rows and returns how many. In each transaction, selectKeys returns the keys of the first
// rows and deleteKey deletes one of them. The batches are small enough for a transaction's timeout even if the
// database is far away.
func (s *Store) deleteInBatches(
	ctx context.Context, op string,
	selectKeys func(q queries, limit int32) ([]string, error), deleteKey func(q queries, key string) (int64, error),
) (int, error) {
	const batch = 100
	total := 0
	for {
		selected, deleted := 0, 0
		err := s.inTx(ctx, op, func(q queries) error {
			keys, err := selectKeys(q, batch)
			if err != nil {
				return err
			}
			selected, deleted = len(keys), 0
			for _, key := range keys {
				n, err := deleteKey(q, key)
				if err != nil {
					return err
				}
				deleted += int(n)
			}
			return nil
		})
		if err != nil {
			return total, err
		}
		if total += deleted; selected < batch {
			return total, nil
		}
	}
}
