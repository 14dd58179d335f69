package store

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// IsWebhookProcessed reports whether a webhook has been noted.
func (s *Store) IsWebhookProcessed(ctx context.Context, id string) (bool, error) {
	_, err := read(ctx, s, (*dbsqlc.Queries).GetWebhook, id)
	if isNoRows(err) {
		return false, nil
	}
	return err == nil, translate("look for webhook", err)
}

// MarkWebhookProcessed notes that a webhook was heard; once more is fine.
func (s *Store) MarkWebhookProcessed(ctx context.Context, id string, at time.Time) error {
	err := s.writer().InsertWebhook(ctx, dbsqlc.InsertWebhookParams{ID: id, ReceivedAt: micros(at)})
	if IsDuplicate(err) {
		return nil
	}
	return translate("note webhook", err)
}

// DeleteWebhooks forgets webhooks that were heard before a time, and returns how
// many there were.
func (s *Store) DeleteWebhooks(ctx context.Context, before time.Time) (int, error) {
	return s.deleteInBatches(ctx, "delete webhooks", func(q queries, most int32) ([]string, error) {
		return q.OldWebhooks(ctx, dbsqlc.OldWebhooksParams{ReceivedAt: micros(before), Limit: most})
	}, func(q queries, id string) (int64, error) { return q.DeleteWebhook(ctx, id) })
}
