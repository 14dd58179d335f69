// Package exact makes statements compare text byte by byte on every database.
//
// The collation of all tables on MySQL, MariaDB and Vitess is utf8mb4_bin. It
// distinguishes case and accents but ignores trailing spaces: 'id ' finds 'id'.
// Collations without padding are named differently on each server, and tables would
// have to be rebuilt. No stored key ends in a space, so it is enough that a value
// with a trailing space finds nothing. See docs/decisions/0036-exact-comparison.md.
package exact

import (
	"context"
	"database/sql"
	"strings"
)

// Database is the interface that generated queries use.
type Database interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// On wraps db so that its statements compare text exactly. Statements prepared with
// PrepareContext are not changed.
func On(db Database) Database { return database{db} }

type database struct{ Database }

func (d database) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return d.Database.ExecContext(ctx, query, exactArgs(query, args)...)
}

func (d database) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.Database.QueryContext(ctx, query, exactArgs(query, args)...)
}

func (d database) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return d.Database.QueryRowContext(ctx, query, exactArgs(query, args)...)
}

// absent is a character that no stored text contains.
const absent = "\uffff"

// exactArgs returns args with absent appended to each compared value that ends in a
// space. Values after WHERE are compared; those before it are written, unless the
// statement only reads: then they are compared in the condition of a join.
func exactArgs(query string, args []any) []any {
	var changed []any
	for i, arg := range args {
		text, ok := arg.(string)
		if !ok || !strings.HasSuffix(text, " ") || i < countWritten(query) {
			continue
		}
		if changed == nil {
			changed = append([]any{}, args...)
		}
		changed[i] = text + absent
	}
	if changed == nil {
		return args
	}
	return changed
}

// countWritten returns the number of parameters whose values a statement writes.
func countWritten(query string) int {
	before, _, _ := strings.Cut(query, "WHERE ")
	if !strings.Contains(before, "INSERT ") && !strings.Contains(before, "UPDATE ") {
		return 0
	}
	return strings.Count(before, "?")
}
