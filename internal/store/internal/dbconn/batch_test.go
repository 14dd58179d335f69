package dbconn

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestBatcher(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"a lookup on its own runs at once", testBatchOfOne},
		{"lookups that wait for a query share the next one", testBatchShared},
		{"a lookup isn't answered by a query that has started", testBatchNotStale},
		{"a query has a maximum of keys", testBatchFull},
		{"an error is returned to every lookup", testBatchError},
		{"a panic is an error of the other lookups", testBatchPanic},
		{"a lookup ends with its context", testBatchCancelled},
		{"a lookup ends in time if all queries hang", testBatchTimeout},
		{"the context of a query ends with it", testBatchContext},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, r.run)
		})
	}
}

// upper finds every key but "none".
func upper(_ context.Context, keys []string) (map[string]string, error) {
	found := map[string]string{}
	for _, key := range keys {
		if key != "none" {
			found[key] = strings.ToUpper(key)
		}
	}
	return found, nil
}

type result struct {
	value string
	err   error
}

// load starts a lookup and returns when it waits.
func load(ctx context.Context, b *Batcher[string], key string) <-chan result {
	loaded := make(chan result, 1)
	go func() {
		value, err := b.Load(ctx, key)
		loaded <- result{value, err}
	}()
	synctest.Wait()
	return loaded
}

// occupy starts as many queries as may run. They end when release is called.
func occupy(t *testing.T, b *Batcher[string]) (release func()) {
	t.Helper()
	for range maxQueries {
		b.running <- struct{}{}
	}
	return func() {
		for range maxQueries {
			<-b.running
		}
		synctest.Wait()
	}
}

func testBatchOfOne(t *testing.T) {
	b := NewBatcher(time.Minute, upper)
	if got, err := b.Load(t.Context(), "ada"); got != "ADA" || err != nil {
		t.Errorf("ada: %q, %v", got, err)
	}
	if got, err := b.Load(t.Context(), "none"); got != "" || !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("none: %q, %v", got, err)
	}
}

func testBatchShared(t *testing.T) {
	var queries [][]string
	b := NewBatcher(time.Minute, func(ctx context.Context, keys []string) (map[string]string, error) {
		queries = append(queries, keys)
		return upper(ctx, keys)
	})
	release := occupy(t, b)
	ada, grace, none := load(t.Context(), b, "ada"), load(t.Context(), b, "grace"), load(t.Context(), b, "none")
	if len(queries) != 0 {
		t.Fatal("a query ran too early", queries)
	}
	release()
	if got := <-ada; got != (result{"ADA", nil}) {
		t.Errorf("ada: %v", got)
	}
	if got := <-grace; got != (result{"GRACE", nil}) {
		t.Errorf("grace: %v", got)
	}
	if got := <-none; !errors.Is(got.err, sql.ErrNoRows) {
		t.Errorf("none: %v", got)
	}
	if want := []string{"ada", "grace", "none"}; len(queries) != 1 || !slices.Equal(queries[0], want) {
		t.Errorf("queries %q", queries)
	}
}

func testBatchNotStale(t *testing.T) {
	role := "member"
	goOn := make(chan struct{})
	b := NewBatcher(time.Minute, func(context.Context, []string) (map[string]string, error) {
		now := role
		<-goOn
		return map[string]string{"ada": now}, nil
	})
	before := load(t.Context(), b, "ada")
	role = "admin"
	after := load(t.Context(), b, "ada")
	close(goOn)
	if got := <-before; got.value != "member" {
		t.Errorf("before: %v", got)
	}
	if got := <-after; got.value != "admin" {
		t.Errorf("after: %v", got)
	}
}

func testBatchFull(t *testing.T) {
	b := NewBatcher(time.Minute, upper)
	for i := range maxBatch {
		if _, first := b.join(fmt.Sprint(i)); first != (i == 0) {
			t.Fatal(i, first)
		}
	}
	next, first := b.join("one more")
	if !first || !slices.Equal(b.leave(next), []string{"one more"}) {
		t.Error("is not the first of another query", next.keys)
	}
}

func testBatchError(t *testing.T) {
	wrong := errors.New("wrong")
	b := NewBatcher(time.Minute, func(context.Context, []string) (map[string]string, error) {
		return map[string]string{"ada": "ADA"}, wrong
	})
	release := occupy(t, b)
	grace, ada := load(t.Context(), b, "grace"), load(t.Context(), b, "ada")
	release()
	for _, loaded := range []<-chan result{grace, ada} {
		if got := <-loaded; got != (result{"", wrong}) {
			t.Errorf("got %v", got)
		}
	}
}

func testBatchPanic(t *testing.T) {
	b := NewBatcher(time.Minute, func(context.Context, []string) (map[string]string, error) { panic("wrong") })
	own, _ := b.join("grace")
	ada := load(t.Context(), b, "ada")
	func() {
		defer func() { _ = recover() }()
		b.run(t.Context(), own)
	}()
	if got := <-ada; !errors.Is(got.err, errBatchPanic) {
		t.Errorf("got %v, which would sign the user out", got)
	}
	if len(b.running) != 0 {
		t.Error("the query still counts as running")
	}
}

func testBatchCancelled(t *testing.T) {
	b := NewBatcher(time.Minute, upper)
	release := occupy(t, b)
	grace := load(t.Context(), b, "grace")
	ctx, cancel := context.WithCancel(t.Context())
	ada := load(ctx, b, "ada")
	cancel()
	if got := <-ada; !errors.Is(got.err, context.Canceled) {
		t.Errorf("got %v", got)
	}
	release()
	<-grace
	if got, err := b.Load(ctx, "ada"); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of its context: %q, %v", got, err)
	}
}

func testBatchTimeout(t *testing.T) {
	var queries atomic.Int32
	b := NewBatcher(time.Minute, func(ctx context.Context, _ []string) (map[string]string, error) {
		queries.Add(1)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	begin := time.Now()
	var loads []<-chan result
	for range 3 * maxQueries {
		loads = append(loads, load(t.Context(), b, "ada"))
	}
	for _, loaded := range loads {
		if got := <-loaded; !errors.Is(got.err, context.DeadlineExceeded) {
			t.Errorf("got %v", got)
		}
	}
	if took := time.Since(begin); took != time.Minute {
		t.Errorf("took %v and %d queries", took, queries.Load())
	}
}

func testBatchContext(t *testing.T) {
	var used context.Context
	b := NewBatcher(time.Minute, func(ctx context.Context, keys []string) (map[string]string, error) {
		used = ctx
		return upper(ctx, keys)
	})
	if _, err := b.Load(t.Context(), "ada"); err != nil || used.Err() == nil {
		t.Errorf("%v, and the query's context goes on: %v", err, used.Err())
	}
}
