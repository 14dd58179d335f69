package copying

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/store/inspect"
)

// pageSize is how many rows are read, and at most written, at once.
const pageSize = 500

// row has the values of a row in the order of the table's columns. Numbers are text, which both engines accept and
// return in the same form.
type row []sql.NullString

// cursor reads a table in order of its primary key, one query per page.
type cursor struct {
	db    *store.Store
	table table
	page  []row
	last  row  // the last row read
	ended bool // there is no row after the page
}

func newCursor(db *store.Store, t table) *cursor { return &cursor{db: db, table: t} }

// peek returns the current row; found is false at the end.
func (c *cursor) peek(ctx context.Context) (r row, found bool, err error) {
	for len(c.page) == 0 && !c.ended {
		if err := c.read(ctx); err != nil {
			return nil, false, store.CopyError(c.table.name, err)
		}
	}
	if len(c.page) == 0 {
		return nil, false, nil
	}
	return c.page[0], true, nil
}

// advance moves to the next row.
func (c *cursor) advance() { c.page = c.page[1:] }

// read reads the next page. For a key of two columns it first reads the rows with the same first column and a greater
// second one, then those with a greater first one: each engine is fast with only one way to express both in one query,
// and not with the same.
func (c *cursor) read(ctx context.Context) error {
	n, after := 0, c.last
	for equalCols := c.table.keys - 1; equalCols >= 0 && n < pageSize; equalCols-- {
		got, err := c.query(ctx, after, equalCols, pageSize-n)
		if err != nil {
			return err
		}
		n += got
		if after == nil {
			break
		}
	}
	c.ended = n < pageSize
	return nil
}

// query appends up to limit rows to the page: those whose first equalCols key columns equal those of after and whose
// next one is greater, or the first rows if after is nil. It returns how many it found.
func (c *cursor) query(ctx context.Context, after row, equalCols, limit int) (int, error) {
	text := "SELECT " + strings.Join(c.table.columns, ", ") + " FROM " + c.table.name
	var args []any
	if after != nil {
		text += " WHERE "
		for i := range equalCols {
			text += c.table.columns[i] + " = ? AND "
			args = append(args, after[i])
		}
		text += c.table.columns[equalCols] + " > ?"
		args = append(args, after[equalCols])
	}
	text += " ORDER BY " + strings.Join(c.table.columns[:c.table.keys], ", ") + " LIMIT ?"
	rows, err := c.db.Reader().QueryContext(ctx, text, append(args, limit)...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		r := make(row, len(c.table.columns))
		into := make([]any, len(r))
		for i := range r {
			into[i] = &r[i]
		}
		if err := rows.Scan(into...); err != nil {
			return 0, err
		}
		c.last = r
		if c.table.name != "settings" || r[0].String != inspect.CopyMarkerKey { // the mark isn't part of the copy
			c.page = append(c.page, r)
		}
	}
	return n, rows.Err()
}

// merge calls fn with every row of a, and whether b has an equal row.
func merge(ctx context.Context, a, b *cursor, fn func(r row, both bool) error) error {
	for {
		r, found, err := a.peek(ctx)
		if err != nil || !found {
			return err
		}
		a.advance()
		other, found, err := b.peek(ctx)
		for err == nil && found && compareKeys(other, r, a.table.keys) < 0 {
			b.advance()
			other, found, err = b.peek(ctx)
		}
		if err != nil {
			return err
		}
		if err := fn(r, found && slices.Equal(other, r)); err != nil {
			return err
		}
	}
}

// compareKeys orders rows as both engines do: by bytes.
func compareKeys(a, b row, keys int) int {
	return slices.CompareFunc(a[:keys], b[:keys], func(x, y sql.NullString) int { return cmp.Compare(x.String, y.String) })
}
