package store

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// maxRune is the greatest character; behind sorts behind every name, also behind
// one of such characters, and behind every address and id.
const maxRune = "\U0010FFFF"

var maxKey = strings.Repeat(maxRune, directory.MaxName+1)

// ListUsers returns one page of people and where its neighbours start. What it
// costs does not grow with the list.
func (s *Store) ListUsers(ctx context.Context, query directory.Query) (directory.Page, error) {
	page, err := s.listUsers(ctx, s.queries(), query)
	return page, translate("list users", err)
}

func (s *Store) listUsers(ctx context.Context, q *dbsqlc.Queries, query directory.Query) (directory.Page, error) {
	if query.Refused {
		return s.listRefused(ctx, q, query)
	}
	if len(query.Terms) > 0 {
		return s.search(ctx, q, query)
	}
	var rows []*dbsqlc.User
	if from, ok := startRow(query); ok {
		var err error
		if rows, err = listRanges(ctx, q, query, from); err != nil {
			return directory.Page{}, err
		}
	}
	page := newReadResult(query, rows).toPage(query)
	if query.After == nil && page.Next == nil && page.Prev == nil { // nobody is on another page
		page.Total = len(page.Users)
		return page, nil
	}
	total, err := s.totals.get(s.now(), filter{query.Role, query.Status}, func() (int, error) { return countUsers(ctx, q, query) })
	page.Total, page.More = min(total, directory.MaxTotal), total > directory.MaxTotal
	return page, err
}

// filter is a role and a status; empty is any.
type filter struct {
	role   directory.Role
	status directory.Status
}

// filterRanges are what the people of a query are made of: everybody, or each role
// and status that it lets through, because an index leads to no less than both.
func filterRanges(query directory.Query) []filter {
	if query.Role == "" && query.Status == "" {
		return []filter{{}}
	}
	roles, statuses := []directory.Role{query.Role}, []directory.Status{query.Status}
	if query.Role == "" {
		roles = []directory.Role{directory.Admin, directory.Member}
	}
	if query.Status == "" {
		statuses = []directory.Status{directory.Invited, directory.Active, directory.Suspended}
	}
	var all []filter
	for _, role := range roles {
		for _, status := range statuses {
			all = append(all, filter{role, status})
		}
	}
	return all
}

// listRanges reads the first people behind a place from each of the query's
// filters and merges them; one more than the limit, to know whether there are more.
func listRanges(ctx context.Context, q *dbsqlc.Queries, query directory.Query, from *dbsqlc.User) ([]*dbsqlc.User, error) {
	order, limit, all := readOrder(query), query.Limit+1, filterRanges(query)
	if len(all) == 1 {
		return listRange(ctx, q, order, all[0], from, limit)
	}
	var merged []*dbsqlc.User
	for _, f := range all {
		rows, err := listRange(ctx, q, order, f, from, limit)
		if err != nil {
			return nil, err
		}
		merged = append(merged, rows...)
	}
	slices.SortFunc(merged, compareBy(order))
	return merged[:min(len(merged), limit)], nil
}

// listRange reads the first people behind a place whom one filter lets through.
func listRange(
	ctx context.Context, q *dbsqlc.Queries, order directory.Sort, f filter, from *dbsqlc.User, limit int,
) ([]*dbsqlc.User, error) {
	if order.Column() != directory.ByLastSeen || from.LastSeenAt != 0 {
		return listAfter(ctx, q, order, f, from, limit)
	}
	never, err := listNeverSeen(ctx, q, order.Descending(), f, from, limit)
	if err != nil || len(never) == limit || order.Descending() { // in which they are the last
		return never, err
	}
	seen, err := listAfter(ctx, q, order, f, &dbsqlc.User{LastSeenAt: 1}, limit-len(never))
	return append(never, seen...), err
}

// readOrder is the order in which a query's page is read: a page backward is read
// in the other direction and turned round.
func readOrder(query directory.Query) directory.Sort {
	if query.Backward {
		return query.Sort.Reverse()
	}
	return query.Sort
}

// startRow is where reading begins, as a row: that of the query's position, or one
// before all there are. It returns false for a position that somebody made up.
func startRow(query directory.Query) (*dbsqlc.User, bool) {
	if query.After == nil {
		if readOrder(query).Descending() {
			return &dbsqlc.User{NameKey: maxKey, EmailKey: maxKey, CreatedAt: math.MaxInt64, LastSeenAt: math.MaxInt64}, true
		}
		return &dbsqlc.User{CreatedAt: -1, LastSeenAt: -1}, true
	}
	var err error
	row := &dbsqlc.User{ID: query.After.ID}
	switch query.Sort.Column() {
	case directory.ByName:
		row.NameKey = query.After.Key
	case directory.ByEmail:
		row.EmailKey = query.After.Key
	case directory.ByCreated:
		row.CreatedAt, err = strconv.ParseInt(query.After.Key, 10, 64)
	case directory.ByLastSeen:
		row.LastSeenAt, err = strconv.ParseInt(query.After.Key, 10, 64)
	}
	return row, err == nil
}

// keysetOf is the place behind a row, in either direction.
func keysetOf(sort directory.Sort, r *dbsqlc.User) *directory.Keyset {
	p := &directory.Keyset{ID: r.ID}
	switch sort.Column() {
	case directory.ByName:
		p.Key = r.NameKey
	case directory.ByEmail:
		p.Key = r.EmailKey
	case directory.ByCreated:
		p.Key = strconv.FormatInt(r.CreatedAt, 10)
	case directory.ByLastSeen:
		p.Key = strconv.FormatInt(r.LastSeenAt, 10)
	}
	return p
}

// compareBy compares rows as the database does, whose collation is by bytes.
func compareBy(order directory.Sort) func(a, b *dbsqlc.User) int {
	return func(a, b *dbsqlc.User) int {
		if order.Descending() {
			a, b = b, a
		}
		c := 0
		switch order.Column() {
		case directory.ByName:
			c = cmp.Compare(a.NameKey, b.NameKey)
		case directory.ByEmail:
			return cmp.Compare(a.EmailKey, b.EmailKey)
		case directory.ByCreated:
			c = cmp.Compare(a.CreatedAt, b.CreatedAt)
		case directory.ByLastSeen:
			c = cmp.Compare(a.LastSeenAt, b.LastSeenAt)
		}
		return cmp.Or(c, cmp.Compare(a.ID, b.ID))
	}
}
