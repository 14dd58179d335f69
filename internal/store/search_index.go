package store

import (
	"context"
	"maps"
	"slices"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// listWords reads up to limit words that begin with a term, after a position and in either direction.
func listWords(
	ctx context.Context, q queries, term string, from *dbsqlc.UserWord, backward bool, limit int,
) ([]*dbsqlc.UserWord, error) {
	read := func(within, order dbconn.SQL, limit int, args ...any) ([]*dbsqlc.UserWord, error) {
		t := dbconn.Template{Parts: map[string]dbconn.SQL{"range": within, "order": order}, Args: args}
		return dbsqlc.New(t.On(q.db)).ListWords(ctx, int32(limit))
	}
	var words, more []*dbsqlc.UserWord
	var err error
	if backward {
		words, err = read("word = ? AND user_id < ?", "user_id DESC", limit, from.Word, from.UserID)
	} else {
		words, err = read("word = ? AND user_id > ?", "user_id", limit, from.Word, from.UserID)
	}
	if err != nil || len(words) == limit {
		return words, err
	}
	if backward {
		more, err = read("word < ? AND word >= ?", "word DESC, user_id DESC", limit-len(words), min(from.Word, term+maxRune), term)
	} else {
		more, err = read("word > ? AND word < ?", "word, user_id", limit-len(words), max(from.Word, term), term+maxRune)
	}
	return append(words, more...), err
}

// userIDs returns the ids of the users of the words, without duplicates.
func userIDs(words []*dbsqlc.UserWord) []string {
	ids := make([]string, len(words))
	for i, w := range words {
		ids[i] = w.UserID
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// firstWords returns each user's first word that begins with a term, by id, for those of the ids that have one.
func firstWords(ctx context.Context, q queries, ids []string, term string) (map[string]string, error) {
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

// matchAllTerms returns those of the ids whose users have a word for each term.
func matchAllTerms(ctx context.Context, q queries, terms, ids []string) ([]string, error) {
	for _, term := range terms {
		firsts, err := firstWords(ctx, q, ids, term)
		if err != nil {
			return nil, err
		}
		ids = slices.Collect(maps.Keys(firsts))
	}
	return ids, nil
}

// usersByID returns the users with one of the ids and the query's role and status.
func usersByID(ctx context.Context, q queries, query directory.Query, ids []string) ([]*dbsqlc.User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return q.ListUsersByID(ctx, dbsqlc.ListUsersByIDParams{Ids: ids, Role: string(query.Role), Status: string(query.Status)})
}

// keysByID is usersByID with only the ids and the sort columns set.
func keysByID(ctx context.Context, q queries, query directory.Query, ids []string) ([]*dbsqlc.User, error) {
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
