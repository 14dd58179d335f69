package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/limit"
)

var limitRows = []row{
	{"a bucket allows a burst, and then one per interval", single(testBurst)},
	{"if one bucket is empty, nothing is counted in the others", single(testAllOrNone)},
	{"fifty concurrent uses on two instances get no more than the burst", testBurstConcurrently},
	{"setting a clock back doesn't block a bucket for longer", single(testLimitsClockBack)},
	{"a reserve is refused to some uses and available to others", single(testReserve)},
	{"a bucket whose row was deleted after it was read still counts", single(testLimitDeletedAfterRead)},
	{"full buckets, and no others, are deleted", single(testDeleteLimits)},
	{"rows written before a clock was set back are deleted", single(testDeleteLimitsClockBack)},
	{"more buckets than one statement deletes are deleted", single(testDeleteManyLimits)},
}

// rate allows three uses, and one more per minute.
var rate = limit.Rate{Burst: 3, Every: time.Minute}

// take counts one use and returns how long to wait if it was refused, or else 0.
func take(t *testing.T, s Store, now time.Time, buckets ...limit.Bucket) time.Duration {
	t.Helper()
	levels, err := s.ReadLimits(t.Context(), buckets...)
	if err != nil {
		t.Fatal(err)
	}
	predicted := levels.Refused(now, buckets...)
	refusal, err := s.TakeLimits(t.Context(), now, levels, buckets...)
	if err != nil {
		t.Fatal(err)
	}
	if predicted.Bucket != refusal.Bucket || !predicted.Until.Equal(refusal.Until) {
		t.Errorf("ReadLimits predicted %+v, TakeLimits returned %+v", predicted, refusal)
	}
	if refusal.Until.IsZero() {
		return 0
	}
	return refusal.Until.Sub(now)
}

func testBurst(t *testing.T, s Store) {
	b, other := limit.NewBucket("links", "ada", rate), limit.NewBucket("links", "bob", rate)
	for i, want := range []struct {
		after, wait time.Duration // since Now
	}{
		{0, 0}, {0, 0}, {0, 0}, {0, time.Minute}, {0, time.Minute}, // a refused use isn't counted
		{59 * time.Second, time.Second}, {time.Minute, 0}, {time.Minute, time.Minute}, {90 * time.Second, 30 * time.Second},
		{time.Hour, 0}, {time.Hour, 0}, {time.Hour, 0}, {time.Hour, time.Minute}, // not more than the burst
	} {
		if got := take(t, s, Now().Add(want.after), b); got != want.wait {
			t.Errorf("try %d: wait %v, want %v", i, got, want.wait)
		}
	}
	if got := take(t, s, Now(), other); got != 0 {
		t.Errorf("another waits %v", got)
	}
}

func testAllOrNone(t *testing.T, s Store) {
	empty, full := limit.NewBucket("empty", "", limit.Rate{Burst: 1, Every: time.Minute}), limit.NewBucket("full", "", rate)
	take(t, s, Now(), empty)
	for range 5 {
		for _, order := range [][]limit.Bucket{{empty, full}, {full, empty}} {
			if got := take(t, s, Now(), order...); got != time.Minute {
				t.Errorf("wait %v, want a minute", got)
			}
		}
	}
	for range rate.Burst {
		if got := take(t, s, Now(), full); got != 0 {
			t.Errorf("a refused use was counted: wait %v", got)
		}
	}
}

func testBurstConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	hot, own := limit.NewBucket("hot", "", limit.Rate{Burst: 10, Every: time.Minute}), limit.NewBucket("own", "", limit.Rate{Burst: 100, Every: time.Minute})
	var through atomic.Int64
	for i, err := range concurrently(50, func(i int) error {
		refusal, err := stores[i%2].TakeLimits(t.Context(), Now(), nil, own, hot)
		if err == nil && refusal.Until.IsZero() {
			through.Add(1)
		}
		return err
	}) {
		if err != nil {
			t.Errorf("try %d: %v", i, err)
		}
	}
	if got := through.Load(); got != 10 {
		t.Errorf("%d got through, want 10", got)
	}
}

