package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

func TestTogether(t *testing.T) {
	t.Parallel()
	for _, r := range []struct {
		name string
		run  func(t *testing.T)
	}{
		{"who asks alone is answered alone", testAlone},
		{"who asks at the same moment shares a query", testShares},
		{"who asks after a query has begun is not answered by it", testAfter},
		{"a query takes so many and no more", testMost},
		{"an error is everybody's", testErrorOfAll},
		{"a panic is no answer", testPanicOfFirst},
		{"who gives up does not wait", testGivesUp},
		{"nothing is kept of a query that is over", testLetsGo},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, r.run)
		})
	}
}

// upper knows every key but "nobody".
func upper(_ context.Context, keys []string) (map[string]string, error) {
	found := map[string]string{}
	for _, key := range keys {
		if key != "nobody" {
			found[key] = strings.ToUpper(key)
		}
	}
	return found, nil
}

// answer is what one of several who ask is told.
type answer struct {
	value string
	err   error
}

// asks has somebody ask, and returns when they wait.
func asks(ctx context.Context, t *batcher[string], key string) <-chan answer {
	told := make(chan answer, 1)
	go func() {
		value, err := t.Load(ctx, key)
		told <- answer{value, err}
	}()
	synctest.Wait()
	return told
}

func testAlone(t *testing.T) {
	all := &batcher[string]{read: upper}
	if got, err := all.Load(t.Context(), "ada"); got != "ADA" || err != nil {
		t.Errorf("ada: %q, %v", got, err)
	}
	if got, err := all.Load(t.Context(), "nobody"); got != "" || !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("nobody: %q, %v", got, err)
	}
}

func testShares(t *testing.T) {
	var queries [][]string
	all := &batcher[string]{read: func(ctx context.Context, keys []string) (map[string]string, error) {
		queries = append(queries, keys)
		return upper(ctx, keys)
	}}
	b, first := all.join("ada")
	grace, nobody := asks(t.Context(), all, "grace"), asks(t.Context(), all, "nobody")
	if !first || len(queries) != 0 {
		t.Fatal("a query was made before the first made it", queries)
	}
	all.run(t.Context(), b)
	if got := <-grace; got.value != "GRACE" || got.err != nil {
		t.Errorf("grace: %v", got)
	}
	if got := <-nobody; !errors.Is(got.err, sql.ErrNoRows) {
		t.Errorf("nobody: %v", got)
	}
	if want := []string{"ada", "grace", "nobody"}; len(queries) != 1 || !slices.Equal(queries[0], want) {
		t.Errorf("queries %q", queries)
	}
}

func testAfter(t *testing.T) {
	role := "member"
	goOn := make(chan struct{})
	all := &batcher[string]{read: func(_ context.Context, keys []string) (map[string]string, error) {
		now := role
		<-goOn
		return map[string]string{"ada": now}, nil
	}}
	before := asks(t.Context(), all, "ada")
	role = "admin"
	after := asks(t.Context(), all, "ada")
	close(goOn)
	if got := <-before; got.value != "member" {
		t.Errorf("before: %v", got)
	}
	if got := <-after; got.value != "admin" {
		t.Errorf("after: %v", got)
	}
}

func testMost(t *testing.T) {
	all := &batcher[string]{read: upper}
	for i := range maxBatch {
		if _, first := all.join(fmt.Sprint(i)); first != (i == 0) {
			t.Fatal(i, first)
		}
	}
	b, first := all.join("one more")
	if !first || !slices.Equal(all.leave(b), []string{"one more"}) {
		t.Error("is not the first of another query", b.keys)
	}
}

func testErrorOfAll(t *testing.T) {
	wrong := errors.New("wrong")
	all := &batcher[string]{read: func(context.Context, []string) (map[string]string, error) {
		return map[string]string{"ada": "ADA"}, wrong
	}}
	b, _ := all.join("grace")
	ada := asks(t.Context(), all, "ada")
	all.run(t.Context(), b)
	if got := <-ada; got != (answer{"", wrong}) {
		t.Errorf("told %v", got)
	}
}

func testPanicOfFirst(t *testing.T) {
	all := &batcher[string]{read: func(context.Context, []string) (map[string]string, error) { panic("wrong") }}
	b, _ := all.join("grace")
	ada := asks(t.Context(), all, "ada")
	func() {
		defer func() { _ = recover() }()
		all.run(t.Context(), b)
	}()
	if got := <-ada; !errors.Is(got.err, errBatchPanic) {
		t.Errorf("told %v, which would sign them out", got)
	}
}

func testGivesUp(t *testing.T) {
	all := &batcher[string]{read: upper}
	b, _ := all.join("grace")
	ctx, giveUp := context.WithCancel(t.Context())
	ada := asks(ctx, all, "ada")
	giveUp()
	if got := <-ada; !errors.Is(got.err, context.Canceled) {
		t.Errorf("told %v", got)
	}
	all.run(t.Context(), b)
	for range 10 { // both could be chosen
		if got, err := all.Load(ctx, "ada"); !errors.Is(err, context.Canceled) {
			t.Errorf("asked after giving up, and told %q, %v", got, err)
		}
	}
}

func testLetsGo(t *testing.T) {
	var of context.Context
	all := &batcher[string]{read: func(ctx context.Context, keys []string) (map[string]string, error) {
		of = ctx
		return upper(ctx, keys)
	}}
	if _, err := all.Load(t.Context(), "ada"); err != nil || of.Err() == nil {
		t.Errorf("%v, and the query's context goes on: %v", err, of.Err())
	}
}
