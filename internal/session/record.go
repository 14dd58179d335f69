package session

import (
	"context"
	"errors"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/limit"
)

// Limits on recorded events of each kind. Without a session, a client can cause as many
// requests as it likes, and events are kept for months.
var (
	eventsPerNetwork = ratesByPrefix(30, time.Minute)
	eventsPerBrowser = limit.Rate{Burst: 30, Every: time.Minute}        // of a known browser
	eventsTotal      = limit.Rate{Burst: 300, Every: 30 * time.Second}  // per traffic class
	linkEventsTotal  = limit.Rate{Burst: 1000, Every: 10 * time.Second} // the same, of requests for links
	warnAboutDropped = time.Hour
)

// Reasons of LinkOpened events. They are stored.
const (
	ByBrowser = "by a browser"
	ByScanner = "by a mail scanner, it seems"
)

// RecordLinkOpened records that a link was opened in a browser that had not requested
// one: on another device, or by a mail scanner. by is ByBrowser or ByScanner.
func (s *Service) RecordLinkOpened(ctx context.Context, by string, b Browser) {
	s.recordAnonymous(ctx, b, b.Origin().NewEvent(event.LinkOpened, s.opts.Now(), "", "", by))
}

// RecordRefused records that a signed-in user tried an action that isn't allowed.
func (s *Service) RecordRefused(ctx context.Context, by event.Origin, u directory.User, action string) {
	s.recordLimited(ctx, "refusals-of-user", u.ID, by.NewEvent(event.ActionRefused, s.opts.Now(), u.ID, u.Email.Normalized, action))
}

// RecordAppRefused records that a user was refused an app. reason is a short text.
func (s *Service) RecordAppRefused(ctx context.Context, by event.Origin, u directory.User, app, reason string) {
	s.recordLimited(ctx, "app-refusals-of-user", u.ID, by.NewEvent(event.AppRefused, s.opts.Now(), u.ID, u.Email.Normalized, app+": "+reason))
}

// recordLimited records an event that a user can trigger, subject to a rate limit.
func (s *Service) recordLimited(ctx context.Context, kind, userID string, e event.Event) {
	if s.take(ctx, limit.NewBucket(kind, userID, failureEventsPerUser), limit.NewBucket(kind+"-in-all", "", failureEventsTotal)) == nil {
		s.recordEvent(ctx, e)
	}
}

// recordAnonymous records an event that anyone can trigger, subject to rate limits.
func (s *Service) recordAnonymous(ctx context.Context, b Browser, e event.Event) {
	if s.mayRecord(ctx, b, e) {
		s.recordEvent(ctx, e)
	}
}

// mayRecord counts an event that anyone can trigger, and reports whether to record it.
// Most of the total of unknown browsers is reserved for networks that caused none lately.
// An event that can't be counted is recorded.
func (s *Service) mayRecord(ctx context.Context, b Browser, e event.Event) bool {
	kind := string(e.Kind)
	perNetwork := "events-of-network " + kind
	total := eventsTotal
	if e.Kind == event.LinkRequested || e.Kind == event.CodeRequested {
		total = linkEventsTotal
	}
	buckets := networkBuckets(perNetwork, b.networks(), eventsPerNetwork)
	if b.KnownID != "" {
		buckets = []limit.Bucket{limit.NewBucket("events-of-known", kind+" "+b.KnownID, eventsPerBrowser)}
	}
	buckets = append(buckets, limit.NewBucket("events-in-all", kind+" "+b.trafficClass(), total))
	err := s.takeReserving(context.WithoutCancel(ctx), perNetwork, anyRefusal, buckets)
	var refused *RateLimitError
	if !errors.As(err, &refused) {
		return true
	}
	s.warnOfDropped(s.opts.Now())
	return false
}

// warnOfDropped logs, once per hour, that events are dropped.
func (s *Service) warnOfDropped(now time.Time) {
	last := s.warnedAt.Load()
	if since := now.Sub(time.UnixMicro(last)); since >= 0 && since < warnAboutDropped || !s.warnedAt.CompareAndSwap(last, now.UnixMicro()) {
		return
	}
	s.log.Warn("too many events of clients that aren't signed in: some are not recorded in the audit log")
}

// recordEvent writes an event without a change. If that fails, the event is logged.
func (s *Service) recordEvent(ctx context.Context, e event.Event) {
	if err := s.store.AddEvents(context.WithoutCancel(ctx), e); err != nil {
		s.log.Warn("event not recorded in the audit log", "kind", e.Kind, "reason", e.Reason, "error", err)
	}
}
