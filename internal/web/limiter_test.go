package web

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// In these tests time is the bubble's: it passes when everybody waits.

func fewPlaces(reports *[]int) *limiter {
	ps := newPlaces(func(refused int) { *reports = append(*reports, refused) })
	ps.atWork, ps.lentOut = 2, 3
	return ps
}

func TestWhoFindsNoPlaceWaitsAWhileAndIsThenSentAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		ps := fewPlaces(&reports)
		ps.lentOut = 0
		first, second := ps.acquire(t.Context()), ps.acquire(t.Context())
		begin := time.Now()
		if ps.acquire(t.Context()) != nil {
			t.Fatal("a third place")
		}
		if waited := time.Since(begin); waited < queueTimeout || waited > queueTimeout+reapInterval {
			t.Errorf("it took %v to say no", waited)
		}
		if len(reports) != 1 || reports[0] != 1 {
			t.Errorf("reported: %v", reports)
		}
		first.release()
		first.release()
		third := ps.acquire(t.Context())
		if third == nil {
			t.Fatal("a place that was left is not given again")
		}
		if ps.acquire(t.Context()) != nil {
			t.Error("one place left twice is two places")
		}
		second.release()
		third.release()
		time.Sleep(2 * time.Second)
		if len(ps.active) != 0 || ps.blocked != 0 || len(ps.queue) != 0 || ps.reaping {
			t.Errorf("something stays behind: %+v", ps)
		}
		if len(reports) != 2 || reports[1] != 1 {
			t.Errorf("reported: %v", reports)
		}
	})
}

func TestWhoSaysThatTheyWaitLendTheirPlaceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		ps := fewPlaces(&reports)
		begin := time.Now()
		var all []*slot
		for range 3 { // as many as may be lent
			p := ps.acquire(t.Context())
			p.block()
			p.block()
			all = append(all, p)
		}
		for range 2 { // and as many as may be at work
			p := ps.acquire(t.Context())
			p.block() // no more
			all = append(all, p)
		}
		if waited := time.Since(begin); waited > 0 {
			t.Errorf("the last waited for %v", waited)
		}
		if ps.acquire(t.Context()) != nil {
			t.Error("more is lent than may be")
		}
		for _, p := range all {
			p.release()
			p.block() // there is nothing to lend
		}
		if time.Sleep(2 * time.Second); len(ps.active) != 0 || ps.blocked != 0 {
			t.Errorf("something stays behind: %+v", ps)
		}
	})
}

func TestWhoWaitsIsServedInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		ps := fewPlaces(&reports)
		first, second := ps.acquire(t.Context()), ps.acquire(t.Context())
		served := make(chan int, 10)
		for i := range 10 {
			go func() {
				p := ps.acquire(t.Context())
				served <- i
				p.release()
			}()
			synctest.Wait()
		}
		first.release() // one place, from hand to hand
		defer second.release()
		for want := range 10 {
			if got := <-served; got != want {
				t.Errorf("number %d is served where %d has waited longest", got, want)
			}
		}
	})
}

func TestWhatHangsDoesNotKeepOutWhatIsQuick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		ps := fewPlaces(&reports)
		var hanging []*slot
		for range ps.atWork + ps.lentOut { // as many as may ever be under way
			p := ps.acquire(t.Context())
			if p == nil {
				t.Fatalf("refused, with %d hanging", len(hanging))
			}
			hanging = append(hanging, p)
		}
		if ps.acquire(t.Context()) != nil {
			t.Error("there is no bound on what hangs")
		}
		for _, p := range hanging {
			p.release()
		}
		if len(ps.active) != 0 || ps.blocked != 0 {
			t.Errorf("something stays behind: %+v", ps)
		}
	})
}

func TestWhoGoesAwayTakesNoPlaceAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		ps := fewPlaces(&reports)
		ps.lentOut = 0
		first, second := ps.acquire(t.Context()), ps.acquire(t.Context())
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), queueTimeout/2)
			if ps.acquire(ctx) != nil {
				t.Error("a third place")
			}
			cancel()
		}
		first.release()
		second.release()
		if len(ps.active) != 0 || len(ps.queue) != 0 {
			t.Errorf("something stays behind: %+v", ps)
		}
		if len(reports) != 0 {
			t.Errorf("who went away counts as refused: %v", reports)
		}
	})
}

func TestWhoGoesAwayWhenTheirTurnComesTakesNoPlaceAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		ps := fewPlaces(&reports)
		ps.atWork, ps.lentOut = 1, 0
		for range 100 { // the place is given to who has heard that they are to go, and has not gone
			holder := ps.acquire(t.Context())
			if holder == nil {
				t.Fatal("a place went with who had left")
			}
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if p := ps.acquire(ctx); p != nil {
					p.release()
				}
			}()
			synctest.Wait()
			cancel()
			holder.release()
			synctest.Wait()
		}
		time.Sleep(2 * time.Second)
		if len(ps.active) != 0 || len(ps.queue) != 0 {
			t.Errorf("something stays behind: %+v", ps)
		}
	})
}

func TestNoMoreWaitThanThereMayBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		ps := fewPlaces(&reports)
		first, _ := ps.acquire(t.Context()), ps.acquire(t.Context())
		ps.lentOut = 0
		for range maxQueued {
			go func() {
				if p := ps.acquire(t.Context()); p != nil {
					p.release()
				}
			}()
		}
		synctest.Wait()
		begin := time.Now()
		if ps.acquire(t.Context()) != nil || time.Since(begin) != 0 {
			t.Errorf("one more: %v", time.Since(begin))
		}
		first.release()
		time.Sleep(time.Second)
	})
}
