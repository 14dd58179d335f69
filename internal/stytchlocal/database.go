package stytchlocal

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"

	"github.com/guestlist/guestlist/internal/exact"
	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// databaseError is the error of a call in the same process that failed, or waited until
// its time was over, because of the database. The local Stytch shares it with the
// program: that it fails says nothing about Stytch.
type databaseError struct{ error }

func (e databaseError) Unwrap() error { return e.error }

// DatabaseFault marks the error for package stytch, which does not know this one.
func (e databaseError) DatabaseFault() bool { return true }

// databaseUse is what a call does with the database.
type databaseUse struct {
	waiting atomic.Int32 // statements and transactions under way
	failed  atomic.Bool  // one failed by the database's fault
}

type databaseUseKey struct{}

// withDatabaseUse returns a context that notes what is done with the database in it.
func withDatabaseUse(ctx context.Context) (context.Context, *databaseUse) {
	use := &databaseUse{}
	return context.WithValue(ctx, databaseUseKey{}, use), use
}

// during notes that fn is at the database, and whether that failed.
func (s *Server) during(ctx context.Context, fn func() error) error {
	use, ok := ctx.Value(databaseUseKey{}).(*databaseUse)
	if !ok {
		return fn()
	}
	use.waiting.Add(1)
	err := fn()
	if s.isDatabaseFault(ctx, err) {
		use.failed.Store(true)
	}
	use.waiting.Add(-1)
	return err
}

// isDatabaseFault tells a fault of the database from an answer of ours, from a row that
// is missing or there already, and from a caller who went away.
func (s *Server) isDatabaseFault(ctx context.Context, err error) bool {
	if err == nil || errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	return !errors.As(err, new(*apiError)) && !errors.Is(err, errConflict) && !errors.Is(err, sql.ErrNoRows) && !s.opts.IsDuplicate(err)
}

// watchedDatabase notes the statements outside of transactions.
type watchedDatabase struct {
	exact.Database
	server *Server
}

var _ dbsqlc.DBTX = watchedDatabase{}

func (d watchedDatabase) ExecContext(ctx context.Context, query string, args ...any) (res sql.Result, err error) {
	err = d.server.during(ctx, func() error {
		res, err = d.Database.ExecContext(ctx, query, args...)
		return err
	})
	return res, err
}

func (d watchedDatabase) QueryContext(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	err = d.server.during(ctx, func() error {
		rows, err = d.Database.QueryContext(ctx, query, args...)
		return err
	})
	return rows, err
}

func (d watchedDatabase) QueryRowContext(ctx context.Context, query string, args ...any) (row *sql.Row) {
	_ = d.server.during(ctx, func() error { // the row keeps its error
		row = d.Database.QueryRowContext(ctx, query, args...)
		return row.Err()
	})
	return row
}
