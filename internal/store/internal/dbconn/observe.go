package dbconn

import (
	"context"
	"database/sql"
	"strings"
)

// Observer is called before each statement with its name in the folder queries. It returns a function that is called with
// the result; a read's is known when its first row is.
type Observer func(ctx context.Context, name string) (done func(error))

// On returns db with its statements observed. A nil Observer returns db itself.
func (o Observer) On(db DB) DB {
	if o == nil {
		return db
	}
	return observedDB{db, o}
}

type observedDB struct {
	DB
	observe Observer
}

func (d observedDB) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	done := d.observe(ctx, queryName(query))
	res, err := d.DB.ExecContext(ctx, query, args...)
	done(err)
	return res, err
}

func (d observedDB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	done := d.observe(ctx, queryName(query))
	rows, err := d.DB.QueryContext(ctx, query, args...)
	done(err)
	return rows, err
}

func (d observedDB) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	done := d.observe(ctx, queryName(query))
	row := d.DB.QueryRowContext(ctx, query, args...)
	done(row.Err())
	return row
}

// queryName returns the name in the comment that sqlc puts first: "-- name: GetUser :one".
func queryName(query string) string {
	rest, ok := strings.CutPrefix(query, "-- name: ")
	name, _, found := strings.Cut(rest, " ")
	if !ok || !found {
		return "other"
	}
	return name
}
