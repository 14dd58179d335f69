package loadshed

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// The clock of these tests is synctest's: it advances when every goroutine waits.

// newSmallLimiter has two slots and records what it reports.
func newSmallLimiter(maxBlocked int64, reports *[]int) *limiter {
	return newLimiter(Limits{2, maxBlocked, QueueTimeout}, func(count int) { *reports = append(*reports, count) })
}

// wantIdle checks that all slots of a small limiter are free and nothing is queued.
func wantIdle(t *testing.T, l *limiter, maxBlocked int64) {
	t.Helper()
	if !l.working.TryAcquire(2) || !l.blocked.TryAcquire(maxBlocked) || l.queued.Load() != 0 {
		t.Errorf("slots are held or requests queued: %d", l.queued.Load())
	}
}

func TestLimiter_RefusesAfterTheQueueTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		l := newSmallLimiter(0, &reports)
		first, second := l.acquire(t.Context()), l.acquire(t.Context())
		begin := time.Now()
		if l.acquire(t.Context()) != nil {
			t.Fatal("got a third slot")
		}
		if waited := time.Since(begin); waited != QueueTimeout {
			t.Errorf("refused after %v", waited)
		}
		first.release()
		first.release()
		third := l.acquire(t.Context())
		if third == nil {
			t.Fatal("a released slot is not given again")
		}
		if l.acquire(t.Context()) != nil {
			t.Error("releasing a slot twice made two")
		}
		time.Sleep(reportEvery)
		synctest.Wait()
		if !slices.Equal(reports, []int{2}) {
			t.Errorf("reported: %v", reports)
		}
		l.acquire(t.Context())
		time.Sleep(2 * reportEvery)
		synctest.Wait()
		if !slices.Equal(reports, []int{2, 1}) {
			t.Errorf("reported: %v", reports)
		}
		second.release()
		third.release()
		wantIdle(t, l, 0)
	})
}

func TestLimiter_GivesBlockedSlotsToOthersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		l := newSmallLimiter(3, &reports)
		begin := time.Now()
		var slots []*slot
		for range 3 {
			s := l.acquire(t.Context())
			s.markBlocked()
			s.markBlocked()
			slots = append(slots, s)
		}
		for range 2 {
			s := l.acquire(t.Context())
			s.markBlocked() // three are blocked already
			slots = append(slots, s)
		}
		if waited := time.Since(begin); waited > 0 {
			t.Errorf("the last waited for %v", waited)
		}
		if l.acquire(t.Context()) != nil {
			t.Error("more requests are blocked than may be")
		}
		for _, s := range slots {
			s.release()
			s.markBlocked()
		}
		wantIdle(t, l, 3)
	})
}

func TestLimiter_ServesInOrderOfArrival(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		l := newSmallLimiter(0, &reports)
		first, second := l.acquire(t.Context()), l.acquire(t.Context())
		served := make(chan int, 10)
		for i := range 10 {
			go func() {
				s := l.acquire(t.Context())
				served <- i
				s.release()
			}()
			synctest.Wait()
		}
		first.release() // the ten take turns with it
		defer second.release()
		for want := range 10 {
			if got := <-served; got != want {
				t.Errorf("request %d is served, though %d has waited longer", got, want)
			}
		}
	})
}

func TestLimiter_ServesOthersWhileRequestsHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		l := newSmallLimiter(3, &reports)
		var hanging []*slot
		for range 5 {
			s := l.acquire(t.Context())
			if s == nil {
				t.Fatalf("refused with %d hanging", len(hanging))
			}
			hanging = append(hanging, s)
		}
		if l.acquire(t.Context()) != nil {
			t.Error("requests that hang are not bounded")
		}
		hanging[0].release() // it was blocked, and makes room for one that only now can be
		if s := l.acquire(t.Context()); s == nil {
			t.Error("refused with one less hanging")
		} else {
			s.release()
		}
		for _, s := range hanging {
			s.release()
		}
		wantIdle(t, l, 3)
	})
}

func TestLimiter_ForgetsClientsThatLeaveTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		l := newSmallLimiter(0, &reports)
		first, second := l.acquire(t.Context()), l.acquire(t.Context())
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), QueueTimeout/2)
			if l.acquire(ctx) != nil {
				t.Error("got a third slot")
			}
			cancel()
		}
		first.release()
		second.release()
		wantIdle(t, l, 0)
		time.Sleep(2 * reportEvery)
		synctest.Wait()
		if len(reports) != 0 {
			t.Errorf("clients that left count as refused: %v", reports)
		}
	})
}

func TestLimiter_ClientLeavesWhileGranted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(Limits{1, 0, QueueTimeout}, func(int) {})
		for range 100 { // the slot is given while the client leaves
			holder := l.acquire(t.Context())
			if holder == nil {
				t.Fatal("the slot is lost")
			}
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if s := l.acquire(ctx); s != nil {
					s.release()
				}
			}()
			synctest.Wait()
			cancel()
			holder.release()
			synctest.Wait()
		}
		if l.queued.Load() != 0 || !l.working.TryAcquire(1) {
			t.Error("a slot is held or a request queued")
		}
	})
}

func TestLimiter_RefusesAtOnceWhenTheQueueIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		l := newSmallLimiter(0, &reports)
		first, second := l.acquire(t.Context()), l.acquire(t.Context())
		for range maxQueued {
			go func() {
				if s := l.acquire(t.Context()); s != nil {
					s.release()
				}
			}()
		}
		synctest.Wait()
		begin := time.Now()
		if l.acquire(t.Context()) != nil || time.Since(begin) != 0 {
			t.Errorf("one more was answered after %v", time.Since(begin))
		}
		first.release()
		second.release()
		time.Sleep(time.Second)
	})
}
