package store

import (
	"context"
	"fmt"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/identity"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// ListSigningKeys returns the keys of an algorithm, newest generation first; see identity.Store.
func (s *Store) ListSigningKeys(ctx context.Context, a identity.Algorithm, limit int) ([]identity.StoredKey, error) {
	keys := []identity.StoredKey{}
	add := func(r *dbsqlc.SigningKey) {
		keys = append(keys, identity.StoredKey{
			Algorithm: a, ID: r.ID, Generation: r.Generation, Private: r.PrivateKey, Public: r.PublicKey,
			SignsFrom: fromMicros(r.SignsFrom), CreatedAt: fromMicros(r.CreatedAt),
		})
	}
	switch a {
	case identity.ES256:
		rows, err := read(ctx, s, (*dbsqlc.Queries).ListSigningKeys, int32(limit))
		for _, r := range rows {
			add(r)
		}
		return keys, translate("list signing keys", err)
	case identity.RS256:
		rows, err := read(ctx, s, (*dbsqlc.Queries).ListRSASigningKeys, int32(limit))
		for _, r := range rows {
			add((*dbsqlc.SigningKey)(r))
		}
		return keys, translate("list signing keys", err)
	}
	return nil, unknownAlgorithm(a)
}

// AddSigningKeys inserts keys and deletes others; see identity.Store.
func (s *Store) AddSigningKeys(ctx context.Context, add, drop []identity.StoredKey, e ...event.Event) error {
	return s.inTx(ctx, "add signing keys", func(q queries) error {
		for _, k := range add {
			err := insertSigningKey(ctx, q, k)
			if IsDuplicate(err) {
				return identity.ErrGenerationTaken
			}
			if err != nil {
				return err
			}
		}
		for _, k := range drop {
			if err := deleteSigningKey(ctx, q, k); err != nil {
				return err
			}
		}
		return insertEvents(ctx, q, e...)
	})
}

func insertSigningKey(ctx context.Context, q queries, k identity.StoredKey) error {
	row := dbsqlc.InsertSigningKeyParams{
		ID: k.ID, Generation: k.Generation, PrivateKey: k.Private, PublicKey: k.Public,
		SignsFrom: micros(k.SignsFrom), CreatedAt: micros(k.CreatedAt),
	}
	switch k.Algorithm {
	case identity.ES256:
		return q.InsertSigningKey(ctx, row)
	case identity.RS256:
		return q.InsertRSASigningKey(ctx, dbsqlc.InsertRSASigningKeyParams(row))
	}
	return unknownAlgorithm(k.Algorithm)
}

// DeleteSigningKey deletes a key, if it exists.
func (s *Store) DeleteSigningKey(ctx context.Context, k identity.StoredKey) error {
	return translate("delete signing key", deleteSigningKey(ctx, s.writer(), k))
}

func deleteSigningKey(ctx context.Context, q queries, k identity.StoredKey) (err error) {
	switch k.Algorithm {
	case identity.ES256:
		_, err = q.DeleteSigningKey(ctx, k.ID)
	case identity.RS256:
		_, err = q.DeleteRSASigningKey(ctx, k.ID)
	default:
		err = unknownAlgorithm(k.Algorithm)
	}
	return err
}

func unknownAlgorithm(a identity.Algorithm) error {
	return fmt.Errorf("store: there are no signing keys of %q", string(a))
}
