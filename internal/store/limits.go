package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/limit"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// What ends the transaction that counts, so that nothing is counted.
var (
	errLimit    = errors.New("limit reached")
	errNoBucket = errors.New("bucket not used before")
)

// TakeLimits counts one more in each bucket; see limit.Store.
func (s *Store) TakeLimits(ctx context.Context, now time.Time, buckets ...limit.Bucket) (until time.Time, err error) {
	// A look first: whoever is refused anyway writes nothing, and locks nothing.
	if until, err := s.PeekLimits(ctx, now, buckets...); err != nil || !until.IsZero() {
		return until, err
	}
	for {
		var at limit.Bucket
		err = s.InTx(ctx, func(tx *sql.Tx) error {
			for _, at = range buckets {
				if until, err = takeLimit(ctx, s.within(tx), now, at); err != nil {
					return err
				}
			}
			return nil
		})
		switch {
		case errors.Is(err, errLimit):
			return until, nil
		case !errors.Is(err, errNoBucket):
			return time.Time{}, translate("count", err)
		}
		// Made outside the transaction: on MySQL a change that finds no row locks the
		// gap where it would be, and two would wait for each other with their rows.
		if err := s.writer().InsertLimit(ctx, at.Name); err != nil && !IsDuplicate(err) {
			return time.Time{}, translate("count", err)
		}
	}
}

func takeLimit(ctx context.Context, q *dbsqlc.Queries, now time.Time, b limit.Bucket) (until time.Time, err error) {
	n, err := q.TakeLimit(ctx, dbsqlc.TakeLimitParams{
		Now: micros(now), FromNow: micros(now.Add(b.Every)), Every: b.Every.Microseconds(), Name: b.Name,
		Latest: micros(now.Add(b.Slack())), Most: micros(now.Add(b.Most())),
	})
	if err != nil || n > 0 {
		return time.Time{}, err
	}
	fullAt, err := q.GetLimit(ctx, b.Name)
	if isNoRows(err) {
		return time.Time{}, errNoBucket
	}
	if err == nil {
		err = errLimit
	}
	return b.Until(fromMicros(fullAt), now), err
}

// PeekLimits returns what TakeLimits would; see limit.Store.
func (s *Store) PeekLimits(ctx context.Context, now time.Time, buckets ...limit.Bucket) (time.Time, error) {
	for _, b := range buckets {
		fullAt, err := s.queries().GetLimit(ctx, b.Name)
		if err != nil && !isNoRows(err) {
			return time.Time{}, translate("look at a limit", err)
		}
		if until := b.Until(fromMicros(fullAt), now); until.After(now) {
			return until, nil
		}
	}
	return time.Time{}, nil
}

// DeleteLimits deletes the rows that say nothing any more.
func (s *Store) DeleteLimits(ctx context.Context, now time.Time) (int, error) {
	return s.inPieces(ctx, "delete limits", func(q *dbsqlc.Queries, most int32) ([]string, error) {
		return q.OldLimits(ctx, dbsqlc.OldLimitsParams{FullAt: micros(now), Limit: most})
	}, func(q *dbsqlc.Queries, name string) (int64, error) {
		return q.DeleteLimit(ctx, dbsqlc.DeleteLimitParams{Name: name, FullAt: micros(now)})
	})
}
