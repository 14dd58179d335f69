package store

import (
	"context"
	"maps"
	"slices"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// listWords reads words that begin with a term, from a place on and in either
// direction, up to a limit.
func listWords(
	ctx context.Context, q *dbsqlc.Queries, term string, from *dbsqlc.UserWord, backward bool, limit int,
) ([]*dbsqlc.UserWord, error) {
	same, behind := q.ListSameWord, func(n int32) ([]*dbsqlc.UserWord, error) {
		return q.ListWords(ctx, dbsqlc.ListWordsParams{Word: max(from.Word, term), WordEnd: term + maxRune, Limit: n})
	}
	if backward {
		same = func(ctx context.Context, p dbsqlc.ListSameWordParams) ([]*dbsqlc.UserWord, error) {
			return q.ListSameWordDesc(ctx, dbsqlc.ListSameWordDescParams(p))
		}
		behind = func(n int32) ([]*dbsqlc.UserWord, error) {
			return q.ListWordsDesc(ctx, dbsqlc.ListWordsDescParams{Word: min(from.Word, term+maxRune), WordStart: term, Limit: n})
		}
	}
	words, err := same(ctx, dbsqlc.ListSameWordParams{Word: from.Word, UserID: from.UserID, Limit: int32(limit)})
	if err != nil || len(words) == limit {
		return words, err
	}
	more, err := behind(int32(limit - len(words)))
	return append(words, more...), err
}

// userIDs are the ids of those who have the words, each once.
func userIDs(words []*dbsqlc.UserWord) []string {
	ids := make([]string, len(words))
	for i, w := range words {
		ids[i] = w.UserID
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// firstWords returns the first of the words that begin with a term, by the ids of
// those who have one.
func firstWords(ctx context.Context, q *dbsqlc.Queries, ids []string, term string) (map[string]string, error) {
	firsts := make(map[string]string, len(ids))
	if len(ids) == 0 {
		return firsts, nil
	}
	rows, err := q.ListWordsOfUsers(ctx, dbsqlc.ListWordsOfUsersParams{Ids: ids, Word: term, WordEnd: term + maxRune})
	for _, r := range rows {
		if word, ok := firsts[r.UserID]; !ok || r.Word < word {
			firsts[r.UserID] = r.Word
		}
	}
	return firsts, err
}

// matchAllTerms returns those of the ids who have all of the terms.
func matchAllTerms(ctx context.Context, q *dbsqlc.Queries, terms, ids []string) ([]string, error) {
	for _, term := range terms {
		firsts, err := firstWords(ctx, q, ids, term)
		if err != nil {
			return nil, err
		}
		ids = slices.Collect(maps.Keys(firsts))
	}
	return ids, nil
}

// usersByID returns those of the ids whom the query's filters let through.
func usersByID(ctx context.Context, q *dbsqlc.Queries, query directory.Query, ids []string) ([]*dbsqlc.User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return q.ListUsersByID(ctx, dbsqlc.ListUsersByIDParams{Ids: ids, Role: string(query.Role), Status: string(query.Status)})
}

// keysByID is usersByID, with no more of each than what the list may be sorted by.
func keysByID(ctx context.Context, q *dbsqlc.Queries, query directory.Query, ids []string) ([]*dbsqlc.User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	keys, err := q.ListUserKeys(ctx, dbsqlc.ListUserKeysParams{Ids: ids, Role: string(query.Role), Status: string(query.Status)})
	users := make([]*dbsqlc.User, len(keys))
	for i, k := range keys {
		users[i] = &dbsqlc.User{ID: k.ID, NameKey: k.NameKey, EmailKey: k.EmailKey, CreatedAt: k.CreatedAt, LastSeenAt: k.LastSeenAt}
	}
	return users, err
}
