package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/guestlist/guestlist/internal/limit"
	"github.com/guestlist/guestlist/internal/store/internal/dbconn"
	"github.com/guestlist/guestlist/internal/store/internal/dbsqlc"
)

// Errors that roll back the counting transaction.
var (
	errLimited  = errors.New("limit reached")
	errNoBucket = errors.New("bucket not used before")
)

// ReadLimits reads the levels of buckets in one query; see limit.Store.
func (s *Store) ReadLimits(ctx context.Context, buckets ...limit.Bucket) (limit.Levels, error) {
	levels := limit.Levels{}
	if len(buckets) == 0 {
		return levels, nil
	}
	names := make([]string, len(buckets))
	for i, b := range buckets {
		names[i] = b.Name
	}
	rows, err := read(ctx, s, (*dbsqlc.Queries).GetLimits, names)
	for _, r := range rows {
		levels[r.Name] = fromMicros(r.FullAt)
	}
	return levels, translate("read limits", err)
}

// TakeLimits counts one use in each bucket; see limit.Store.
func (s *Store) TakeLimits(ctx context.Context, now time.Time, levels limit.Levels, buckets ...limit.Bucket) (limit.Refusal, error) {
	var missing []string
	for _, b := range buckets {
		if _, known := levels[b.Name]; !known {
			missing = append(missing, b.Name)
		}
	}
	for {
		if err := s.insertLimits(ctx, missing); err != nil {
			return limit.Refusal{}, translate("count", err)
		}
		var refusal limit.Refusal
		err := s.Transact(ctx, func(tx *sql.Tx) error {
			for _, b := range buckets {
				until, err := takeLimit(ctx, s.queriesTx(tx), now, b)
				if errors.Is(err, errNoBucket) {
					missing = []string{b.Name} // deleted since it was read
				}
				if err != nil {
					refusal = limit.Refusal{Bucket: b, Until: until}
					return err
				}
			}
			return nil
		})
		switch {
		case errors.Is(err, errLimited):
			return refusal, nil
		case !errors.Is(err, errNoBucket):
			return limit.Refusal{}, translate("count", err)
		}
	}
}

// insertLimits inserts the rows of unused buckets. It has its own transaction because on MySQL an update that finds no
// row locks the gap, and two of them would wait for each other's insert.
func (s *Store) insertLimits(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	names = slices.Sorted(slices.Values(names)) // in one order to avoid deadlocks
	err := s.Transact(ctx, func(tx *sql.Tx) error {
		for _, name := range names {
			if err := s.queriesTx(tx).InsertLimit(ctx, name); err != nil {
				return err
			}
		}
		return nil
	})
	if !IsDuplicate(err) {
		return err
	}
	for _, name := range names { // another call inserted one of them: insert each on its own
		if err := s.writer().InsertLimit(ctx, name); err != nil && !IsDuplicate(err) {
			return err
		}
	}
	return nil
}

func takeLimit(ctx context.Context, q queries, now time.Time, b limit.Bucket) (until time.Time, err error) {
	n, err := q.TakeLimit(ctx, dbsqlc.TakeLimitParams{
		Now: micros(now), FromNow: micros(now.Add(b.Every)), Every: b.Every.Microseconds(), Name: b.Name,
		Latest: micros(now.Add(b.Tolerance())), Most: micros(now.Add(b.MaxValid())),
	})
	if err != nil || n > 0 {
		return time.Time{}, err
	}
	fullAt, err := q.GetLimit(ctx, b.Name)
	if dbconn.IsNoRows(err) {
		return time.Time{}, errNoBucket
	}
	if err == nil {
		err = errLimited
	}
	return b.RetryAt(fromMicros(fullAt), now), err
}

// limitsBatch is how many rows of limits are deleted at once.
const limitsBatch = 200

// DeleteLimits deletes buckets that were full before a time, and those with times that are only possible if a clock
// was set back since. It returns how many.
func (s *Store) DeleteLimits(ctx context.Context, before, now time.Time) (int, error) {
	after := now.Add(limit.MaxBurstDuration)
	old, err := s.deleteLimits(ctx, before, after, func(q queries) ([]string, error) {
		return q.OldLimits(ctx, dbsqlc.OldLimitsParams{FullAt: micros(before), Limit: limitsBatch})
	})
	if err != nil {
		return old, err
	}
	future, err := s.deleteLimits(ctx, before, after, func(q queries) ([]string, error) {
		return q.FutureLimits(ctx, dbsqlc.FutureLimitsParams{FullAt: micros(after), Limit: limitsBatch})
	})
	return old + future, err
}

func (s *Store) deleteLimits(ctx context.Context, before, after time.Time, list func(queries) ([]string, error)) (int, error) {
	total := 0
	for {
		listed, deleted := 0, 0
		err := s.inTx(ctx, "delete limits", func(q queries) error {
			names, err := list(q)
			listed, deleted = len(names), 0
			if err != nil || listed == 0 {
				return err
			}
			n, err := q.DeleteLimits(ctx, dbsqlc.DeleteLimitsParams{Names: names, Before: micros(before), Behind: micros(after)})
			deleted = int(n)
			return err
		})
		total += deleted
		if err != nil || listed < limitsBatch {
			return total, err
		}
	}
}
