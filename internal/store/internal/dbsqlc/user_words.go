package dbsqlc

import (
	"context"
	"strings"
)

// InsertUserWords is InsertUserWord for all words of a person in one statement:
// sqlc knows none of as many rows as there are.
func (q *Queries) InsertUserWords(ctx context.Context, userID string, words []string) error {
	if len(words) == 0 {
		return nil
	}
	values := make([]any, 0, 2*len(words))
	for _, word := range words {
		values = append(values, word, userID)
	}
	text := strings.TrimSpace(insertUserWord) + strings.Repeat(", (?, ?)", len(words)-1)
	_, err := q.db.ExecContext(ctx, text, values...)
	return err
}
