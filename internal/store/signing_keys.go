package store

import (
	"context"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// ListSigningKeys returns the keys that sign identities, newest generation first; see identity.Store.
func (s *Store) ListSigningKeys(ctx context.Context, limit int) ([]identity.StoredKey, error) {
	rows, err := read(ctx, s, (*dbsqlc.Queries).ListSigningKeys, int32(limit))
	keys := make([]identity.StoredKey, len(rows))
	for i, r := range rows {
		keys[i] = identity.StoredKey{
			ID: r.ID, Generation: r.Generation, Private: r.PrivateKey, Public: r.PublicKey,
			SignsFrom: fromMicros(r.SignsFrom), CreatedAt: fromMicros(r.CreatedAt),
		}
	}
	return keys, translate("list signing keys", err)
}

// AddSigningKey inserts a key and deletes others; see identity.Store.
func (s *Store) AddSigningKey(ctx context.Context, k identity.StoredKey, drop []string, e event.Event) error {
	return s.inTx(ctx, "add signing key", func(q queries) error {
		err := q.InsertSigningKey(ctx, dbsqlc.InsertSigningKeyParams{
			ID: k.ID, Generation: k.Generation, PrivateKey: k.Private, PublicKey: k.Public,
			SignsFrom: micros(k.SignsFrom), CreatedAt: micros(k.CreatedAt),
		})
		if IsDuplicate(err) {
			return identity.ErrGenerationTaken
		}
		if err != nil {
			return err
		}
		for _, id := range drop {
			if _, err := q.DeleteSigningKey(ctx, id); err != nil {
				return err
			}
		}
		return insertEvents(ctx, q, e)
	})
}

// DeleteSigningKey deletes a key, if it exists.
func (s *Store) DeleteSigningKey(ctx context.Context, id string) error {
	_, err := s.writer().DeleteSigningKey(ctx, id)
	return translate("delete signing key", err)
}
