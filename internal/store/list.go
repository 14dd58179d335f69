package store

import (
	"context"
	"slices"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// ListUsers returns one page of users and the positions of its neighbours. Its cost doesn't grow with the directory.
func (s *Store) ListUsers(ctx context.Context, query directory.Query) (directory.Page, error) {
	ctx, q, cancel := s.queries(ctx)
	defer cancel()
	page, err := s.listUsers(ctx, q, query)
	return page, translate("list users", err)
}

func (s *Store) listUsers(ctx context.Context, q queries, query directory.Query) (directory.Page, error) {
	if query.Refused {
		return listRefused(ctx, q, query)
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
	if query.After == nil && page.Next == nil && page.Prev == nil { // the only page
		page.Total = len(page.Users)
		return page, nil
	}
	total, err := s.totals.get(s.now(), filter{query.Role, query.Status}, func() (int, error) {
		return countUsers(ctx, q, query)
	})
	page.Total = min(total, directory.MaxTotal)
	page.More = total > directory.MaxTotal
	return page, err
}

// filter is a role and a status. The zero value matches all users.
type filter struct {
	role   directory.Role
	status directory.Status
}

// filterRanges returns the filters that a query's users are the union of: one for all users, or one for each role and
// status that match, because the indexes begin with both.
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

// listRanges reads the first users after a row from each of the query's filters and merges them. It returns one more than
// the limit if there is a next page.
func listRanges(ctx context.Context, q queries, query directory.Query, from *dbsqlc.User) ([]*dbsqlc.User, error) {
	order, limit, all := readOrder(query), query.Limit+1, filterRanges(query)
	if len(all) == 1 {
		return order.list(ctx, q, all[0], from, limit)
	}
	var merged []*dbsqlc.User
	for _, f := range all {
		rows, err := order.list(ctx, q, f, from, limit)
		if err != nil {
			return nil, err
		}
		merged = append(merged, rows...)
	}
	slices.SortFunc(merged, order.compare)
	return merged[:min(len(merged), limit)], nil
}

// startRow returns the row after which reading begins. It returns false if the query's position is invalid.
func startRow(query directory.Query) (*dbsqlc.User, bool) {
	if query.After == nil {
		return readOrder(query).first(), true
	}
	return orderOf(query.Sort).parse(query.After)
}
