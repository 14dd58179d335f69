package store

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// CreateCodeRequest replaces the code request of an address; see session.Store.
func (s *Store) CreateCodeRequest(ctx context.Context, c session.CodeRequest) error {
	for {
		err := s.inTx(ctx, "create code request", func(q queries) error {
			if _, err := q.DeleteEmailCode(ctx, c.Email); err != nil {
				return err
			}
			return q.InsertEmailCode(ctx, dbsqlc.InsertEmailCodeParams{
				EmailKey: c.Email, RequestHash: c.Hash, CreatedAt: micros(c.CreatedAt), ExpiresAt: micros(c.ExpiresAt),
			})
		})
		if !IsDuplicate(err) { // else there is another request at the same time, which this one then replaces
			return err
		}
	}
}

// SaveCodeSent records that the code of a request was sent; see session.Store.
func (s *Store) SaveCodeSent(ctx context.Context, email, requestHash, methodID string) error {
	_, err := s.writer().SetEmailCodeSent(ctx, dbsqlc.SetEmailCodeSentParams{MethodID: methodID, EmailKey: email, RequestHash: requestHash})
	return translate("save code sent", err)
}

// TryCode counts a try of a code; see session.Store.
func (s *Store) TryCode(ctx context.Context, email, requestHash string, maxTries int, now time.Time) (session.CodeRequest, error) {
	var found session.CodeRequest
	err := s.inTx(ctx, "try code", func(q queries) error {
		n, err := q.TryEmailCode(ctx, dbsqlc.TryEmailCodeParams{
			EmailKey: email, RequestHash: requestHash, MaxTries: int64(maxTries), Now: micros(now),
		})
		if err := requireOneRow(n, err, session.ErrCodeSpent); err != nil {
			return err
		}
		row, err := q.GetEmailCode(ctx, email)
		if dbconn.IsNoRows(err) {
			return session.ErrCodeSpent
		}
		if err != nil {
			return err
		}
		found = session.CodeRequest{
			Email: row.EmailKey, Hash: row.RequestHash, MethodID: row.MethodID, Tries: int(row.Tries),
			CreatedAt: fromMicros(row.CreatedAt), ExpiresAt: fromMicros(row.ExpiresAt),
		}
		return nil
	})
	return found, err
}

// DropCodeRequest deletes the code request of an address.
func (s *Store) DropCodeRequest(ctx context.Context, email string) error {
	_, err := s.writer().DeleteEmailCode(ctx, email)
	return translate("drop code request", err)
}

// DeleteExpiredCodes deletes expired code requests. It is housekeeping: expiry is checked on every use.
func (s *Store) DeleteExpiredCodes(ctx context.Context, now time.Time) (int, error) {
	return s.deleteInBatches(ctx, "delete expired codes", func(q queries, limit int32) ([]string, error) {
		return q.ExpiredEmailCodes(ctx, dbsqlc.ExpiredEmailCodesParams{ExpiresAt: micros(now), Limit: limit})
	}, func(q queries, email string) (int64, error) {
		return q.DeleteExpiredEmailCode(ctx, dbsqlc.DeleteExpiredEmailCodeParams{EmailKey: email, ExpiresAt: micros(now)})
	})
}