func testLimitsClockBack(t *testing.T, s Store) {
	b := limit.NewBucket("links", "", rate)
	for range 3 {
		take(t, s, Now(), b)
	}
	before := Now().Add(-time.Hour)
	for _, want := range []time.Duration{0, 0, 0, time.Minute} {
		if got := take(t, s, before, b); got != want {
			t.Errorf("an hour earlier: wait %v, want %v", got, want)
		}
	}
	if got := take(t, s, Now().Add(-time.Hour-5*time.Minute), b); got != 6*time.Minute {
		t.Errorf("on an instance that is five minutes behind: wait %v, want six minutes", got)
	}
}

func testDeleteLimits(t *testing.T, s Store) {
	b := limit.NewBucket("links", "", rate)
	for range 3 {
		take(t, s, Now(), b)
	}
	if n, err := s.DeleteLimits(t.Context(), Now().Add(3*time.Minute), Now()); n != 0 || err != nil {
		t.Errorf("%d deleted too early: %v", n, err)
	}
	if got := take(t, s, Now(), b); got != time.Minute {
		t.Errorf("wait %v, want a minute", got)
	}
	if n, err := s.DeleteLimits(t.Context(), Now().Add(3*time.Minute+time.Second), Now()); n != 1 || err != nil {
		t.Errorf("%d deleted, want 1: %v", n, err)
	}
}

func testReserve(t *testing.T, s Store) {
	all := limit.NewBucket("links", "", limit.Rate{Burst: 3, Every: time.Minute})
	fewer := all
	fewer.Reserve = 2
	for i, try := range []struct {
		b    limit.Bucket
		wait time.Duration
	}{{fewer, 0}, {fewer, time.Minute}, {all, 0}, {fewer, 2 * time.Minute}, {all, 0}, {all, time.Minute}, {fewer, 3 * time.Minute}} {
		if got := take(t, s, Now(), try.b); got != try.wait {
			t.Errorf("try %d: wait %v, want %v", i, got, try.wait)
		}
	}
}

func testLimitDeletedAfterRead(t *testing.T, s Store) {
	b := limit.NewBucket("links", "", rate)
	take(t, s, Now(), b)
	levels, err := s.ReadLimits(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.DeleteLimits(t.Context(), Now().Add(time.Hour), Now()); n != 1 || err != nil {
		t.Fatalf("%d deleted: %v", n, err)
	}
	if refusal, err := s.TakeLimits(t.Context(), Now(), levels, b); err != nil || !refusal.Until.IsZero() {
		t.Errorf("got %+v, %v", refusal, err)
	}
	if levels, err = s.ReadLimits(t.Context(), b); err != nil || !levels[b.Name].Equal(Now().Add(time.Minute)) {
		t.Errorf("got %v, %v", levels, err)
	}
}

func testDeleteLimitsClockBack(t *testing.T, s Store) {
	future, present := limit.NewBucket("links", "future", rate), limit.NewBucket("links", "present", rate)
	take(t, s, Now().Add(365*24*time.Hour), future)
	take(t, s, Now(), present)
	if n, err := s.DeleteLimits(t.Context(), Now().Add(-time.Hour), Now()); n != 1 || err != nil {
		t.Errorf("%d deleted, want 1: %v", n, err)
	}
	if levels, err := s.ReadLimits(t.Context(), future, present); err != nil || len(levels) != 1 || levels[present.Name].IsZero() {
		t.Errorf("left: %v, %v", levels, err)
	}
}

func testDeleteManyLimits(t *testing.T, s Store) {
	const many = 450
	for i := 0; i < many; i += 50 {
		var buckets []limit.Bucket
		for j := range 50 {
			buckets = append(buckets, limit.NewBucket("links", fmt.Sprint(i+j), rate))
		}
		take(t, s, Now(), buckets...)
	}
	if n, err := s.DeleteLimits(t.Context(), Now().Add(time.Hour), Now()); n != many || err != nil {
		t.Errorf("%d deleted, want %d: %v", n, many, err)
	}
}
