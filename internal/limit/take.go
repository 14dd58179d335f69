package limit

import (
	"context"
	"time"
)

// Take counts one use in each bucket and returns the zero Refusal. If one of them allows none, it
// counts nothing and returns that bucket. It reads before it counts, so that a refused use writes and
// locks nothing. Errors: those of the store.
func Take(ctx context.Context, store Store, now time.Time, buckets ...Bucket) (Refusal, error) {
	levels, err := store.ReadLimits(ctx, buckets...)
	if err != nil {
		return Refusal{}, err
	}
	if refused := levels.Refused(now, buckets...); !refused.Until.IsZero() {
		return refused, nil
	}
	return store.TakeLimits(ctx, now, levels, buckets...)
}
