package session

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Limits on concurrent link redemptions.
var (
	clientLimits  = queueLimits{active: 16, waiting: 84} // of one network or known browser
	suspectLimits = queueLimits{active: 2, waiting: 6}   // of one that has sent too many invalid links
	totalLimits   = queueLimits{active: 64, waiting: 128}
)

// queueTimeout bounds the wait for a slot. slotRetryAfter is returned to a caller that got none.
const (
	queueTimeout   = 4 * time.Second
	slotRetryAfter = 5 * time.Second
)

// errNoSlot is returned by queues.enter if the queue is full or too slow.
var errNoSlot = errors.New("no slot free")

type queueLimits struct{ active, waiting int }

// queues limit concurrency per key. The zero value is ready to use.
type queues struct {
	mu    sync.Mutex
	byKey map[string]*queue
}

type queue struct {
	slots   chan struct{}
	entered int // active and waiting
}

// enterRedeem waits for a slot to redeem a link. Links of one network or known browser
// share a queue, with fewer slots after invalid links: a valid link still gets through,
// so a client can't lock out others at its address. Known browsers and other clients
// take no slots from each other.
func (s *Service) enterRedeem(ctx context.Context, b Browser) (leave func(), err error) {
	if !s.opts.Limits {
		return func() {}, nil
	}
	client, all, limits := "network "+b.networks()[0], "all networks", clientLimits
	if b.KnownID != "" {
		client, all = "browser "+b.KnownID, "all browsers"
	}
	refusal := &RateLimitError{Err: ErrTooMany, After: slotRetryAfter}
	if err := s.peek(ctx, anyRefusal, tokenBuckets(b)...); errors.As(err, &refusal) {
		client, limits = "suspect "+refusal.bucket, suspectLimits
	} else if err != nil {
		return nil, err
	}
	leaveClient, err := s.redeeming.enter(ctx, client, limits)
	if err == nil {
		var leaveAll func()
		if leaveAll, err = s.redeeming.enter(ctx, all, totalLimits); err == nil {
			return func() { leaveAll(); leaveClient() }, nil
		}
		leaveClient()
	}
	if errors.Is(err, errNoSlot) {
		return nil, refusal
	}
	return nil, err
}

// enter waits for a slot of the key and returns a function that releases it. It
// returns errNoSlot at once if the queue is full, or after queueTimeout, or ctx's error.
func (q *queues) enter(ctx context.Context, key string, limits queueLimits) (leave func(), err error) {
	own, ok := q.join(key, limits)
	if !ok {
		return nil, errNoSlot
	}
	timeout := time.NewTimer(queueTimeout)
	defer timeout.Stop()
	select {
	case own.slots <- struct{}{}:
		return func() { <-own.slots; q.leave(key) }, nil
	case <-timeout.C:
		err = errNoSlot
	case <-ctx.Done():
		err = ctx.Err()
	}
	q.leave(key)
	return nil, err
}

// join adds the caller to the queue of a key, unless it is full.
func (q *queues) join(key string, limits queueLimits) (*queue, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	own := q.byKey[key]
	if own == nil {
		own = &queue{slots: make(chan struct{}, limits.active)}
		if q.byKey == nil {
			q.byKey = map[string]*queue{}
		}
		q.byKey[key] = own
	}
	if own.entered >= limits.active+limits.waiting {
		return nil, false
	}
	own.entered++
	return own, true
}

// leave removes the caller from the queue of a key, and the queue if it is empty.
func (q *queues) leave(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	own := q.byKey[key]
	if own.entered--; own.entered == 0 {
		delete(q.byKey, key)
	}
}
