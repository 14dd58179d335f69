package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// isConnectionError reports whether a statement failed because its connection was cut, or
// because the server has none to give or is going away. What was to be written
// in a transaction was not, unless it was the commit that failed.
func isConnectionError(err error) bool {
	switch mysqlNumber(err) {
	case 1040, 1203, 1226, // too many connections: of all, of any user, of this user
		1053, 1077, 1079, 1927: // the server shuts down, the connection was killed
		return true
	}
	var network *net.OpError
	return errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, driver.ErrBadConn) || errors.As(err, &network)
}

// How often a read is tried that lost its connection, and until when: a server
// that hangs is not asked twice.
const (
	maxReadAttempts = 3
	readRetryWindow = time.Second
)

// retryDB is a pool for single statements. Each takes no longer than patience in
// all: the wait for a connection, the making of one, the statement, and its
// repetition where it can have had no effect.
type retryDB struct {
	*sql.DB
	timeout  time.Duration
	prepared *stmtCache // nil where a statement is not worth preparing, as on a server far away
}

var _ dbsqlc.DBTX = retryDB{}

// ExecContext repeats a statement that the database gave up because of others.
func (s retryDB) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var res sql.Result
	for try := 1; ; try++ {
		var err error
		res, err = s.DB.ExecContext(ctx, query, args...)
		if !isContention(err) || !backoff(ctx, try) {
			return res, err
		}
	}
}

// QueryContext asks again where the connection was lost, as QueryRowContext does.
func (s retryDB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	ctx = s.withTimeout(ctx)
	var rows *sql.Rows
	err := retryRead(ctx, func() error {
		stmt, err := s.statement(ctx, query)
		switch {
		case err != nil:
		case stmt != nil:
			rows, err = stmt.QueryContext(ctx, args...)
		default:
			rows, err = s.DB.QueryContext(ctx, query, args...)
		}
		return err
	})
	return rows, err
}

// statement returns a query's prepared statement, nil if it has none.
func (s retryDB) statement(ctx context.Context, query string) (*sql.Stmt, error) {
	if s.prepared == nil {
		return nil, nil
	}
	return s.prepared.get(ctx, query)
}

func (s retryDB) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	// One row of a file is read sooner than somebody could be told to watch whether
	// the request ends before.
	if stmt, err := s.statement(ctx, query); err == nil && stmt != nil && ctx.Err() == nil {
		return stmt.QueryRowContext(context.WithoutCancel(ctx), args...)
	}
	ctx = s.withTimeout(ctx)
	var row *sql.Row
	_ = retryRead(ctx, func() error { // the row keeps its error
		row = s.DB.QueryRowContext(ctx, query, args...)
		return row.Err()
	})
	return row
}

// withTimeout ends a read in time. Nobody can be told when its rows have been read,
// so what the bound holds is let go when the time is over or the request ends.
func (s retryDB) withTimeout(ctx context.Context) context.Context {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	_ = cancel
	return ctx
}

func retryRead(ctx context.Context, query func() error) error {
	begin := time.Now() // a stopwatch
	for try := 1; ; try++ {
		err := query()
		if err == nil || try == maxReadAttempts || !isConnectionError(err) || time.Since(begin) > readRetryWindow || !backoff(ctx, try) {
			return err
		}
	}
}

// backoff waits before the next try, longer from try to try and at random so that
// two in each other's way don't meet again; it returns false if ctx ends before.
func backoff(ctx context.Context, try int) bool {
	d := time.Duration(try) * 10 * time.Millisecond
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d + rand.N(d)):
		return true
	}
}
