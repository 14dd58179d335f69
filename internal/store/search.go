package store

import (
	"context"
	"slices"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// A search that need not look at more words than reach is sorted as asked for and
// counted. Any other looks at no more than glance for one page, because looking at
// a word costs more the longer the list; see docs/decisions/0013.
const (
	maxSortedMatches = 1000
	maxScannedWords  = 250
)

// search finds people by the starts of words.
func (s *Store) search(ctx context.Context, q *dbsqlc.Queries, query directory.Query) (directory.Page, error) {
	// The longest first: where all are too frequent to be counted, it is likely the rarest.
	terms := slices.SortedStableFunc(slices.Values(query.Terms), func(a, b string) int { return len(b) - len(a) })
	if query.After != nil && query.After.ByWord {
		return s.searchByWord(ctx, q, query, terms)
	}
	most := s.reach
	if query.After != nil { // people who have come since the first page don't end it
		most *= 2
	}
	rarest, words := 0, most+1
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
	case words <= most:
		terms[0], terms[rarest] = terms[rarest], terms[0]
		return s.searchSorted(ctx, q, query, terms, most)
	case query.After == nil:
		return s.searchByWord(ctx, q, query, terms)
	}
	return directory.Page{}, directory.ErrCursor
}

// searchSorted reads everybody who has the first term, of which there are at
// most so many words, and sorts and counts them.
func (s *Store) searchSorted(
	ctx context.Context, q *dbsqlc.Queries, query directory.Query, terms []string, most int,
) (directory.Page, error) {
	words, err := listWords(ctx, q, terms[0], &dbsqlc.UserWord{Word: terms[0]}, false, most)
	if err != nil {
		return directory.Page{}, err
	}
	ids, err := matchAllTerms(ctx, q, terms[1:], userIDs(words))
	if err != nil {
		return directory.Page{}, err
	}
	return sortedPage(ctx, q, query, ids)
}

// sortedPage returns the page of those of the ids that the query's role and status
// let through, sorted in memory, and their total.
func sortedPage(ctx context.Context, q *dbsqlc.Queries, query directory.Query, ids []string) (directory.Page, error) {
	many := len(ids) > query.Limit
	look := usersByID
	if many { // what they are sorted by is enough of most
		look = keysByID
	}
	found, err := look(ctx, q, query, ids)
	if err != nil {
		return directory.Page{}, err
	}
	total := len(found)
	from, ok := startRow(query)
	order := compareBy(readOrder(query))
	rows := slices.DeleteFunc(found, func(row *dbsqlc.User) bool { return !ok || order(row, from) <= 0 })
	slices.SortFunc(rows, order)
	r := newReadResult(query, rows)
	if many {
		if r.rows, err = usersByID(ctx, q, query, idsOf(r.rows)); err != nil {
			return directory.Page{}, err
		}
		slices.SortFunc(r.rows, order)
	}
	page := r.toPage(query)
	page.Total = total
	return page, nil
}

func idsOf(users []*dbsqlc.User) []string {
	ids := make([]string, len(users))
	for i, u := range users {
		ids[i] = u.ID
	}
	return ids
}

// searchByWord reads people in the order of their words that begin with the first
// term, each at the first of them. A page for which enough was looked at may be
// short, or empty, and say where to go on.
func (s *Store) searchByWord(ctx context.Context, q *dbsqlc.Queries, query directory.Query, terms []string) (directory.Page, error) {
	r, err := s.readByWord(ctx, q, query, terms)
	if err != nil {
		return directory.Page{}, err
	}
	page := r.toPage(query)
	page.RelevanceOrder, page.Total = true, len(page.Users)
	page.More = page.Next != nil || page.Prev != nil
	return page, nil
}

func (s *Store) readByWord(ctx context.Context, q *dbsqlc.Queries, query directory.Query, terms []string) (readResult, error) {
	at := &dbsqlc.UserWord{Word: terms[0]}
	if query.Backward {
		at.Word = terms[0] + maxRune
	}
	if query.After != nil {
		at = &dbsqlc.UserWord{Word: query.After.Key, UserID: query.After.ID}
	}
	var r readResult
	for piece, left := 2*(query.Limit+1), s.glance; left > 0; piece *= 2 {
		piece = min(piece, left)
		words, err := listWords(ctx, q, terms[0], at, query.Backward, piece)
		if err != nil {
			return r, err
		}
		found, err := usersByFirstWord(ctx, q, query, terms, words)
		if err != nil {
			return r, err
		}
		for _, w := range words {
			row, ok := found[w]
			switch {
			case !ok:
			case len(r.rows) == query.Limit: // one more: the page ends behind the one before
				return r, nil
			default:
				r.rows, r.next = append(r.rows, row), byWord(w)
				if r.first == nil {
					r.first = r.next
				}
			}
		}
		if len(words) < piece {
			r.next = nil
			return r, nil
		}
		at, left = words[piece-1], left-piece
	}
	r.next = byWord(at)
	return r, nil
}

func byWord(w *dbsqlc.UserWord) *directory.Keyset {
	return &directory.Keyset{Key: w.Word, ID: w.UserID, ByWord: true}
}

// usersByFirstWord returns those whose first word, of those that begin with the
// first term, is among the words given, and whom the query lets through.
func usersByFirstWord(
	ctx context.Context, q *dbsqlc.Queries, query directory.Query, terms []string, words []*dbsqlc.UserWord,
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
