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

func TestWorker_TwoWorkersMakeEachCallOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		var mu sync.Mutex
		busy, maxBusy := map[string]int{}, map[string]int{}
		f.stytch.answer = func(_ context.Context, what string, n int) error {
			mu.Lock()
			busy[what]++
			maxBusy[what] = max(maxBusy[what], busy[what])
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
		for what, n := range maxBusy {
			if n > 1 {
				t.Errorf("%s was made %d times concurrently", what, n)
			}
		}
	})
}

func TestRun_WaitsForCallInProgress(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.stytch.answer = func(ctx context.Context, _ string, _ int) error {
			time.Sleep(3 * time.Second)
			return ctx.Err()
		}
		f.add(outbox.RevokeInvite, "ada")
		stop := f.start(f.worker())
		time.Sleep(time.Second)
		stop()
		if got := time.Since(f.stytch.start); got != 3*time.Second {
			t.Errorf("stopped after %v, want the call's end at 3s", got)
		}
		if jobs := f.pending("ada"); len(jobs) != 0 {
			t.Errorf("the call was not recorded: %+v", jobs)
		}
	})
}

func TestDeliver(t *testing.T) {
	t.Run("returns when the user's jobs are done", func(t *testing.T) {
		inBubble(t, func(t *testing.T, f *fixture) {
			f.stytch.answer = slow(time.Second)
			f.add(outbox.RevokeSession, "ada")
			f.add(outbox.DeleteUser, "ada")
			f.add(outbox.DeleteUser, "bob")
			f.worker().Deliver(t.Context(), address("ada"))
			if got := time.Since(f.stytch.start); got != 2*time.Second {
				t.Errorf("returned after %v, want 2s", got)
			}
			if len(f.pending("ada")) != 0 || len(f.pending("bob")) != 1 {
				t.Errorf("pending: %+v and %+v", f.pending("ada"), f.pending("bob"))
			}
		})
	})
	t.Run("returns immediately if no job is pending", func(t *testing.T) {
		inBubble(t, func(t *testing.T, f *fixture) {
			f.worker().Deliver(t.Context(), address("ada"))
			if got := time.Since(f.stytch.start); got != 0 {
				t.Errorf("took %v", got)
			}
		})
	})
	t.Run("tries a job that isn't due, once", func(t *testing.T) {
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
	t.Run("returns when the context ends, and completes the calls in the background", func(t *testing.T) {
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
			if got := time.Since(f.stytch.start); got != time.Second {
				t.Errorf("returned after %v, want 1s", got)
			}
			if len(f.pending("ada")) != 2 {
				t.Error("a job was deleted before its call was done")
			}
			w.Run(ctx) // waits for the calls of Deliver
			if got := time.Since(f.stytch.start); got != 6*time.Second {
				t.Errorf("stopped after %v, want 6s", got)
			}
			if jobs := f.pending("ada"); len(jobs) != 0 {
				t.Errorf("not all calls were made and recorded: %+v", jobs)
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
		{"starts new jobs immediately", true, time.Second},
		{"isn't needed: the next poll finds them", false, 5 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, f *fixture) {
				w := f.worker()
				f.start(w)
				time.Sleep(time.Second) // the first poll has found nothing
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

func TestDeliver_StytchHangs(t *testing.T) {
	inBubble(t, func(t *testing.T, f *fixture) {
		f.stytch.answer = func(ctx context.Context, _ string, _ int) error {
			<-ctx.Done()
			return ctx.Err()
		}
		f.add(outbox.RevokeInvite, "ada")
		f.worker().Deliver(context.WithoutCancel(t.Context()), address("ada"))
		synctest.Wait()
		if got := time.Since(f.stytch.start); got != 8*time.Second {
			t.Errorf("returned after %v, want 8s", got)
		}
		jobs := f.pending("ada")
		if len(jobs) != 1 || jobs[0].LastError != "The login service did not answer in time." {
			t.Errorf("left over: %+v", jobs)
		}
	})
}
