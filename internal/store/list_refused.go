package store

import (
	"context"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// listRefused returns one page of the users whose invitation email was refused. It
// reads them from the outbox, where refused jobs are few, and looks at no more than
// directory.MaxTotal of them.
func (s *Store) listRefused(ctx context.Context, q *dbsqlc.Queries, query directory.Query) (directory.Page, error) {
	ids, err := q.ListRefusedInvites(ctx, directory.MaxTotal+1)
	if err != nil {
		return directory.Page{}, err
	}
	more := len(ids) > directory.MaxTotal
	ids, err = matchAllTerms(ctx, q, query.Terms, ids[:min(len(ids), directory.MaxTotal)])
	if err != nil {
		return directory.Page{}, err
	}
	page, err := sortedPage(ctx, q, query, ids)
	page.More = more
	return page, err
}
