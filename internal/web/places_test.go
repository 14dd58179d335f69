package web

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// In these tests time is the bubble's: it passes when everybody waits.

func fewPlaces(reports *[]int) *places {
	ps := newPlaces(func(refused int) { *reports = append(*reports, refused) })
	ps.atWork, ps.lentOut = 2, 3
	return ps
}

func TestWhoFindsNoPlaceWaitsAWhileAndIsThenSentAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		ps := fewPlaces(&reports)
		ps.lentOut = 0
		first, second := ps.enter(t.Context()), ps.enter(t.Context())
		begin := time.Now()
		if ps.enter(t.Context()) != nil {
			t.Fatal("a third place")
		}
		if waited := time.Since(begin); waited < patience || waited > patience+lookEvery {
			t.Errorf("it took %v to say no", waited)
		}
		if len(reports) != 1 || reports[0] != 1 {
			t.Errorf("reported: %v", reports)
		}
		first.leave()
		first.leave()
		third := ps.enter(t.Context())
		if third == nil {
			t.Fatal("a place that was left is not given again")
		}
		if ps.enter(t.Context()) != nil {
			t.Error("one place left twice is two places")
		}
		second.leave()
		third.leave()
		time.Sleep(2 * time.Second)
		if len(ps.taken) != 0 || ps.lent != 0 || len(ps.queue) != 0 || ps.looking {
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
		var all []*place
		for range 3 { // as many as may be lent
			p := ps.enter(t.Context())
			p.lend()
			p.lend()
			all = append(all, p)
		}
		for range 2 { // and as many as may be at work
			p := ps.enter(t.Context())
			p.lend() // no more
			all = append(all, p)
		}
		if waited := time.Since(begin); waited > 0 {
			t.Errorf("the last waited for %v", waited)
		}
		if ps.enter(t.Context()) != nil {
			t.Error("more is lent than may be")
		}
		for _, p := range all {
			p.leave()
			p.lend() // there is nothing to lend
		}
		if time.Sleep(2 * time.Second); len(ps.taken) != 0 || ps.lent != 0 {
			t.Errorf("something stays behind: %+v", ps)
		}
	})
}

func TestWhoWaitsIsServedInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		ps := fewPlaces(&reports)
		first, second := ps.enter(t.Context()), ps.enter(t.Context())
		served := make(chan int, 10)
		for i := range 10 {
			go func() {
				p := ps.enter(t.Context())
				served <- i
				p.leave()
			}()
			synctest.Wait()
		}
		first.leave() // one place, from hand to hand
		defer second.leave()
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
		var hanging []*place
		for range ps.atWork + ps.lentOut { // as many as may ever be under way
			p := ps.enter(t.Context())
			if p == nil {
				t.Fatalf("refused, with %d hanging", len(hanging))
			}
			hanging = append(hanging, p)
		}
		if ps.enter(t.Context()) != nil {
			t.Error("there is no bound on what hangs")
		}
		for _, p := range hanging {
			p.leave()
		}
		if len(ps.taken) != 0 || ps.lent != 0 {
			t.Errorf("something stays behind: %+v", ps)
		}
	})
}

func TestWhoGoesAwayTakesNoPlaceAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		ps := fewPlaces(&reports)
		ps.lentOut = 0
		first, second := ps.enter(t.Context()), ps.enter(t.Context())
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), patience/2)
			if ps.enter(ctx) != nil {
				t.Error("a third place")
			}
			cancel()
		}
		first.leave()
		second.leave()
		if len(ps.taken) != 0 || len(ps.queue) != 0 {
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
			holder := ps.enter(t.Context())
			if holder == nil {
				t.Fatal("a place went with who had left")
			}
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				if p := ps.enter(ctx); p != nil {
					p.leave()
				}
			}()
			synctest.Wait()
			cancel()
			holder.leave()
			synctest.Wait()
		}
		time.Sleep(2 * time.Second)
		if len(ps.taken) != 0 || len(ps.queue) != 0 {
			t.Errorf("something stays behind: %+v", ps)
		}
	})
}

func TestNoMoreWaitThanThereMayBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []int
		ps := fewPlaces(&reports)
		first, _ := ps.enter(t.Context()), ps.enter(t.Context())
		ps.lentOut = 0
		for range mostQueued {
			go func() {
				if p := ps.enter(t.Context()); p != nil {
					p.leave()
				}
			}()
		}
		synctest.Wait()
		begin := time.Now()
		if ps.enter(t.Context()) != nil || time.Since(begin) != 0 {
			t.Errorf("one more: %v", time.Since(begin))
		}
		first.leave()
		time.Sleep(time.Second)
	})
}
