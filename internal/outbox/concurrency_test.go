package outbox_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guestlist/guestlist/internal/outbox"
)

func TestTwoWorkersNeverMakeOneCallTogether(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		var mu sync.Mutex
		busy, most := map[string]int{}, map[string]int{}
		f.stytch.answer = func(_ context.Context, what string, n int) error {
			mu.Lock()
			busy[what]++
			most[what] = max(most[what], busy[what])
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			busy[what]--
			mu.Unlock()
			return nil
		}
		for i := range 12 {
			f.add(outbox.RevokeInvite, fmt.Sprintf("p%d", i))
		}
		one, two := f.worker(), f.worker()
		f.start(one)
		f.start(two)
		for i := range 12 {
			go one.Deliver(t.Context(), address(fmt.Sprintf("p%d", i)))
			go two.Deliver(t.Context(), address(fmt.Sprintf("p%d", i)))
		}
		time.Sleep(time.Minute)

		if n := len(f.stytch.made()); n != 12 {
			t.Errorf("%d calls for 12 jobs: %v", n, f.stytch.made())
		}
		for what, n := range most {
			if n > 1 {
				t.Errorf("%s was under way %d times at once", what, n)
			}
		}
	})
}

func TestStopWaitsForTheCallUnderWay(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.stytch.answer = func(ctx context.Context, _ string, _ int) error {
			time.Sleep(3 * time.Second)
			return ctx.Err()
		}
		f.add(outbox.RevokeInvite, "ada")
		stop := f.start(f.worker())
		time.Sleep(time.Second)
		stop()
		if got := time.Since(f.stytch.began); got != 3*time.Second {
			t.Errorf("stopped after %v, want the call's end at 3s", got)
		}
		if jobs := f.waiting("ada"); len(jobs) != 0 {
			t.Errorf("the call was not noted: %+v", jobs)
		}
	})
}

func TestDeliver(t *testing.T) {
	t.Run("returns when the person's calls are done", func(t *testing.T) {
		inBubble(t, func(t *testing.T, f *fixture) {
			f.stytch.answer = slow(time.Second)
			f.add(outbox.RevokeSession, "ada")
			f.add(outbox.DeleteUser, "ada")
			f.add(outbox.DeleteUser, "bob")
			f.worker().Deliver(t.Context(), address("ada"))
			if got := time.Since(f.stytch.began); got != 2*time.Second {
				t.Errorf("returned after %v, want 2s", got)
			}
			if len(f.waiting("ada")) != 0 || len(f.waiting("bob")) != 1 {
				t.Errorf("waiting: %+v and %+v", f.waiting("ada"), f.waiting("bob"))
			}
		})
	})
	t.Run("returns at once where nothing waits", func(t *testing.T) {
		inBubble(t, func(t *testing.T, f *fixture) {
			f.worker().Deliver(t.Context(), address("ada"))
			if got := time.Since(f.stytch.began); got != 0 {
				t.Errorf("took %v", got)
			}
		})
	})
	t.Run("tries what is not due yet, once", func(t *testing.T) {
		inBubble(t, func(t *testing.T, f *fixture) {
			f.stytch.answer = failing(errDown)
			f.add(outbox.RevokeInvite, "ada")
			w := f.worker()
			for want := 1; want <= 2; want++ {
				w.Deliver(t.Context(), address("ada"))
				if got := len(f.stytch.made()); got != want {
					t.Errorf("%d calls, want %d", got, want)
				}
			}
		})
	})
	t.Run("returns when the context ends, and the calls go on", func(t *testing.T) {
		inBubble(t, func(t *testing.T, f *fixture) {
			f.stytch.answer = func(ctx context.Context, _ string, _ int) error {
				time.Sleep(3 * time.Second)
				return ctx.Err()
			}
			f.add(outbox.RevokeInvite, "ada")
			f.add(outbox.DeleteUser, "ada")
			w := f.worker()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			w.Deliver(ctx, address("ada"))
			if got := time.Since(f.stytch.began); got != time.Second {
				t.Errorf("returned after %v, want 1s", got)
			}
			if len(f.waiting("ada")) != 2 {
				t.Error("a job was gone before its call was done")
			}
			w.Run(ctx) // the program stops: this waits for what Deliver began
			if got := time.Since(f.stytch.began); got != 6*time.Second {
				t.Errorf("stopped after %v, want 6s", got)
			}
			if jobs := f.waiting("ada"); len(jobs) != 0 {
				t.Errorf("not all calls were made and noted: %+v", jobs)
			}
		})
	})
}

func TestWake(t *testing.T) {
	for _, test := range []struct {
		name string
		wake bool
		want time.Duration
	}{
		{"starts at once on what is new", true, time.Second},
		{"is not needed for it to be found at the next look", false, 5 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				w := f.worker()
				f.start(w)
				time.Sleep(time.Second) // all have looked and found nothing
				f.add(outbox.RevokeInvite, "ada")
				if test.wake {
					w.Wake()
				}
				time.Sleep(10 * time.Second)
				if got := f.stytch.times("revoke_invite ada"); len(got) != 1 || got[0] != test.want {
					t.Errorf("called at %v, want %v", got, test.want)
				}
			})
		})
	}
	t.Run("never blocks", func(t *testing.T) {
		inBubble(t, func(t *testing.T, f *fixture) {
			w := f.worker()
			for range 100 {
				w.Wake()
			}
		})
	})
}

func TestHangingStytchIsGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.stytch.answer = func(ctx context.Context, _ string, _ int) error {
			<-ctx.Done()
			return ctx.Err()
		}
		f.add(outbox.RevokeInvite, "ada")
		f.worker().Deliver(context.WithoutCancel(t.Context()), address("ada"))
		synctest.Wait()
		if got := time.Since(f.stytch.began); got != 8*time.Second {
			t.Errorf("given up after %v, want 8s", got)
		}
		jobs := f.waiting("ada")
		if len(jobs) != 1 || jobs[0].LastError != "Stytch did not answer in time." {
			t.Errorf("left over: %+v", jobs)
		}
	})
}
