package session

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Bounds on the links that Stytch is asked about at once.
var (
	clientLimits  = queueLimits{active: 16, waiting: 84} // brought by one network or known browser
	suspectLimits = queueLimits{active: 2, waiting: 6}   // by one that has brought too many wrong ones
	totalLimits   = queueLimits{active: 64, waiting: 128}
)

// queueTimeout bounds the wait for a slot, and comeBack is how long to wait before
// another try where there was none.
const (
	queueTimeout   = 4 * time.Second
	slotRetryAfter = 5 * time.Second
)

// errNoSlot is the error of a gate whose queue is full, or too slow.
var errNoSlot = errors.New("no slot free")

// queueLimits are how many may be active at once, and how many more wait for that.
type queueLimits struct{ active, waiting int }

// queues bound what is done at once, for each key and in all. A caller for whom there
// is no place in the queue is refused at once. The zero value is ready to use.
type queues struct {
	mu    sync.Mutex
	byKey map[string]*queue
}

// queue is one queue and its slots.
type queue struct {
	slots   chan struct{}
	entered int // active and waiting
}

// enter returns when the caller holds a slot of the key, with a function to give it
// back. It returns errNoSlot if the queue is full or none becomes free in time, or the
// context's error.
func (g *queues) enter(ctx context.Context, key string, b queueLimits) (leave func(), err error) {
	own, ok := g.join(key, b)
	if !ok {
		return nil, errNoSlot
	}
	timeout := time.NewTimer(queueTimeout)
	defer timeout.Stop()
	select {
	case own.slots <- struct{}{}:
		return func() { <-own.slots; g.quit(key) }, nil
	case <-timeout.C:
		err = errNoSlot
	case <-ctx.Done():
		err = ctx.Err()
	}
	g.quit(key)
	return nil, err
}

// join takes a place in the queue of a key.
func (g *queues) join(key string, b queueLimits) (*queue, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	own := g.byKey[key]
	if own == nil {
		own = &queue{slots: make(chan struct{}, b.active)}
		if g.byKey == nil {
			g.byKey = map[string]*queue{}
		}
		g.byKey[key] = own
	}
	if own.entered >= b.active+b.waiting {
		return nil, false
	}
	own.entered++
	return own, true
}

// quit gives the place back. A gate that nobody uses is forgotten.
func (g *queues) quit(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	own := g.byKey[key]
	if own.entered--; own.entered == 0 {
		delete(g.byKey, key)
	}
}
