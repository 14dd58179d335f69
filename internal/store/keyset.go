package store

import (
	"slices"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// readResult is what was read of a list from a place on: people up to the limit, in
// the order of reading, the place of the first, and where reading would go on,
// nil at the end.
type readResult struct {
	rows        []*dbsqlc.User
	first, next *directory.Keyset
}

// newReadResult is the stretch of rows in the order of reading, of which there is one more
// than the limit if the list goes on.
func newReadResult(query directory.Query, rows []*dbsqlc.User) readResult {
	r := readResult{rows: rows[:min(len(rows), query.Limit)]}
	if len(rows) > 0 {
		r.first = orderOf(query.Sort).keyset(rows[0])
	}
	if len(rows) > query.Limit {
		r.next = orderOf(query.Sort).keyset(rows[query.Limit-1])
	}
	return r
}

// toPage is the stretch in the order asked for. Where nobody was read, the way back
// starts where this page would have.
func (r readResult) toPage(query directory.Query) directory.Page {
	back := r.first
	if len(r.rows) == 0 || query.After == nil {
		back = query.After
	}
	page := directory.Page{Next: r.next, Prev: back, Users: make([]directory.User, len(r.rows))}
	for i, row := range r.rows {
		page.Users[i] = toUser(row)
	}
	if query.Backward {
		page.Next, page.Prev = page.Prev, page.Next
		slices.Reverse(page.Users)
	}
	return page
}
