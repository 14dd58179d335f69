// Package limit implements rate limits. A limit is a token bucket: it allows a burst
// and then one more use per interval. Its state is the time when it is full again.
// Each use moves that time by one interval, and uses are refused while it is too far in
// the future (generic cell rate algorithm,
// https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm). The state is one row in a
// [Store] that all instances share.
package limit

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/digest"
)

// Rate is the rate of a limit.
type Rate struct {
	Burst int           // maximum number of uses at once
	Every time.Duration // time until one more use is allowed
}

// Bucket limits one kind of use by one subject.
type Bucket struct {
	Kind string // what is counted; the first part of Name
	Name string // at most 100 bytes
	Rate
	Reserve int // part of the burst that only uses with a smaller Reserve may take
}

// NewBucket returns the bucket for a kind of use by subject. The name contains only a
// hash of subject, which may be an email address.
func NewBucket(kind, subject string, rate Rate) Bucket {
	return Bucket{Kind: kind, Name: kind + ":" + digest.SHA256Hex(subject), Rate: rate}
}

// Tolerance returns how far in the future the bucket may be full again for one more use
// to be allowed.
func (b Bucket) Tolerance() time.Duration { return time.Duration(b.Burst-1-b.Reserve) * b.Every }

// skew is the maximum difference between the clocks of two instances.
const skew = 15 * time.Minute

// MaxValid returns how far in the future uses alone can move the time when the bucket is
// full again. A later time was written before a clock was set back, and is ignored.
func (b Bucket) MaxValid() time.Duration { return time.Duration(b.Burst)*b.Every + skew }

// MaxBurstDuration is greater than the MaxValid of any bucket.
const MaxBurstDuration = 24 * time.Hour

// RetryAt returns when the bucket allows the next use, given when it is full again. If
// that isn't after now, it allows one immediately.
func (b Bucket) RetryAt(fullAt, now time.Time) time.Time {
	if fullAt.After(now.Add(b.MaxValid())) {
		return now
	}
	return fullAt.Add(-b.Tolerance())
}

// Levels maps the names of buckets to the time when they are full again. It doesn't
// contain unused buckets.
type Levels map[string]time.Time

// Refusal is a bucket that allows no use, and until when. The zero Refusal means that
// all buckets allow one.
type Refusal struct {
	Bucket Bucket
	Until  time.Time
}

// Refused returns the first of the buckets that allows no use, or the zero Refusal.
func (l Levels) Refused(now time.Time, buckets ...Bucket) Refusal {
	for _, b := range buckets {
		if until := b.RetryAt(l[b.Name], now); until.After(now) {
			return Refusal{b, until}
		}
	}
	return Refusal{}
}

// UsedWithin reports whether b wasn't full at some time within span before now. It
// depends on how long the store keeps levels; see its DeleteLimits.
func (l Levels) UsedWithin(span time.Duration, now time.Time, b Bucket) bool {
	fullAt, known := l[b.Name]
	return known && fullAt.After(now.Add(-span)) && !fullAt.After(now.Add(b.MaxValid()))
}

// Store stores levels. Errors wrap directory.ErrUnavailable.
type Store interface {
	// ReadLimits returns the levels of the buckets.
	ReadLimits(ctx context.Context, buckets ...Bucket) (Levels, error)
	// TakeLimits counts one use in each bucket and returns the zero Refusal. If one of
	// them allows none, it counts nothing and returns that bucket. levels is the result
	// of ReadLimits for these buckets.
	TakeLimits(ctx context.Context, now time.Time, levels Levels, buckets ...Bucket) (Refusal, error)
}
