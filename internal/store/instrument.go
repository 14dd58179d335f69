package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// QueryObserver is told of each statement by its name in folder queries, before, and
// returns whom to tell how it ended. That is when the first row is there; the
// others are read after.
type QueryObserver func(ctx context.Context, name string) (done func(error))

// Watch has somebody told of the store's statements from now on. It is called
// before the store is used, or not at all.
func (s *Store) Watch(w QueryObserver) { s.watch = w }

// watching is db, watched by whoever watches the store.
func (s *Store) watching(db dbsqlc.DBTX) dbsqlc.DBTX {
	if s.watch == nil {
		return db
	}
	return observedDB{db, s.watch}
}

// observedDB is a database whose statements somebody is told of.
type observedDB struct {
	dbsqlc.DBTX
	watch QueryObserver
}

func (w observedDB) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	done := w.watch(ctx, nameOf(query))
	res, err := w.DBTX.ExecContext(ctx, query, args...)
	done(err)
	return res, err
}

func (w observedDB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	done := w.watch(ctx, nameOf(query))
	rows, err := w.DBTX.QueryContext(ctx, query, args...)
	done(err)
	return rows, err
}

func (w observedDB) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	done := w.watch(ctx, nameOf(query))
	row := w.DBTX.QueryRowContext(ctx, query, args...)
	done(row.Err())
	return row
}

// nameOf returns what a query is called: sqlc puts "-- name: GetUser :one" before it.
func nameOf(query string) string {
	rest, ok := strings.CutPrefix(query, "-- name: ")
	name, _, found := strings.Cut(rest, " ")
	if !ok || !found {
		return "other"
	}
	return name
}

// Pools returns how the connections are doing: of "all" on MySQL, of those to
// "read" and to "write" on SQLite.
func (s *Store) Pools() map[string]sql.DBStats {
	if !s.sqlite {
		return map[string]sql.DBStats{"all": s.read.Stats()}
	}
	return map[string]sql.DBStats{"read": s.read.Stats(), "write": s.write.Stats()}
}

// maxCountedJobs is up to where calls are counted, so that it takes no longer than it should.
const maxCountedJobs = 100_000

// Backlog counts the calls to Stytch that wait and those that are parked, and
// returns when the oldest that waits was written; zero if none waits.
func (s *Store) Backlog(ctx context.Context) (waiting, parked int, oldest time.Time, err error) {
	q := s.queries()
	n, err := q.CountWaitingJobs(ctx, maxCountedJobs)
	if err != nil {
		return 0, 0, time.Time{}, translate("count jobs", err)
	}
	m, err := q.CountParkedJobs(ctx, maxCountedJobs)
	if err != nil {
		return 0, 0, time.Time{}, translate("count parked jobs", err)
	}
	at, err := q.OldestJob(ctx)
	if isNoRows(err) {
		err = nil
	}
	return int(n), int(m), fromMicros(at), translate("find the oldest job", err)
}
