package store

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/idempotency"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// ClaimKey starts a request with an idempotency key; see idempotency.Store.
func (s *Store) ClaimKey(ctx context.Context, c idempotency.Claim, now time.Time) (idempotency.Result, error) {
	for {
		err := s.writer().InsertIdempotencyKey(ctx, dbsqlc.InsertIdempotencyKeyParams{
			ID: c.ID, Fingerprint: c.Fingerprint, Lease: c.Lease, LeasedUntil: micros(now.Add(idempotency.Lease)),
			ExpiresAt: micros(now.Add(idempotency.Retention)),
		})
		if !IsDuplicate(err) {
			return idempotency.Result{}, translate("claim key", err)
		}
		row, err := read(ctx, s, (*dbsqlc.Queries).GetIdempotencyKey, c.ID)
		if dbconn.IsNoRows(err) {
			continue
		}
		if err != nil {
			return idempotency.Result{}, translate("claim key", err)
		}
		found, again, err := s.reclaimKey(ctx, c, row, now)
		if !again || err != nil {
			return found, translate("claim key", err)
		}
	}
}

// reclaimKey handles a key that exists. again is true if the key has changed since it was read.
func (s *Store) reclaimKey(ctx context.Context, c idempotency.Claim, row *dbsqlc.IdempotencyKey, now time.Time) (found idempotency.Result, again bool, err error) {
	switch {
	case row.ExpiresAt <= micros(now):
		_, err = s.writer().DropIdempotencyKey(ctx, dbsqlc.DropIdempotencyKeyParams{ID: row.ID, Lease: row.Lease})
		return found, true, err
	case row.Fingerprint != c.Fingerprint:
		return found, false, idempotency.ErrReused
	case row.Status != 0:
		found.Answer = idempotency.Response{Status: int(row.Status), Location: row.Location, Body: row.Answer}
		return found, false, nil
	case row.LeasedUntil > micros(now):
		return found, false, idempotency.ErrInProgress
	}
	n, err := s.writer().LeaseIdempotencyKey(ctx, dbsqlc.LeaseIdempotencyKeyParams{
		ID: row.ID, Lease: c.Lease, LeaseEnd: micros(now.Add(idempotency.Lease)), Was: row.Lease, UserID: row.UserID,
	})
	found.UserID = row.UserID
	return found, n == 0, err
}

// linkKey records, in the transaction of a request's work, the user it was about. If another request has taken the
// key, the transaction fails.
func linkKey(ctx context.Context, q queries, c idempotency.Claim, userID string) error {
	if c.ID == "" {
		return nil
	}
	n, err := q.MarkIdempotencyKey(ctx, dbsqlc.MarkIdempotencyKeyParams{UserID: userID, ID: c.ID, Lease: c.Lease})
	return requireOneRow(n, err, idempotency.ErrInProgress)
}

// SaveResponse ends a request with a response.
func (s *Store) SaveResponse(ctx context.Context, c idempotency.Claim, a idempotency.Response) error {
	_, err := s.writer().AnswerIdempotencyKey(ctx, dbsqlc.AnswerIdempotencyKeyParams{
		Status: int64(a.Status), Location: a.Location, Answer: a.Body, ID: c.ID, Lease: c.Lease,
	})
	return translate("save response", err)
}

// ReleaseKey ends a request without a response.
func (s *Store) ReleaseKey(ctx context.Context, c idempotency.Claim) error {
	_, err := s.writer().ReleaseIdempotencyKey(ctx, dbsqlc.ReleaseIdempotencyKeyParams{ID: c.ID, Lease: c.Lease})
	return translate("release key", err)
}

// ResetKey makes a request's key unused.
func (s *Store) ResetKey(ctx context.Context, c idempotency.Claim) error {
	_, err := s.writer().DropIdempotencyKey(ctx, dbsqlc.DropIdempotencyKeyParams{ID: c.ID, Lease: c.Lease})
	return translate("reset key", err)
}

// DeleteKeys deletes expired keys and returns how many.
func (s *Store) DeleteKeys(ctx context.Context, now time.Time) (int, error) {
	return s.deleteInBatches(ctx, "delete keys", func(q queries, limit int32) ([]string, error) {
		return q.OldIdempotencyKeys(ctx, dbsqlc.OldIdempotencyKeysParams{ExpiresAt: micros(now), Limit: limit})
	}, func(q queries, id string) (int64, error) {
		return q.DeleteIdempotencyKey(ctx, dbsqlc.DeleteIdempotencyKeyParams{ID: id, ExpiresAt: micros(now)})
	})
}
