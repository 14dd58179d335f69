package session

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/limit"
)

// How often may be asked and tried. A browser that has signed in as somebody
// before has a count of its own for that address: what strangers do, anywhere,
// takes nothing from it (docs/decisions/0010).
var (
	linksOfKnown   = limit.Rate{Burst: 5, Every: 2 * time.Minute}          // links for one address, asked for by such a browser
	linksToAddress = limit.Rate{Burst: 5, Every: 2 * time.Minute}          // links for one address, by all others together
	linksOfNetwork = limit.Rate{Burst: 20, Every: 30 * time.Second}        // links, by one network of the others
	linksInAll     = limit.Rate{Burst: 300, Every: 500 * time.Millisecond} // links, by all others together
	wrongTokens    = limit.Rate{Burst: 20, Every: 30 * time.Second}        // links that are none, by one network or known browser
	notes          = limit.Rate{Burst: 30, Every: time.Minute}             // lines in the audit trail of what somebody tried in vain
	notesInAll     = limit.Rate{Burst: 300, Every: 10 * time.Second}       // the same, of all together
)

// TooMany is the error of somebody who must wait; it wraps ErrTooMany or ErrTooManyLinks.
type TooMany struct {
	Err   error
	After time.Duration // from now
}

func (e *TooMany) Error() string { return fmt.Sprintf("%v: again in %v", e.Err, e.After) }

func (e *TooMany) Unwrap() error { return e.Err }

// linkBuckets are what a request for a link counts in.
func linkBuckets(email directory.Email, b Browser) []limit.Bucket {
	if b.Known != "" {
		return []limit.Bucket{limit.NewBucket("links-of-known", b.Known+" "+email.Key, linksOfKnown)}
	}
	return []limit.Bucket{
		limit.NewBucket("links-to-address", email.Key, linksToAddress),
		limit.NewBucket("links-of-network", b.network(), linksOfNetwork),
		limit.NewBucket("links-in-all", "", linksInAll),
	}
}

// tokenBucket is what a link that is none counts in.
func tokenBucket(b Browser) limit.Bucket {
	if b.Known != "" {
		return limit.NewBucket("tokens-of-known", b.Known, wrongTokens)
	}
	return limit.NewBucket("tokens-of-network", b.network(), wrongTokens)
}

// network is what the browser's address is counted as: an IPv6 address by its
// first half, because a household has all of the other.
func (b Browser) network() string {
	ip, err := netip.ParseAddr(b.Address)
	if err != nil {
		return b.Address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(64) // 64 bits there are
	return prefix.String()
}

// take counts one more in each bucket, or returns *TooMany around refusal.
func (m *Manager) take(ctx context.Context, refusal error, buckets ...limit.Bucket) error {
	return m.within(ctx, m.store.TakeLimits, refusal, buckets)
}

// peek is take without counting.
func (m *Manager) peek(ctx context.Context, refusal error, buckets ...limit.Bucket) error {
	return m.within(ctx, m.store.PeekLimits, refusal, buckets)
}

func (m *Manager) within(
	ctx context.Context, ask func(context.Context, time.Time, ...limit.Bucket) (time.Time, error), refusal error, buckets []limit.Bucket,
) error {
	if !m.Limits {
		return nil
	}
	now := m.Now()
	until, err := ask(ctx, now, buckets...)
	if err == nil && !until.IsZero() {
		err = &TooMany{refusal, until.Sub(now)}
	}
	return err
}
