// Package dbconn wraps database connections: each wrapper is a [DB] that changes how the generated queries run.
package dbconn

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/guestlist/guestlist/internal/exact"
)

// DB runs the generated queries. It has the methods of dbsqlc.DBTX.
type DB = exact.Database

// SQL is text of a statement. It is only made of constants in the source, never by converting a string: a test checks
// that there is no such conversion.
type SQL string

// Template fills the markers of a query in the folder queries. A marker is written
//
//	/* TEMPLATE name */ … /* END */
//
// and replaced, including the text in between, which only sqlc reads, by the part of that name. It serves queries that
// differ in what can't be a parameter, such as ORDER BY.
type Template struct {
	Parts map[string]SQL
	Args  []any // values for the placeholders in Parts; they come before the query's own
}

// On returns db with the markers filled in its row queries. Queries without markers must not run on it.
func (t Template) On(db DB) DB { return templateDB{db, t} }

type templateDB struct {
	DB
	template Template
}

func (d templateDB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return d.DB.QueryContext(ctx, d.template.fill(query), slices.Concat(d.template.Args, args)...)
}

func (t Template) fill(query string) string {
	var filled strings.Builder
	for {
		before, marker, found := strings.Cut(query, "/* TEMPLATE ")
		filled.WriteString(before)
		if !found {
			return filled.String()
		}
		name, rest, _ := strings.Cut(marker, " */")
		_, query, _ = strings.Cut(rest, "/* END */")
		filled.WriteString(string(t.Parts[name]))
	}
}
