package dbconn

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"
)

const (
	maxBatch   = 64 // keys of one query
	maxQueries = 2  // queries that run at the same time
)

// Batcher looks up keys, and merges lookups that wait for a free query into one. A query starts after all its lookups were
// requested, so it returns nothing older.
type Batcher[V any] struct {
	read    func(ctx context.Context, keys []string) (map[string]V, error)
	timeout time.Duration // for a lookup, including its wait
	running chan struct{}

	mu   sync.Mutex
	next *batch[V] // accepts keys; nil if none does
}

type batch[V any] struct {
	keys  []string
	done  chan struct{} // closed once found and err are set
	found map[string]V
	err   error
}

// errBatchPanic is the error of the other lookups if their query panics.
var errBatchPanic = errors.New("not read")

// NewBatcher returns a Batcher that reads values by their keys; keys without one are left out.
func NewBatcher[V any](timeout time.Duration, read func(ctx context.Context, keys []string) (map[string]V, error)) *Batcher[V] {
	return &Batcher[V]{read: read, timeout: timeout, running: make(chan struct{}, maxQueries)}
}

// Load returns the value of a key, or sql.ErrNoRows. If ctx ends, it returns at once, unless its query serves others.
func (b *Batcher[V]) Load(ctx context.Context, key string) (V, error) {
	var zero V
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	own, first := b.join(key)
	if first {
		b.run(context.WithoutCancel(ctx), own)
	}
	select {
	case <-ctx.Done():
		return zero, ctx.Err()
	case <-own.done:
	}
	if own.err != nil {
		return zero, own.err
	}
	if v, ok := own.found[key]; ok {
		return v, nil
	}
	return zero, sql.ErrNoRows
}

// join adds a key to the next batch. The first to join a batch must run it.
func (b *Batcher[V]) join(key string) (joined *batch[V], first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	first = b.next == nil || len(b.next.keys) == maxBatch
	if first {
		b.next = &batch[V]{done: make(chan struct{}), err: errBatchPanic}
	}
	b.next.keys = append(b.next.keys, key)
	return b.next, first
}

// run waits until a query may run, while others join, and runs it.
func (b *Batcher[V]) run(ctx context.Context, own *batch[V]) {
	defer close(own.done)
	ctx, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	select {
	case b.running <- struct{}{}:
		defer func() { <-b.running }()
	case <-ctx.Done():
	}
	own.found, own.err = b.read(ctx, b.leave(own))
}

// leave closes a batch to further keys and returns those it has.
func (b *Batcher[V]) leave(own *batch[V]) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == own {
		b.next = nil
	}
	return own.keys
}
