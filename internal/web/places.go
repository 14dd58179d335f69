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
	atWork     = 64                     // requests that are worked on
	lentOut    = 448                    // and those that do nothing but wait for a database or for Stytch
	lendAfter  = 100 * time.Millisecond // who takes so long is held to be waiting
	mostQueued = 4096                   // requests that wait for a place
	patience   = 250 * time.Millisecond // and how long each of them does
	lookEvery  = 10 * time.Millisecond  // at both, while somebody waits for a place
)

// places bound how many requests are worked on at once. Who finds none free waits
// for one, first come, first served, and not for long. A request that keeps its
// place for long is waiting itself, for somebody outside, so its place is lent to
// another: what hangs doesn't keep out what is quick.
type places struct {
	atWork, lentOut int
	patience        time.Duration
	report          func(refused int) // told at most once a second, and only if there were any

	mu       sync.Mutex
	coming   int // in the scheduler's queue
	taken    map[*place]struct{}
	lent     int      // of the taken
	queue    []*place // who waits, the longest first
	looking  bool     // look is about to be called
	refused  int      // since the last report
	reported time.Time
}

// place is what one request holds or waits for.
type place struct {
	of      *places
	since   time.Time // it waits or works; a stopwatch
	lent    bool
	granted chan bool // tells who waits whether they got it
}

func newPlaces(report func(refused int)) *places {
	return &places{atWork: atWork, lentOut: lentOut, patience: patience, report: report, taken: map[*place]struct{}{}}
}

// enter returns a place, to be left when the work is done, or nil if none was to
// be had in time or ctx has ended.
func (ps *places) enter(ctx context.Context) *place {
	p := &place{of: ps, since: time.Now()}
	// Go's scheduler runs what has just been woken before what a busy network has
	// brought, and lets that starve. This goes to the end of its one fair queue, and
	// the time it takes there is the wait for the processor.
	ps.mu.Lock()
	ps.coming++
	ps.mu.Unlock()
	runtime.Gosched()
	ps.mu.Lock()
	ps.coming--
	now := time.Now()
	late := now.Sub(p.since) >= ps.patience &&
		ps.coming+len(ps.taken) >= ps.atWork // where there are few, somebody else has the processor
	if len(ps.queue) == 0 && ps.free() && !late {
		p.since = now
		ps.taken[p] = struct{}{}
		ps.mu.Unlock()
		return p
	}
	ps.lookSoon()
	if late || len(ps.queue) == mostQueued {
		ps.refused++
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
	ps.queue = slices.DeleteFunc(ps.queue, func(other *place) bool { return other == p })
	ps.mu.Unlock()
	p.leave() // if it was granted meanwhile
	return nil
}

// leave gives the place to who waits for one. To leave twice is fine.
func (p *place) leave() {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	if _, ok := p.of.taken[p]; !ok {
		return
	}
	delete(p.of.taken, p)
	if p.lent {
		p.of.lent--
	}
	p.of.grant()
}

// lend lends the place to another, if that many may be lent: whoever holds it is
// about to wait.
func (p *place) lend() {
	p.of.mu.Lock()
	defer p.of.mu.Unlock()
	if _, ok := p.of.taken[p]; ok {
		p.of.lend(p)
		p.of.grant()
	}
}

// lend, free, grant, next and lookSoon are called with the lock held.
func (ps *places) lend(p *place) {
	if !p.lent && ps.lent < ps.lentOut {
		p.lent = true
		ps.lent++
	}
}

func (ps *places) free() bool { return len(ps.taken)-ps.lent < ps.atWork }

// grant gives the places that are free to those who have waited longest.
func (ps *places) grant() {
	for ps.free() && len(ps.queue) > 0 {
		p := ps.next()
		p.since = time.Now()
		ps.taken[p] = struct{}{}
		p.granted <- true
	}
}

// next takes out of the queue who has waited longest.
func (ps *places) next() *place {
	p := ps.queue[0]
	ps.queue[0], ps.queue = nil, ps.queue[1:]
	return p
}

func (ps *places) lookSoon() {
	if !ps.looking {
		ps.looking = true
		time.AfterFunc(lookEvery, ps.look)
	}
}

// look lends the places of those who are at it for long, and sends away those who
// have waited for too long.
func (ps *places) look() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.looking = false
	now := time.Now()
	for p := range ps.taken {
		if now.Sub(p.since) >= lendAfter {
			ps.lend(p)
		}
	}
	ps.grant()
	for len(ps.queue) > 0 && now.Sub(ps.queue[0].since) >= ps.patience {
		ps.next().granted <- false
		ps.refused++
	}
	if ps.refused > 0 && now.Sub(ps.reported) >= time.Second {
		ps.report(ps.refused)
		ps.refused, ps.reported = 0, now
	}
	if ps.refused > 0 || len(ps.queue) > 0 {
		ps.lookSoon()
	}
}
