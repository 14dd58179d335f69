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
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Rate is how often something may be done.
type Rate struct {
	Burst int           // at once
	Every time.Duration // and then one more
}

// Bucket counts one thing that somebody does.
type Bucket struct {
	Name string // at most 100 bytes
	Rate
}

// NewBucket returns the bucket of what is done, by or to whom. Whom it is about
// stands in the name as a hash alone, because it may be an address.
func NewBucket(what, whom string, rate Rate) Bucket {
	sum := sha256.Sum256([]byte(whom))
	return Bucket{what + ":" + hex.EncodeToString(sum[:]), rate}
}

// Slack is how far ahead of now the moment by which the bucket is full again may
// be for one more to be let through.
func (b Bucket) Slack() time.Duration { return time.Duration(b.Burst-1) * b.Every }

// skew is how far the clocks of two instances may be apart.
const skew = 15 * time.Minute

// Most is further ahead of now than that moment can be by use alone: one that is
// still later was written before a clock was set back, and says nothing.
func (b Bucket) Most() time.Duration { return time.Duration(b.Burst)*b.Every + skew }

// Until returns when the bucket lets one through, given when it is full again;
// a time that is not after now means that it does so at once.
func (b Bucket) Until(fullAt, now time.Time) time.Time {
	if fullAt.After(now.Add(b.Most())) {
		return now
	}
	return fullAt.Add(-b.Slack())
}

// Store keeps the buckets. Errors wrap directory.ErrUnavailable.
type Store interface {
	// TakeLimits counts one more in each bucket and returns the zero time; if one
	// of them is empty it counts in none and returns when that will let one through.
	TakeLimits(ctx context.Context, now time.Time, buckets ...Bucket) (until time.Time, err error)
	// PeekLimits returns what TakeLimits would, and counts nothing.
	PeekLimits(ctx context.Context, now time.Time, buckets ...Bucket) (until time.Time, err error)
}
