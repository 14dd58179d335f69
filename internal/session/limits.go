package session

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/limit"
)

// How often may be asked and tried; docs/decisions/0010 has the reasons. A browser
// that has signed in as the owner of an address is known for it and counts in
// buckets of its own: what strangers do takes nothing from it.
var (
	linksPerKnownBrowser    = limit.Rate{Burst: 5, Every: 2 * time.Minute} // links for one address, from one known browser
	linksPerNetworkAndEmail = limit.Rate{Burst: 5, Every: 2 * time.Minute} // links for one address, from one network
	linksPerEmail           = limit.Rate{Burst: 12, Every: 2 * time.Minute}
	maxBurstPerEmail        = 24                                         // the burst of linksToAddress lies between, see burstFor
	linksTotal              = limit.Rate{Burst: 300, Every: time.Second} // links, by all strangers together
	linksPerNetwork         = ratesByPrefix(20, 30*time.Second)          // links, by one network
	invalidTokensPerNetwork = ratesByPrefix(20, 30*time.Second)          // links that are none, by one network
	invalidTokensPerBrowser = limit.Rate{Burst: 20, Every: 30 * time.Second}
	invalidTokensTotal      = limit.Rate{Burst: 300, Every: 2 * time.Second}  // of these are counted, by all strangers or all known browsers
	failureEventsPerNetwork = limit.Rate{Burst: 30, Every: time.Minute}       // lines in the audit trail of what somebody tried in vain
	failureEventsTotal      = limit.Rate{Burst: 300, Every: 10 * time.Second} // the same, of all together
)

// networkMemory is for how long a network is remembered to have asked for links.
const networkMemory = 6 * time.Hour

// LimitRetention is for how long a bucket's row must be kept after the bucket is full
// again.
const LimitRetention = networkMemory

// ratesByPrefix are the rates of a network by itself and of those it is part of, as
// Browser.networks lists them: each level has twice what the one below has.
func ratesByPrefix(burst int, every time.Duration) [3]limit.Rate {
	var rates [3]limit.Rate
	for i := range rates {
		rates[i] = limit.Rate{Burst: burst << i, Every: every >> i}
	}
	return rates
}

// What the buckets are called.
const (
	bucketKnown       = "links-of-known"
	bucketFromNetwork = "links-of-network-to-address"
	bucketToAddress   = "links-to-address"
	bucketByNetwork   = "links-of-network"
	bucketInAll       = "links-in-all"
	bucketTokensInAll = "tokens-in-all"
)

// RateLimitError is the error of somebody who must wait; it wraps ErrTooMany,
// ErrTooManyLinks or ErrTooManyFromHere.
type RateLimitError struct {
	Err   error
	After time.Duration // from now

	bucket, what string // the name of the bucket that is used up, and What it counts; may be empty
}

func (e *RateLimitError) Error() string { return fmt.Sprintf("%v: again in %v", e.Err, e.After) }

func (e *RateLimitError) Unwrap() error { return e.Err }

// linkBuckets are what a request for a link counts in, the one of all strangers
// together last.
func (m *Service) linkBuckets(email directory.Email, b Browser) []limit.Bucket {
	if b.KnownID != "" {
		return []limit.Bucket{limit.NewBucket(bucketKnown, b.KnownID+" "+email.Normalized, linksPerKnownBrowser)}
	}
	networks := b.networks()
	toAddress := linksPerEmail
	toAddress.Burst = m.burstFor(email)
	buckets := []limit.Bucket{
		limit.NewBucket(bucketFromNetwork, networks[0]+" "+email.Normalized, linksPerNetworkAndEmail),
		limit.NewBucket(bucketToAddress, email.Normalized, toAddress),
	}
	buckets = append(buckets, networkBuckets(bucketByNetwork, networks, linksPerNetwork)...)
	return append(buckets, limit.NewBucket(bucketInAll, "", linksTotal))
}

// networkBuckets are those of a network and of the larger ones it is part of.
func networkBuckets(what string, networks []string, rates [3]limit.Rate) []limit.Bucket {
	var buckets []limit.Bucket
	for i, network := range networks {
		rate := rates[i]
		if i == len(networks)-1 {
			rate = rates[len(rates)-1] // an IPv4 /24 counts as a /48 does
		}
		buckets = append(buckets, limit.NewBucket(what, network, rate))
	}
	return buckets
}

