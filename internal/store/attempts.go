package store

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// ClaimAttempt starts a sign-in attempt; see session.Store.
func (s *Store) ClaimAttempt(ctx context.Context, a session.Attempt, now time.Time) (found session.Attempt, claimed bool, err error) {
	for {
		row, err := read(ctx, s, (*dbsqlc.Queries).GetSignInAttempt, a.ID)
		if err == nil && !isStale(row, now) {
			return toAttempt(row), false, nil
		}
		if err != nil && !dbconn.IsNoRows(err) {
			return session.Attempt{}, false, translate("claim sign-in attempt", err)
		}
		if err == nil {
			stale := dbsqlc.DropStaleSignInAttemptParams{ID: a.ID, Now: micros(now)}
			if _, err := s.writer().DropStaleSignInAttempt(ctx, stale); err != nil {
				return session.Attempt{}, false, translate("claim sign-in attempt", err)
			}
		}
		err = s.writer().InsertSignInAttempt(ctx, dbsqlc.InsertSignInAttemptParams{
			ID: a.ID, LeasedUntil: micros(a.LeasedUntil), ExpiresAt: micros(a.ExpiresAt),
		})
		if !IsDuplicate(err) {
			return a, err == nil, translate("claim sign-in attempt", err)
		}
	}
}

// isStale reports whether an attempt has expired or its request ended without a result.
func isStale(row *dbsqlc.SignInAttempt, now time.Time) bool {
	return row.ExpiresAt <= micros(now) || row.Proof == "" && row.LeasedUntil <= micros(now)
}

// SaveAttemptProof stores Stytch's response; see session.Store.
func (s *Store) SaveAttemptProof(ctx context.Context, id, proof string) error {
	n, err := s.writer().ProveSignInAttempt(ctx, dbsqlc.ProveSignInAttemptParams{Proof: proof, ID: id})
	return translate("prove sign-in attempt", requireOneRow(n, err, session.ErrAttemptGone))
}

// DropAttempt deletes an attempt that created no session.
func (s *Store) DropAttempt(ctx context.Context, id string) error {
	_, err := s.writer().DropSignInAttempt(ctx, id)
	return translate("drop sign-in attempt", err)
}

// finishAttempt records, in the transaction that creates the session, that the attempt succeeded. If another request
// created it, the transaction fails.
func finishAttempt(ctx context.Context, q queries, id string, at time.Time) error {
	if id == "" {
		return nil
	}
	n, err := q.FinishSignInAttempt(ctx, dbsqlc.FinishSignInAttemptParams{SignedInAt: micros(at), ID: id})
	return requireOneRow(n, err, session.ErrAttemptGone)
}

// DeleteExpiredAttempts deletes attempts that can't be repeated any more.
func (s *Store) DeleteExpiredAttempts(ctx context.Context, now time.Time) (int, error) {
	return s.deleteInBatches(ctx, "delete expired sign-in attempts", func(q queries, limit int32) ([]string, error) {
		return q.ExpiredSignInAttempts(ctx, dbsqlc.ExpiredSignInAttemptsParams{ExpiresAt: micros(now), Limit: limit})
	}, func(q queries, id string) (int64, error) {
		return q.DeleteExpiredSignInAttempt(ctx, dbsqlc.DeleteExpiredSignInAttemptParams{ID: id, ExpiresAt: micros(now)})
	})
}

func toAttempt(r *dbsqlc.SignInAttempt) session.Attempt {
	return session.Attempt{
		ID: r.ID, Proof: r.Proof, LeasedUntil: fromMicros(r.LeasedUntil), SignedInAt: fromMicros(r.SignedInAt), ExpiresAt: fromMicros(r.ExpiresAt),
	}
}
