package session

import (
	"context"
	"time"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/limit"
)

// How many events people without a session cause in the audit trail, of each kind. A
// stranger can cause as many requests as they like; the trail is kept for months.
var (
	eventsPerNetwork = ratesByPrefix(30, time.Minute)                   // from one network
	eventsPerBrowser = limit.Rate{Burst: 30, Every: time.Minute}        // from one known browser
	eventsTotal      = limit.Rate{Burst: 300, Every: 30 * time.Second}  // from all strangers, and from all known browsers
	linkEventsTotal  = limit.Rate{Burst: 1000, Every: 10 * time.Second} // the same, of requests for links
	warnAboutDropped = time.Hour
)

// record writes an event that somebody without a session caused, unless there were
// too many of its kind. Known browsers don't share a bucket with strangers; of the
// bucket of all strangers most is kept for networks that caused none lately.
func (m *Service) record(ctx context.Context, b Browser, e event.Event) {
	if m.mayRecord(ctx, b, e) {
		m.recordEvent(ctx, e)
	}
}

// mayRecord counts an event that somebody without a session caused, and reports whether
// it is to be written.
func (m *Service) mayRecord(ctx context.Context, b Browser, e event.Event) bool {
	const what = "events-of-network"
	kind := string(e.Kind)
	inAll := eventsTotal
	if e.Kind == event.LinkRequested {
		inAll = linkEventsTotal
	}
	var buckets []limit.Bucket
	if b.KnownID != "" {
		buckets = append(buckets, limit.NewBucket("events-of-known", kind+" "+b.KnownID, eventsPerBrowser))
	} else {
		buckets = networkBuckets(what+" "+kind, b.networks(), eventsPerNetwork)
	}
	buckets = append(buckets, limit.NewBucket("events-in-all", kind+" "+b.trafficClass(), inAll))
	return m.countEvent(ctx, what+" "+kind, buckets)
}

// countEvent counts an event in the buckets. What can't be counted is recorded.
func (m *Service) countEvent(ctx context.Context, what string, buckets []limit.Bucket) bool {
	if !m.opts.Limits {
		return true
	}
	ctx = context.WithoutCancel(ctx)
	now := m.opts.Now()
	levels, err := m.store.ReadLimits(ctx, buckets...)
	if err == nil {
		reserveForOthers(what, buckets, levels, now)
		err = m.count(ctx, now, levels, buckets, anyRefusal)
	}
	if _, refused := err.(*RateLimitError); refused {
		m.warnOfDropped(now)
		return false
	}
	return true
}

// warnOfDropped says in the log, once an hour, that events are left out.
func (m *Service) warnOfDropped(now time.Time) {
	last := m.warnedAt.Load()
	if since := now.Sub(time.UnixMicro(last)); since >= 0 && since < warnAboutDropped || !m.warnedAt.CompareAndSwap(last, now.UnixMicro()) {
		return
	}
	m.opts.Log.Warn("audit trail: strangers cause more events than are recorded, and some are left out")
}
