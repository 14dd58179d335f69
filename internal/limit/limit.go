// Package limit says how often something may be done. A limit is a bucket: it
// lets a burst through at once and then one more every interval. Its state is a
// single moment, when it will be full again: each use moves it one interval on,
// and there may be no more uses while it is too far ahead (the generic cell rate
// algorithm, https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm). A
// [Store] that all instances share keeps it, so that the count is one count, and
// costs the change of one row.
package limit

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/digest"
)

// Rate is how often something may be done.
type Rate struct {
	Burst int           // at once
	Every time.Duration // and then one more
}

// Bucket counts one thing that somebody does.
type Bucket struct {
	Kind string // what is counted; the first part of Name
	Name string // at most 100 bytes
	Rate
	Reserve int // how much of the burst is kept for others: those who ask with a smaller Reserve
}

// NewBucket returns the bucket of what is done, by or to whom. Whom it is about
// stands in the name as a hash alone, because it may be an address.
func NewBucket(what, whom string, rate Rate) Bucket {
	return Bucket{Kind: what, Name: what + ":" + digest.SHA256Hex(whom), Rate: rate}
}

// Tolerance is how far ahead of now the moment by which the bucket is full again may
// be for one more to be let through.
func (b Bucket) Tolerance() time.Duration { return time.Duration(b.Burst-1-b.Reserve) * b.Every }

// skew is how far the clocks of two instances may be apart.
const skew = 15 * time.Minute

// MaxValid is further ahead of now than that moment can be by use alone: one that is
// still later was written before a clock was set back, and says nothing.
func (b Bucket) MaxValid() time.Duration { return time.Duration(b.Burst)*b.Every + skew }

// MaxBurstDuration is more than Most of any bucket.
const MaxBurstDuration = 24 * time.Hour

// RetryAt returns when the bucket lets one through, given when it is full again;
// a time that is not after now means that it does so at once.
func (b Bucket) RetryAt(fullAt, now time.Time) time.Time {
	if fullAt.After(now.Add(b.MaxValid())) {
		return now
	}
	return fullAt.Add(-b.Tolerance())
}

// Levels is when buckets are full again, by their names. One that was never used is
// not in it.
type Levels map[string]time.Time

// Refusal is the bucket that lets nothing through, and until when. The zero value
// means that all of them let one through.
type Refusal struct {
	Bucket Bucket
	Until  time.Time
}

// Refused returns the first of the buckets that lets none through.
func (l Levels) Refused(now time.Time, buckets ...Bucket) Refusal {
	for _, b := range buckets {
		if until := b.RetryAt(l[b.Name], now); until.After(now) {
			return Refusal{b, until}
		}
	}
	return Refusal{}
}

// UsedWithin reports whether a bucket was used, or was not yet full again, within a
// span of time before now. It knows of uses for as long as the store keeps them; see
// Store.DeleteLimits.
func (l Levels) UsedWithin(span time.Duration, now time.Time, b Bucket) bool {
	fullAt, known := l[b.Name]
	return known && fullAt.After(now.Add(-span)) && !fullAt.After(now.Add(b.MaxValid()))
}

// Store keeps the buckets. Errors wrap directory.ErrUnavailable.
type Store interface {
	// ReadLimits returns the levels of the buckets.
	ReadLimits(ctx context.Context, buckets ...Bucket) (Levels, error)
	// TakeLimits counts one more in each bucket and returns the zero Refusal. If one
	// of them lets none through it counts in none. levels are what ReadLimits has just
	// returned for these buckets.
	TakeLimits(ctx context.Context, now time.Time, levels Levels, buckets ...Bucket) (Refusal, error)
}
