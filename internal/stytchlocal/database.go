package stytchlocal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/guestlist/guestlist/internal/exact"
	"github.com/guestlist/guestlist/internal/stytchlocal/internal/dbsqlc"
)

// wrap adds the failed operation to an error. It returns nil if there is none.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", op, err)
}

// databaseError is the error of an in-process call that failed or timed out because of the
// database. The local Stytch shares the database with the program, so the error says
// nothing about Stytch.
type databaseError struct{ error }

func (e databaseError) Unwrap() error { return e.error }

// DatabaseFault marks the error for package stytch, which does not import this one.
func (e databaseError) DatabaseFault() bool { return true }

// databaseUse records how a call uses the database.
type databaseUse struct {
	pending atomic.Int32 // running statements and transactions
	failed  atomic.Bool  // one of them failed because of the database
}

type databaseUseKey struct{}

func withDatabaseUse(ctx context.Context) (context.Context, *databaseUse) {
	use := &databaseUse{}
	return context.WithValue(ctx, databaseUseKey{}, use), use
}

// observeDB runs fn, which uses the database, and records that in the context's
// databaseUse, if it has one.
func observeDB[T any](ctx context.Context, s *Server, fn func() (T, error)) (T, error) {
	use, ok := ctx.Value(databaseUseKey{}).(*databaseUse)
	if !ok {
		return fn()
	}
	use.pending.Add(1)
	defer use.pending.Add(-1)
	v, err := fn()
	if s.isDatabaseFault(ctx, err) {
		use.failed.Store(true)
	}
	return v, err
}

// isDatabaseFault distinguishes a fault of the database from an error of the API, a missing
// row, a duplicate row, and a caller who has gone.
func (s *Server) isDatabaseFault(ctx context.Context, err error) bool {
	if err == nil || errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	return !errors.As(err, new(*apiError)) && !errors.Is(err, errConflict) && !errors.Is(err, sql.ErrNoRows) && !s.opts.IsDuplicate(err)
}

// observedDB observes the statements outside of transactions.
type observedDB struct {
	exact.Database
	server *Server
}

var _ dbsqlc.DBTX = observedDB{}

func (d observedDB) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return observeDB(ctx, d.server, func() (sql.Result, error) { return d.Database.ExecContext(ctx, query, args...) })
}

func (d observedDB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return observeDB(ctx, d.server, func() (*sql.Rows, error) { return d.Database.QueryContext(ctx, query, args...) })
}

func (d observedDB) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	row, _ := observeDB(ctx, d.server, func() (*sql.Row, error) { // the row keeps its error
		row := d.Database.QueryRowContext(ctx, query, args...)
		return row, row.Err()
	})
	return row
}
