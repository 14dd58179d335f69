package web

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"
)

// How much is done at once; docs/decisions/0014-load-shedding.md says why.
const (
	maxConcurrent = 64                     // requests that are worked on
	maxBlocked    = 448                    // and those that do nothing but wait for a database or for Stytch
	blockedAfter  = 100 * time.Millisecond // who takes so long is held to be waiting
	maxQueued     = 4096                   // requests that wait for a place
	queueTimeout  = 250 * time.Millisecond // and how long each of them does
	reapInterval  = 10 * time.Millisecond  // at both, while somebody waits for a place
)

// limiter bound how many requests are worked on at once. Who finds none free waits
// for one, first come, first served, and not for long. A request that keeps its
// place for long is waiting itself, for somebody outside, so its place is lent to
// another: what hangs doesn't keep out what is quick.
type limiter struct {
	atWork, lentOut int
	patience        time.Duration
	report          func(refused int) // told at most once a second, and only if there were any

	mu       sync.Mutex
	arriving int // in the scheduler's queue
	active   map[*slot]struct{}
	blocked  int     // of the taken
	queue    []*slot // who waits, the longest first
	reaping  bool    // look is about to be called
	rejected int     // since the last report
	reported time.Time
}

// slot is what one request holds or waits for.
type slot struct {
	of      *limiter
	since   time.Time // it waits or works; a stopwatch
	lent    bool
	granted chan bool // tells who waits whether they got it
}

func newPlaces(report func(refused int)) *limiter {
	return &limiter{atWork: maxConcurrent, lentOut: maxBlocked, patience: queueTimeout, report: report, active: map[*slot]struct{}{}}
}

// acquire returns a place, to be left when the work is done, or nil if none was to
// be had in time or ctx has ended.
func (ps *limiter) acquire(ctx context.Context) *slot {
	p := &slot{of: ps, since: time.Now()}
	// Go's scheduler runs what has just been woken before what a busy network has
	// brought, and lets that starve. This goes to the end of its one fair queue, and
	// the time it takes there is the wait for the processor.
	ps.mu.Lock()
	ps.arriving++
	ps.mu.Unlock()
	runtime.Gosched()
	ps.mu.Lock()
	ps.arriving--
	now := time.Now()
	late := now.Sub(p.since) >= ps.patience &&
		ps.arriving+len(ps.active) >= ps.atWork // where there are few, somebody else has the processor
	if len(ps.queue) == 0 && ps.free() && !late {
		p.since = now
		ps.active[p] = struct{}{}
		ps.mu.Unlock()
		return p
	}
	ps.scheduleReap()
	if late || len(ps.queue) == maxQueued {
		ps.rejected++
		ps.mu.Unlock()
		return nil
	}
	p.granted = make(chan bool, 1)
	ps.queue = append(ps.queue, p)
	ps.mu.Unlock()

	select {
	case got := <-p.granted:
		if got {
			return p
		}
		return nil
	case <-ctx.Done():
	}
	ps.mu.Lock()
	ps.queue = slices.DeleteFunc(ps.queue, func(other *slot) bool { return other == p })
	ps.mu.Unlock()
	p.release() // if it was granted meanwhile
	return nil
}

// release gives the place to who waits for one. To leave twice is fine.
func (p *slot) release() {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	if _, ok := p.of.active[p]; !ok {
		return
	}
	delete(p.of.active, p)
	if p.lent {
		p.of.blocked--
	}
	p.of.dispatch()
}

// block lends the place to another, if that many may be lent: whoever holds it is
// about to wait.
func (p *slot) block() {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	if _, ok := p.of.active[p]; ok {
		p.of.lend(p)
		p.of.dispatch()
	}
}

// lend, free, grant, next and lookSoon are called with the lock held.
func (ps *limiter) lend(p *slot) {
	if !p.lent && ps.blocked < ps.lentOut {
		p.lent = true
		ps.blocked++
	}
}

func (ps *limiter) free() bool { return len(ps.active)-ps.blocked < ps.atWork }

// dispatch gives the places that are free to those who have waited longest.
func (ps *limiter) dispatch() {
	for ps.free() && len(ps.queue) > 0 {
		p := ps.next()
		p.since = time.Now()
		ps.active[p] = struct{}{}
		p.granted <- true
	}
}

// next takes out of the queue who has waited longest.
func (ps *limiter) next() *slot {
	p := ps.queue[0]
	ps.queue[0], ps.queue = nil, ps.queue[1:]
	return p
}

func (ps *limiter) scheduleReap() {
	if !ps.reaping {
		ps.reaping = true
		time.AfterFunc(reapInterval, ps.reap)
	}
}

// reap lends the places of those who are at it for long, and sends away those who
// have waited for too long.
func (ps *limiter) reap() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.reaping = false
	now := time.Now()
	for p := range ps.active {
		if now.Sub(p.since) >= blockedAfter {
			ps.lend(p)
		}
	}
	ps.dispatch()
	for len(ps.queue) > 0 && now.Sub(ps.queue[0].since) >= ps.patience {
		ps.next().granted <- false
		ps.rejected++
	}
	if ps.rejected > 0 && now.Sub(ps.reported) >= time.Second {
		ps.report(ps.rejected)
		ps.rejected, ps.reported = 0, now
	}
	if ps.rejected > 0 || len(ps.queue) > 0 {
		ps.scheduleReap()
	}
}
