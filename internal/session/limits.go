package session

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/limit"
)

// Rate limits; docs/decisions/0010 has the reasons. A browser that has signed in with an
// address is known for it and has its own quota, unaffected by other clients.
var (
	linksPerKnownBrowser    = limit.Rate{Burst: 5, Every: 2 * time.Minute} // links for one address
	linksPerNetworkAndEmail = limit.Rate{Burst: 5, Every: 2 * time.Minute}
	linksPerEmail           = limit.Rate{Burst: 12, Every: 2 * time.Minute} // its burst varies up to maxBurstPerEmail, see burstFor
	maxBurstPerEmail        = 24
	linksTotal              = limit.Rate{Burst: 300, Every: time.Second} // of all unknown browsers
	linksPerNetwork         = ratesByPrefix(20, 30*time.Second)
	invalidTokensPerNetwork = ratesByPrefix(20, 30*time.Second)
	invalidTokensPerBrowser = limit.Rate{Burst: 20, Every: 30 * time.Second}        // of a known browser
	invalidTokensTotal      = limit.Rate{Burst: 300, Every: 2 * time.Second}        // counted at all, per traffic class
	wrongCodesPerEmail      = limit.Rate{Burst: 5, Every: 2 * time.Hour}            // of all unknown browsers: Stytch locks an account after 10 in a row
	wrongCodesPerBrowser    = limit.Rate{Burst: 8, Every: 30 * time.Minute}         // of a known browser
	passkeysPerNetwork      = ratesByPrefix(60, 2*time.Second)                      // started sign-ins; a page starts one by itself
	passkeysPerBrowser      = limit.Rate{Burst: 60, Every: 2 * time.Second}         // of a known browser
	passkeysTotal           = limit.Rate{Burst: 600, Every: 100 * time.Millisecond} // of all unknown browsers
	secondFactorsPerSession = limit.Rate{Burst: 5, Every: 30 * time.Second}
	secondFactorsPerUser    = limit.Rate{Burst: 20, Every: 30 * time.Second}
	setupsPerUser           = limit.Rate{Burst: 10, Every: 5 * time.Minute} // of an authenticator app, begun
	failureEventsPerUser    = limit.Rate{Burst: 30, Every: time.Minute}     // events of refused actions
	failureEventsTotal      = limit.Rate{Burst: 300, Every: 10 * time.Second}
)

// networkMemory is how long a network that requested links is remembered.
const networkMemory = 6 * time.Hour

// LimitRetention is how long a bucket's row must be kept after the bucket is full again.
const LimitRetention = networkMemory

// Kinds of buckets. They are part of stored names.
const (
	bucketKnown       = "links-of-known"
	bucketFromNetwork = "links-of-network-to-address"
	bucketToAddress   = "links-to-address"
	bucketByNetwork   = "links-of-network"
	bucketInAll       = "links-in-all"
	bucketTokensInAll = "tokens-in-all"
)

// RateLimitError is returned to a caller that must wait. It wraps ErrTooMany,
// ErrTooManyLinks or ErrTooManyFromHere.
type RateLimitError struct {
	Err   error
	After time.Duration // from now

	bucket, kind string // name and kind of the empty bucket; may be empty
}

func (e *RateLimitError) Error() string { return fmt.Sprintf("%v: again in %v", e.Err, e.After) }

func (e *RateLimitError) Unwrap() error { return e.Err }

// ratesByPrefix returns the rates of a network and of the two larger networks around it,
// in the order of Browser.networks. Each has twice the rate of the one before.
func ratesByPrefix(burst int, every time.Duration) [3]limit.Rate {
	var rates [3]limit.Rate
	for i := range rates {
		rates[i] = limit.Rate{Burst: burst << i, Every: every >> i}
	}
	return rates
}

// networks returns the networks that a browser counts towards, smallest first. IPv4: the
// address and its /24. IPv6: the /64 of a household, the /56 that a provider assigns to a
// home connection, and the /48 of a company. All unreadable addresses count as one.
func (b Browser) networks() []string {
	ip, err := netip.ParseAddr(b.Address)
	if err != nil {
		return []string{"unknown"}
	}
	ip = ip.Unmap().WithZone("")
	if nat64.Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	prefix := func(bits int) string { return netip.PrefixFrom(ip, bits).Masked().String() }
	if ip.Is4() {
		return []string{ip.String(), prefix(24)}
	}
	return []string{prefix(64), prefix(56), prefix(48)}
}

// Network returns the smallest network that the browser counts towards, for limits.
func (b Browser) Network() string { return b.networks()[0] }

// nat64 is the prefix of IPv4 addresses translated to IPv6, https://www.rfc-editor.org/rfc/rfc6052.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// trafficClass returns the clients that the browser shares total limits with.
func (b Browser) trafficClass() string {
	if b.KnownID != "" {
		return "known browsers"
	}
	return "strangers"
}

// networkBuckets returns the buckets of a browser's networks.
func networkBuckets(kind string, networks []string, rates [3]limit.Rate) []limit.Bucket {
	var buckets []limit.Bucket
	for i, network := range networks {
		rate := rates[i]
		if i == len(networks)-1 {
			rate = rates[len(rates)-1] // an IPv4 /24 counts like a /48
		}
		buckets = append(buckets, limit.NewBucket(kind, network, rate))
	}
	return buckets
}