// burstFor is how many links strangers in all networks together may ask for at once
// for an address. It is different for each address and each day, and not to be known
// from outside: by counting how many are let through nobody learns whether the
// address's owner, in a browser that is new, has asked for one as well.
func (m *Service) burstFor(email directory.Email) int {
	day := m.opts.Now().UTC().Format(time.DateOnly)
	sum := sha256.Sum256([]byte(m.secret + " " + day + " " + email.Normalized))
	return linksPerEmail.Burst + int(sum[0])%(maxBurstPerEmail-linksPerEmail.Burst+1)
}

// newSecret is random and never leaves the process.
func newSecret() string { return rand.Text() }

// takeLink counts a request for a link. Of what all strangers together may ask for, a
// third is kept for networks that have not asked lately, and another third for those
// of which no neighbour has.
func (m *Service) takeLink(ctx context.Context, email directory.Email, b Browser) error {
	if !m.opts.Limits {
		return nil
	}
	now, buckets := m.opts.Now(), m.linkBuckets(email, b)
	levels, err := m.store.ReadLimits(ctx, buckets...)
	if err != nil {
		return err
	}
	reserveForOthers(bucketByNetwork, buckets, levels, now)
	return m.count(ctx, now, levels, buckets, linkRefusal)
}

// reserveForOthers sets how much of the last bucket is kept from a browser because of
// the levels of its networks' buckets, which count what.
func reserveForOthers(what string, buckets []limit.Bucket, levels limit.Levels, now time.Time) {
	all := &buckets[len(buckets)-1]
	first := true
	for _, b := range buckets {
		if b.Kind != what {
			continue
		}
		if levels.UsedWithin(networkMemory, now, b) {
			all.Reserve = all.Burst / 3
			if first {
				all.Reserve = all.Burst * 2 / 3
			}
			return
		}
		first = false
	}
}

// linkRefusal is the error about a bucket of linkBuckets.
func linkRefusal(b limit.Bucket) error {
	switch b.Kind {
	case bucketKnown, bucketFromNetwork, bucketToAddress:
		return ErrTooManyLinks
	}
	return ErrTooManyFromHere
}

// tokenBuckets are what a link that is none counts in.
func tokenBuckets(b Browser) []limit.Bucket {
	if b.KnownID != "" {
		return []limit.Bucket{limit.NewBucket("tokens-of-known", b.KnownID, invalidTokensPerBrowser)}
	}
	return networkBuckets("tokens-of-network", b.networks(), invalidTokensPerNetwork)
}

// tokensInAll bounds how many links that are none are counted at all, and so how many
// rows that makes.
func tokensInAll(b Browser) limit.Bucket {
	return limit.NewBucket(bucketTokensInAll, b.trafficClass(), invalidTokensTotal)
}

// trafficClass is whom a browser shares a bucket of all with.
func (b Browser) trafficClass() string {
	if b.KnownID != "" {
		return "known browsers"
	}
	return "strangers"
}

// take counts one more in each bucket, or returns *TooMany around ErrTooMany.
func (m *Service) take(ctx context.Context, buckets ...limit.Bucket) error {
	if !m.opts.Limits {
		return nil
	}
	levels, err := m.store.ReadLimits(ctx, buckets...)
	if err != nil {
		return err
	}
	return m.count(ctx, m.opts.Now(), levels, buckets, anyRefusal)
}

func anyRefusal(limit.Bucket) error { return ErrTooMany }

// peek returns what take would return now, and counts nothing.
func (m *Service) peek(ctx context.Context, refusal func(limit.Bucket) error, buckets ...limit.Bucket) error {
	if !m.opts.Limits {
		return nil
	}
	levels, err := m.store.ReadLimits(ctx, buckets...)
	if err != nil {
		return err
	}
	now := m.opts.Now()
	return tooMany(levels.Refused(now, buckets...), now, refusal)
}

// count takes one from each bucket. A look at the levels comes first: a request that
// is refused writes nothing, and locks nothing.
func (m *Service) count(
	ctx context.Context, now time.Time, levels limit.Levels, buckets []limit.Bucket, refusal func(limit.Bucket) error,
) error {
	refused := levels.Refused(now, buckets...)
	if refused.Until.IsZero() {
		var err error
		if refused, err = m.store.TakeLimits(ctx, now, levels, buckets...); err != nil {
			return err
		}
	}
	return tooMany(refused, now, refusal)
}

// tooMany is the error about a refusal, nil for none.
func tooMany(r limit.Refusal, now time.Time, refusal func(limit.Bucket) error) error {
	if r.Until.IsZero() {
		return nil
	}
	return &RateLimitError{Err: refusal(r.Bucket), After: r.Until.Sub(now), bucket: r.Bucket.Name, what: r.Bucket.Kind}
}
