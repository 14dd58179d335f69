package store

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// CreateCodeRequest replaces the code request of a requester; see session.Store. It needs no
// transaction: on MySQL, two that update missing rows before they insert them would deadlock.
func (s *Store) CreateCodeRequest(ctx context.Context, c session.CodeRequest) error {
	for {
		n, err := s.writer().ReplaceEmailCode(ctx, dbsqlc.ReplaceEmailCodeParams{
			RequestHash: c.Hash, CreatedAt: micros(c.CreatedAt), ExpiresAt: micros(c.ExpiresAt), RequesterHash: c.Requester,
		})
		if err != nil || n > 0 {
			return translate("create code request", err)
		}
		err = s.writer().InsertEmailCode(ctx, dbsqlc.InsertEmailCodeParams{
			RequesterHash: c.Requester, RequestHash: c.Hash, CreatedAt: micros(c.CreatedAt), ExpiresAt: micros(c.ExpiresAt),
		})
		if !IsDuplicate(err) { // else there is another request at the same time, which this one then replaces
			return translate("create code request", err)
		}
	}
}

// SaveCodeSent records that the code of a request was sent; see session.Store.
func (s *Store) SaveCodeSent(ctx context.Context, requestHash, methodID string) error {
	_, err := s.writer().SetEmailCodeSent(ctx, dbsqlc.SetEmailCodeSentParams{MethodID: methodID, RequestHash: requestHash})
	return translate("save code sent", err)
}

// TryCode counts a try of a code; see session.Store.
func (s *Store) TryCode(ctx context.Context, requestHash string, maxTries int, now time.Time) (session.CodeRequest, error) {
	var found session.CodeRequest
	err := s.inTx(ctx, "try code", func(q queries) error {
		n, err := q.TryEmailCode(ctx, dbsqlc.TryEmailCodeParams{RequestHash: requestHash, MaxTries: int64(maxTries), Now: micros(now)})
		if err := requireOneRow(n, err, session.ErrCodeSpent); err != nil {
			return err
		}
		row, err := q.GetEmailCode(ctx, requestHash)
		if dbconn.IsNoRows(err) {
			return session.ErrCodeSpent
		}
		if err != nil {
			return err
		}
		found = session.CodeRequest{
			Requester: row.RequesterHash, Hash: row.RequestHash, MethodID: row.MethodID, Tries: int(row.Tries),
			CreatedAt: fromMicros(row.CreatedAt), ExpiresAt: fromMicros(row.ExpiresAt),
		}
		return nil
	})
	return found, err
}

// ReturnCodeTry takes back a try; see session.Store.
func (s *Store) ReturnCodeTry(ctx context.Context, requestHash string) error {
	_, err := s.writer().ReturnEmailCodeTry(ctx, requestHash)
	return translate("return code try", err)
}

// DropCodeRequest deletes a code request.
func (s *Store) DropCodeRequest(ctx context.Context, requestHash string) error {
	_, err := s.writer().DeleteEmailCode(ctx, requestHash)
	return translate("drop code request", err)
}

// DeleteExpiredCodes deletes expired code requests. It is housekeeping: expiry is checked on every use.
func (s *Store) DeleteExpiredCodes(ctx context.Context, now time.Time) (int, error) {
	return s.deleteInBatches(ctx, "delete expired codes", func(q queries, limit int32) ([]string, error) {
		return q.ExpiredEmailCodes(ctx, dbsqlc.ExpiredEmailCodesParams{ExpiresAt: micros(now), Limit: limit})
	}, func(q queries, requester string) (int64, error) {
		return q.DeleteExpiredEmailCode(ctx, dbsqlc.DeleteExpiredEmailCodeParams{RequesterHash: requester, ExpiresAt: micros(now)})
	})
}
