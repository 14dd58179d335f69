package stytch

import (
	"sync"
	"time"
)

const (
	breakerThreshold = 3               // consecutive failures that open the circuit breaker
	breakerPause     = 5 * time.Second // how long it stays open
	healthyFor       = 30 * time.Second
)

// circuitBreaker stops calls to a failing Stytch. After breakerThreshold consecutive
// failures it opens for breakerPause, then allows one call: if that succeeds it closes,
// and otherwise it opens again.
type circuitBreaker struct {
	now func() time.Time

	mu          sync.Mutex
	failures    int       // consecutive
	retryAt     time.Time // no call is allowed before this while the breaker is open
	succeededAt time.Time // zero before the first success
}

// allow reports whether a call may be made.
func (b *circuitBreaker) allow() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < breakerThreshold {
		return true
	}
	// A pause longer than breakerPause means that the clock was set back.
	if pause := b.retryAt.Sub(b.now()); pause > 0 && pause <= breakerPause {
		return false
	}
	b.retryAt = b.now().Add(breakerPause)
	return true
}

// record records the result of a call.
func (b *circuitBreaker) record(ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ok {
		b.failures = 0
		b.succeededAt = b.now()
		return
	}
	b.failures++
	b.retryAt = b.now().Add(breakerPause)
}

// ignore ends a call whose result says nothing about Stytch. If it was the one call that
// an open breaker allows, another one is allowed.
func (b *circuitBreaker) ignore() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.retryAt = time.Time{}
}

// recentlyHealthy reports whether the latest call succeeded less than healthyFor ago.
func (b *circuitBreaker) recentlyHealthy() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	age := b.now().Sub(b.succeededAt)
	return b.failures == 0 && !b.succeededAt.IsZero() && age >= 0 && age < healthyFor
}
