package copying

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/guestlist/guestlist/internal/store"
)

// pageSize is how many rows are read, and at most written, at once.
const pageSize = 500

// row has its values in the order of its table's columns. Numbers, too, are kept
// as their digits: both engines take them so, and write them the same.
type row []sql.NullString

// cursor reads a table in order of its primary key, page by page, each a query
// of its own.
type cursor struct {
	db    *store.Store
	table table
	page  []row
	last  row  // of all that was read
	ended bool // there is nothing behind the page
}

func newCursor(db *store.Store, t table) *cursor { return &cursor{db: db, table: t} }

// peek returns the row where the cursor is; found is false behind the last.
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

// advance moves on behind the head.
func (c *cursor) advance() { c.page = c.page[1:] }

// read reads the next page. Behind a key of two columns are first the rows with
// the same first and a later second, then those with a later first: one query
// for each, as either engine is quick with only one way to ask for both at once,
// and it is not the same.
func (c *cursor) read(ctx context.Context) error {
	n, after := 0, c.last
	for same := c.table.keys - 1; same >= 0 && n < pageSize; same-- {
		got, err := c.query(ctx, after, same, pageSize-n)
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

// query adds to the page at most so many rows that have the first keys, as many
// as same says, from after, and a later one next; from the beginning if after is
// nil. It returns how many it found.
func (c *cursor) query(ctx context.Context, after row, same, most int) (int, error) {
	text := "SELECT " + strings.Join(c.table.columns, ", ") + " FROM " + c.table.name
	var args []any
	if after != nil {
		text += " WHERE "
		for i := range same {
			text += c.table.columns[i] + " = ? AND "
			args = append(args, after[i])
		}
		text += c.table.columns[same] + " > ?"
		args = append(args, after[same])
	}
	text += " ORDER BY " + strings.Join(c.table.columns[:c.table.keys], ", ") + " LIMIT ?"
	rows, err := c.db.Reader().QueryContext(ctx, text, append(args, most)...)
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
		if c.table.name != "settings" || r[0].String != store.CopyMarkerKey { // the mark is no part of the copy
			c.page = append(c.page, r)
		}
	}
	return n, rows.Err()
}

// merge calls fn with every row of a and whether b has the very same one.
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

// compareKeys orders rows as both engines do: byte by byte.
func compareKeys(a, b row, keys int) int {
	return slices.CompareFunc(a[:keys], b[:keys], func(x, y sql.NullString) int { return cmp.Compare(x.String, y.String) })
}
