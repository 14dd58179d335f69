package loadshed

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// Limits on how many requests are in progress; docs/decisions/0014-load-shedding.md says why.
const (
	MaxConcurrent = 64                     // requests that do work
	MaxBlocked    = 448                    // requests besides these that wait for another service
	blockedAfter  = 100 * time.Millisecond // a request that takes longer is assumed to wait
	maxQueued     = 4096                   // requests that wait for a slot
	QueueTimeout  = 250 * time.Millisecond // how long each of them waits
	reportEvery   = time.Second            // refusals are reported together
)

// Limits are the numbers of a Limiter.
type Limits struct {
	Concurrent   int64         // how many do work
	Blocked      int64         // how many besides these wait for another service
	QueueTimeout time.Duration // how long the others wait for a slot
}

// Limiter limits the concurrency of work that is only a part of a request. It is safe for
// concurrent use.
type Limiter struct{ limiter *limiter }

// NewLimiter returns a Limiter. onRefused is called at most once a second with the refusals
// since the last call.
func NewLimiter(l Limits, onRefused func(count int)) Limiter {
	return Limiter{newLimiter(l, onRefused)}
}

// Acquire waits for a slot. It returns a function that releases it, and whether there was one in
// time.
func (l Limiter) Acquire(ctx context.Context) (release func(), ok bool) {
	s := l.limiter.acquire(ctx)
	if s == nil {
		return nil, false
	}
	return s.release, true
}

// limiter bounds how many requests do work at once. A request that finds no slot free waits for
// one, in order of arrival and for a limited time. A request that waits for another service swaps
// its slot for one of those kept for blocked requests, so that what hangs doesn't keep out what is
// quick.
type limiter struct {
	working      *semaphore.Weighted
	blocked      *semaphore.Weighted
	queueTimeout time.Duration
	queued       atomic.Int64
	refused      atomic.Int64
	onRefused    func(count int) // called with the refusals since the last call
}

func newLimiter(l Limits, onRefused func(count int)) *limiter {
	return &limiter{
		working: semaphore.NewWeighted(l.Concurrent), blocked: semaphore.NewWeighted(l.Blocked),
		queueTimeout: l.QueueTimeout, onRefused: onRefused,
	}
}

// acquire returns a slot, to be released when the work is done. It returns nil if none was free in
// time or ctx has ended.
func (l *limiter) acquire(ctx context.Context) *slot {
	if !l.working.TryAcquire(1) && !l.wait(ctx) {
		if ctx.Err() == nil {
			l.refuse()
		}
		return nil
	}
	s := &slot{limiter: l, held: l.working}
	s.mu.Lock() // the timer's function needs s.timer
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(blockedAfter, s.markBlocked)
	return s
}

// wait waits for a slot and reports whether it got one.
func (l *limiter) wait(ctx context.Context) bool {
	defer l.queued.Add(-1)
	if l.queued.Add(1) > maxQueued {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, l.queueTimeout)
	defer cancel()
	return l.working.Acquire(ctx, 1) == nil
}

// refuse counts a refusal. The first starts a timer that reports it with those that follow.
func (l *limiter) refuse() {
	if l.refused.Add(1) == 1 {
		time.AfterFunc(reportEvery, func() { l.onRefused(int(l.refused.Swap(0))) })
	}
}

// slot is what one request in progress holds.
type slot struct {
	limiter *limiter
	mu      sync.Mutex
	held    *semaphore.Weighted // working or blocked of the limiter; nil once released
	timer   *time.Timer         // calls markBlocked
}

// markBlocked lets another request work while this one waits for another service. If too many are
// blocked, it tries again later.
func (s *slot) markBlocked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held != s.limiter.working {
		return
	}
	if !s.limiter.blocked.TryAcquire(1) {
		s.timer.Reset(blockedAfter)
		return
	}
	s.timer.Stop()
	s.held.Release(1)
	s.held = s.limiter.blocked
}

// release gives the slot to the next request. Calling it again does nothing.
func (s *slot) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		return
	}
	s.timer.Stop()
	s.held.Release(1)
	s.held = nil
}
