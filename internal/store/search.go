package store

import (
	"context"
	"slices"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// A search is sorted and counted if one of its terms matches at most maxSortedMatches words. Any other search reads at most
// maxScannedWords words per page, because reading one costs more the longer the list; see docs/decisions/0013.
const (
	maxSortedMatches = 1000
	maxScannedWords  = 250
)

// search finds users by the beginnings of words.
func (s *Store) search(ctx context.Context, q queries, query directory.Query) (directory.Page, error) {
	// The longest first: if all match too many words to count, it is probably the rarest.
	terms := slices.SortedStableFunc(slices.Values(query.Terms), func(a, b string) int { return len(b) - len(a) })
	if query.After != nil && query.After.ByWord {
		return s.searchByWord(ctx, q, query, terms)
	}
	limit := s.maxSorted
	if query.After != nil { // users added since the first page don't end the search
		limit *= 2
	}
	rarest, words := 0, limit+1
	for i, term := range terms {
		n, err := q.CountWords(ctx, dbsqlc.CountWordsParams{Word: term, WordEnd: term + maxRune, Limit: int32(words)})
		if err != nil {
			return directory.Page{}, err
		}
		if int(n) < words {
			rarest, words = i, int(n)
		}
	}
	switch {
	case words <= limit:
		terms[0], terms[rarest] = terms[rarest], terms[0]
		return searchSorted(ctx, q, query, terms, limit)
	case query.After == nil:
		return s.searchByWord(ctx, q, query, terms)
	}
	return directory.Page{}, directory.ErrCursor
}

// searchSorted reads all users who match the first term, which has at most limit words, and sorts and counts those who
// match all.
func searchSorted(ctx context.Context, q queries, query directory.Query, terms []string, limit int) (directory.Page, error) {
	words, err := listWords(ctx, q, terms[0], &dbsqlc.UserWord{Word: terms[0]}, false, limit)
	if err != nil {
		return directory.Page{}, err
	}
	ids, err := matchAllTerms(ctx, q, terms[1:], userIDs(words))
	if err != nil {
		return directory.Page{}, err
	}
	return sortedPage(ctx, q, query, ids)
}

// listRefused returns one page of the users whose invitation email was refused. It reads them from the outbox, where
// refused jobs are few, and looks at no more than directory.MaxTotal of them.
func listRefused(ctx context.Context, q queries, query directory.Query) (directory.Page, error) {
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

// sortedPage sorts and counts, in memory, the users with one of the ids and the query's role and status, and returns the
// query's page of them.
func sortedPage(ctx context.Context, q queries, query directory.Query, ids []string) (directory.Page, error) {
	many := len(ids) > query.Limit
	read := usersByID
	if many { // the other columns are needed only for those on the page
		read = keysByID
	}
	found, err := read(ctx, q, query, ids)
	if err != nil {
		return directory.Page{}, err
	}
	total := len(found)
	from, ok := startRow(query)
	order := readOrder(query).compare
	rows := slices.DeleteFunc(found, func(row *dbsqlc.User) bool { return !ok || order(row, from) <= 0 })
	slices.SortFunc(rows, order)
	r := newReadResult(query, rows)
	if many {
		ids := make([]string, len(r.rows))
		for i, row := range r.rows {
			ids[i] = row.ID
		}
		if r.rows, err = usersByID(ctx, q, query, ids); err != nil {
			return directory.Page{}, err
		}
		slices.SortFunc(r.rows, order)
	}
	page := r.toPage(query)
	page.Total = total
	return page, nil
}

// searchByWord returns users in the order of their words that begin with the first term, each at the first of them. If
// maxScannedWords words were read, the page may be short or empty and still have a next page.
func (s *Store) searchByWord(ctx context.Context, q queries, query directory.Query, terms []string) (directory.Page, error) {
	r, err := s.readByWord(ctx, q, query, terms)
	if err != nil {
		return directory.Page{}, err
	}
	page := r.toPage(query)
	page.RelevanceOrder = true
	page.Total = len(page.Users)
	page.More = page.Next != nil || page.Prev != nil
	return page, nil
}

func (s *Store) readByWord(ctx context.Context, q queries, query directory.Query, terms []string) (readResult, error) {
	from := &dbsqlc.UserWord{Word: terms[0]}
	switch {
	case query.After != nil:
		from = &dbsqlc.UserWord{Word: query.After.Key, UserID: query.After.ID}
	case query.Backward:
		from.Word += maxRune
	}
	var r readResult
	for batch, left := 2*(query.Limit+1), s.maxScanned; left > 0; batch *= 2 {
		batch = min(batch, left)
		words, err := listWords(ctx, q, terms[0], from, query.Backward, batch)
		if err != nil {
			return r, err
		}
		found, err := usersByFirstWord(ctx, q, query, terms, words)
		if err != nil {
			return r, err
		}
		for _, w := range words {
			row, ok := found[w]
			if !ok {
				continue
			}
			if len(r.rows) == query.Limit { // there is a next page
				return r, nil
			}
			r.rows = append(r.rows, row)
			r.next = byWord(w)
			if r.first == nil {
				r.first = r.next
			}
		}
		if len(words) < batch {
			r.next = nil
			return r, nil
		}
		from = words[batch-1]
		left -= batch
	}
	r.next = byWord(from)
	return r, nil
}

func byWord(w *dbsqlc.UserWord) *directory.Keyset {
	return &directory.Keyset{Key: w.Word, ID: w.UserID, ByWord: true}
}

// usersByFirstWord returns the users who match the query and all terms, by their first word that begins with the first
// term, if it is one of words.
func usersByFirstWord(
	ctx context.Context, q queries, query directory.Query, terms []string, words []*dbsqlc.UserWord,
) (map[*dbsqlc.UserWord]*dbsqlc.User, error) {
	firsts, err := firstWords(ctx, q, userIDs(words), terms[0])
	if err != nil {
		return nil, err
	}
	words = slices.DeleteFunc(slices.Clone(words), func(w *dbsqlc.UserWord) bool { return firsts[w.UserID] != w.Word })
	ids, err := matchAllTerms(ctx, q, terms[1:], userIDs(words))
	if err != nil {
		return nil, err
	}
	users, err := usersByID(ctx, q, query, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]*dbsqlc.User, len(users))
	for _, u := range users {
		byID[u.ID] = u
	}
	found := make(map[*dbsqlc.UserWord]*dbsqlc.User, len(users))
	for _, w := range words {
		if u, ok := byID[w.UserID]; ok {
			found[w] = u
		}
	}
	return found, nil
}
