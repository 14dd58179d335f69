package dbconn

import (
	"context"
	"database/sql"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Retry calls op until it succeeds, fails with an error that repeat doesn't accept, or was called maxTries times, and
// returns op's last error. It waits between calls, longer each time and with jitter so that two callers that conflict
// don't meet again. It stops waiting when ctx ends.
func Retry(ctx context.Context, maxTries uint, repeat func(error) bool, op func() error) error {
	var last error
	try := func() (struct{}, error) {
		last = op()
		if last != nil && !repeat(last) {
			return struct{}{}, backoff.Permanent(last)
		}
		return struct{}{}, last
	}
	_, _ = backoff.Retry(ctx, try, backoff.WithMaxTries(maxTries), backoff.WithMaxElapsedTime(0), backoff.WithBackOff(&backoff.ExponentialBackOff{
		InitialInterval: 15 * time.Millisecond, RandomizationFactor: 0.3, Multiplier: 1.5, MaxInterval: 150 * time.Millisecond,
	}))
	return last
}

// A read is repeated after a lost connection, but not if it took long: a server that hangs is asked once.
const (
	maxReadTries    = 3
	readRetryWindow = time.Second
)

// Pool runs single statements and repeats those that failed and had no effect.
type Pool struct {
	*sql.DB
	Timeout    time.Duration // for a change with its repetitions; a read's timeout is its context's, which outlives the call
	Statements *Statements   // prepared statements for reads; nil if preparing doesn't pay, as on a server far away
}

// ExecContext runs a change and repeats it if the database rolled it back because of others.
func (p Pool) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	ctx, cancel := context.WithTimeout(ctx, p.Timeout)
	defer cancel()
	var res sql.Result
	err := Retry(ctx, 0, IsContention, func() (err error) {
		res, err = p.DB.ExecContext(ctx, query, args...)
		return err
	})
	return res, err
}

// QueryContext runs a read and repeats it if its connection was lost.
func (p Pool) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	stmt, err := p.Statements.get(ctx, query)
	if err != nil {
		return nil, err
	}
	if stmt != nil { // a file has no connection that can be lost
		return stmt.QueryContext(ctx, args...)
	}
	var rows *sql.Rows
	err = retryRead(ctx, func() error {
		rows, err = p.DB.QueryContext(ctx, query, args...)
		return err
	})
	return rows, err
}

// QueryRowContext runs a read of one row and repeats it if its connection was lost.
func (p Pool) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	// A row of a file is read faster than the driver could start to watch ctx.
	if stmt, err := p.Statements.get(ctx, query); err == nil && stmt != nil && ctx.Err() == nil {
		return stmt.QueryRowContext(context.WithoutCancel(ctx), args...)
	}
	var row *sql.Row
	_ = retryRead(ctx, func() error { // the row keeps its error
		row = p.DB.QueryRowContext(ctx, query, args...)
		return row.Err()
	})
	return row
}

func retryRead(ctx context.Context, query func() error) error {
	begin := time.Now() // a stopwatch
	return Retry(ctx, maxReadTries, func(err error) bool {
		return IsConnectionError(err) && time.Since(begin) <= readRetryWindow
	}, query)
}
