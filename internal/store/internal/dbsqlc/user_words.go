package dbsqlc

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// InsertUserWords is InsertUserWord for all words of a person in one statement:
// sqlc knows none of as many rows as there are.
func (q *Queries) InsertUserWords(ctx context.Context, userID string, words []string) error {
	return q.insertWords(ctx, map[string][]string{userID: words})
}

// ReplaceWords deletes the words of users and inserts others, by the users' ids, in
// few statements.
func (q *Queries) ReplaceWords(ctx context.Context, words map[string][]string) error {
	if len(words) == 0 {
		return nil
	}
	ids := slices.Sorted(maps.Keys(words))
	if err := q.DeleteWordsOfUsers(ctx, ids); err != nil {
		return err
	}
	return q.insertWords(ctx, words)
}

func (q *Queries) insertWords(ctx context.Context, words map[string][]string) error {
	var rows [][2]any
	for _, id := range slices.Sorted(maps.Keys(words)) {
		for _, word := range words[id] {
			rows = append(rows, [2]any{word, id})
		}
	}
	for some := range slices.Chunk(rows, 1000) {
		var values []any
		for _, row := range some {
			values = append(values, row[:]...)
		}
		text := strings.TrimSpace(insertUserWord) + strings.Repeat(", (?, ?)", len(some)-1)
		if _, err := q.db.ExecContext(ctx, text, values...); err != nil {
			return err
		}
	}
	return nil
}