// linkBuckets returns the buckets of a request for a link. The total bucket is the last.
func (s *Service) linkBuckets(email directory.Email, b Browser) []limit.Bucket {
	if b.KnownID != "" {
		return []limit.Bucket{limit.NewBucket(bucketKnown, b.KnownID+" "+email.Normalized, linksPerKnownBrowser)}
	}
	networks := b.networks()
	perEmail := linksPerEmail
	perEmail.Burst = s.burstFor(email)
	buckets := []limit.Bucket{
		limit.NewBucket(bucketFromNetwork, networks[0]+" "+email.Normalized, linksPerNetworkAndEmail),
		limit.NewBucket(bucketToAddress, email.Normalized, perEmail),
	}
	buckets = append(buckets, networkBuckets(bucketByNetwork, networks, linksPerNetwork)...)
	return append(buckets, limit.NewBucket(bucketInAll, "", linksTotal))
}

// tokenBuckets returns the buckets of an invalid link token.
func tokenBuckets(b Browser) []limit.Bucket {
	if b.KnownID != "" {
		return []limit.Bucket{limit.NewBucket("tokens-of-known", b.KnownID, invalidTokensPerBrowser)}
	}
	return networkBuckets("tokens-of-network", b.networks(), invalidTokensPerNetwork)
}

// wrongCodeBucket returns the bucket of a wrong code for an address (normalized).
func wrongCodeBucket(address string, b Browser) limit.Bucket {
	if b.KnownID != "" {
		return limit.NewBucket("wrong-codes-of-known", b.KnownID+" "+address, wrongCodesPerBrowser)
	}
	return limit.NewBucket("wrong-codes-to-address", address, wrongCodesPerEmail)
}

func wrongCodeRefusal(limit.Bucket) error { return ErrTooManyCodes }

// burstFor returns the burst of links for an address from all unknown browsers. It
// differs per address and day, and can't be predicted: counting how many requests pass
// doesn't reveal whether the address's owner has made one as well.
func (s *Service) burstFor(email directory.Email) int {
	day := s.opts.Now().UTC().Format(time.DateOnly)
	sum := sha256.Sum256([]byte(s.secret + " " + day + " " + email.Normalized))
	return linksPerEmail.Burst + int(sum[0])%(maxBurstPerEmail-linksPerEmail.Burst+1)
}

// takeLink counts a request for a link. Of the total bucket, a third is reserved for
// networks that requested none lately, and another third for those without such neighbours.
func (s *Service) takeLink(ctx context.Context, email directory.Email, b Browser) error {
	return s.takeReserving(ctx, bucketByNetwork, linkRefusal, s.linkBuckets(email, b))
}

// take counts one more in each bucket, or returns *RateLimitError around ErrTooMany.
func (s *Service) take(ctx context.Context, buckets ...limit.Bucket) error {
	return s.takeReserving(ctx, "", anyRefusal, buckets)
}

// takeReserving counts one more in each bucket. Part of the last one is reserved for
// other networks if the buckets of the given kind were used lately. It reads before it
// counts, so that a refused request writes and locks nothing.
func (s *Service) takeReserving(ctx context.Context, kind string, refusal func(limit.Bucket) error, buckets []limit.Bucket) error {
	if !s.opts.Limits {
		return nil
	}
	now := s.opts.Now()
	levels, err := s.store.ReadLimits(ctx, buckets...)
	if err != nil {
		return err
	}
	reserveForOthers(kind, buckets, levels, now)
	refused := levels.Refused(now, buckets...)
	if refused.Until.IsZero() {
		if refused, err = s.store.TakeLimits(ctx, now, levels, buckets...); err != nil {
			return err
		}
	}
	return rateLimitError(refused, now, refusal)
}

// peek returns what take would return, without counting.
func (s *Service) peek(ctx context.Context, refusal func(limit.Bucket) error, buckets ...limit.Bucket) error {
	if !s.opts.Limits {
		return nil
	}
	levels, err := s.store.ReadLimits(ctx, buckets...)
	if err != nil {
		return err
	}
	now := s.opts.Now()
	return rateLimitError(levels.Refused(now, buckets...), now, refusal)
}

// reserveForOthers sets how much of the last bucket is kept from a browser, given the
// levels of the buckets of its networks, which are those of the given kind.
func reserveForOthers(kind string, buckets []limit.Bucket, levels limit.Levels, now time.Time) {
	total := &buckets[len(buckets)-1]
	first := true
	for _, b := range buckets {
		if b.Kind != kind {
			continue
		}
		if levels.UsedWithin(networkMemory, now, b) {
			total.Reserve = total.Burst / 3
			if first {
				total.Reserve = total.Burst * 2 / 3
			}
			return
		}
		first = false
	}
}

// linkRefusal returns the error for an empty bucket of linkBuckets.
func linkRefusal(b limit.Bucket) error {
	switch b.Kind {
	case bucketKnown, bucketFromNetwork, bucketToAddress:
		return ErrTooManyLinks
	}
	return ErrTooManyFromHere
}

func anyRefusal(limit.Bucket) error { return ErrTooMany }

// rateLimitError converts a refusal. It returns nil for the zero Refusal.
func rateLimitError(r limit.Refusal, now time.Time, refusal func(limit.Bucket) error) error {
	if r.Until.IsZero() {
		return nil
	}
	return &RateLimitError{Err: refusal(r.Bucket), After: r.Until.Sub(now), bucket: r.Bucket.Name, kind: r.Bucket.Kind}
}
