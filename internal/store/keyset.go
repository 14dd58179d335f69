package store

import (
	"slices"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// readResult is what was read for a page, in read order. first is the position of the first row; next is where reading
// would continue, nil at the end.
type readResult struct {
	rows        []*dbsqlc.User
	first, next *directory.Keyset
}

// newReadResult returns the result for rows, of which there is one more than the limit if there is a next page.
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

// toPage returns the page in the requested order. If it is empty, its previous page ends where the page itself would
// have started.
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
