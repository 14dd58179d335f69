// Package exact makes statements compare text byte by byte on every database.
//
// The collation of all tables on MySQL, MariaDB and Vitess is utf8mb4_bin, which
// tells letters apart by case and accent, but pads with spaces: it finds 'id' by
// 'id '. The collations that do not pad have other names on each server, and
// existing tables would have to be rebuilt. No value that is looked up ends in a
// space, so it is enough that one that does finds nothing.
package exact

import (
	"context"
	"database/sql"
	"strings"
)

// Database is what generated queries run on.
type Database interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// On returns a database whose statements compare text exactly. Statements that are
// prepared by PrepareContext do not.
func On(db Database) Database { return database{db} }

type database struct{ Database }

func (d database) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return d.Database.ExecContext(ctx, query, exactly(query, args)...)
}

func (d database) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.Database.QueryContext(ctx, query, exactly(query, args)...)
}

func (d database) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return d.Database.QueryRowContext(ctx, query, exactly(query, args)...)
}

// never is a character that no stored text holds.
const never = "\uffff"

// exactly returns args with never behind each compared value that ends in a space.
// Compared is what stands behind WHERE; before it are values to be written.
func exactly(query string, args []any) []any {
	var changed []any
	for i, arg := range args {
		text, ok := arg.(string)
		if !ok || !strings.HasSuffix(text, " ") || i < written(query) {
			continue
		}
		if changed == nil {
			changed = append([]any{}, args...)
		}
		changed[i] = text + never
	}
	if changed == nil {
		return args
	}
	return changed
}

// written returns how many of a query's values stand before WHERE.
func written(query string) int {
	before, _, _ := strings.Cut(query, "WHERE ")
	return strings.Count(before, "?")
}
