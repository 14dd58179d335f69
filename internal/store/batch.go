package store

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"
)

// maxBatch is how many things one query looks for at most.
const maxBatch = 64

// batcher looks by one query for what is asked for at the same moment, which
// costs little more than to look for one thing. Nobody waits for others to come: a
// query takes along whoever is about to ask when it is made. It begins after all of
// them have asked, so that each is told what was so then or later.
type batcher[V any] struct {
	read func(ctx context.Context, keys []string) (map[string]V, error)

	mu   sync.Mutex
	next *batch[V] // that can still take keys; nil: none
}

// batch is one query.
type batch[V any] struct {
	keys  []string
	done  chan struct{} // closed when the rest is there
	found map[string]V
	err   error
}

// errBatchPanic is what the others are told when a query panics.
var errBatchPanic = errors.New("not read")

// Load returns what is found for a key, or sql.ErrNoRows. When ctx is over it
// returns at once, unless others wait for its query.
func (t *batcher[V]) Load(ctx context.Context, key string) (V, error) {
	var none V
	if err := ctx.Err(); err != nil {
		return none, err
	}
	b, first := t.join(key)
	if first {
		t.run(context.WithoutCancel(ctx), b)
	}
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case <-b.done:
	}
	if b.err != nil {
		return none, b.err
	}
	if v, ok := b.found[key]; ok {
		return v, nil
	}
	return none, sql.ErrNoRows
}

// join adds a key to the batch that can take it. Whoever is its first runs it.
func (t *batcher[V]) join(key string) (b *batch[V], first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first = t.next == nil || len(t.next.keys) == maxBatch
	if first {
		t.next = &batch[V]{done: make(chan struct{}), err: errBatchPanic}
	}
	t.next.keys = append(t.next.keys, key)
	return t.next, first
}

func (t *batcher[V]) run(ctx context.Context, b *batch[V]) {
	defer close(b.done)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // else what bounds the query keeps the first one's request until then

	runtime.Gosched() // whoever can run now does, and some of them ask
	b.found, b.err = t.read(ctx, t.leave(b))
}

// leave takes a batch's keys, to which none are added from then on.
func (t *batcher[V]) leave(b *batch[V]) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next == b {
		t.next = nil
	}
	return b.keys
}
