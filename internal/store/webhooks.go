package store

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// IsWebhookProcessed reports whether a webhook was processed.
func (s *Store) IsWebhookProcessed(ctx context.Context, id string) (bool, error) {
	_, err := read(ctx, s, (*dbsqlc.Queries).GetWebhook, id)
	if dbconn.IsNoRows(err) {
		return false, nil
	}
	return err == nil, translate("find webhook", err)
}

// MarkWebhookProcessed records that a webhook was processed. It may be called again.
func (s *Store) MarkWebhookProcessed(ctx context.Context, id string, at time.Time) error {
	err := s.writer().InsertWebhook(ctx, dbsqlc.InsertWebhookParams{ID: id, ReceivedAt: micros(at)})
	if IsDuplicate(err) {
		return nil
	}
	return translate("record webhook", err)
}

// DeleteWebhooks deletes the records of webhooks received before a time and returns how many.
func (s *Store) DeleteWebhooks(ctx context.Context, before time.Time) (int, error) {
	return s.deleteInBatches(ctx, "delete webhooks", func(q queries, limit int32) ([]string, error) {
		return q.OldWebhooks(ctx, dbsqlc.OldWebhooksParams{ReceivedAt: micros(before), Limit: limit})
	}, func(q queries, id string) (int64, error) { return q.DeleteWebhook(ctx, id) })
}
