package store

import (
	"slices"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// stretch is what was read of a list from a place on: people up to the limit, in
// the order of reading, the place of the first, and where reading would go on,
// nil at the end.
type stretch struct {
	rows        []*dbsqlc.User
	first, rest *directory.Position
}

// read is the stretch of rows in the order of reading, of which there is one more
// than the limit if the list goes on.
func read(query directory.Query, rows []*dbsqlc.User) stretch {
	r := stretch{rows: rows[:min(len(rows), query.Limit)]}
	if len(rows) > 0 {
		r.first = position(query.Sort, rows[0])
	}
	if len(rows) > query.Limit {
		r.rest = position(query.Sort, rows[query.Limit-1])
	}
	return r
}

// page is the stretch in the order asked for. Where nobody was read, the way back
// starts where this page would have.
func (r stretch) page(query directory.Query) directory.Page {
	back := r.first
	if len(r.rows) == 0 || query.From == nil {
		back = query.From
	}
	page := directory.Page{Next: r.rest, Prev: back, Users: make([]directory.User, len(r.rows))}
	for i, row := range r.rows {
		page.Users[i] = toUser(row)
	}
	if query.Backward {
		page.Next, page.Prev = page.Prev, page.Next
		slices.Reverse(page.Users)
	}
	return page
}
