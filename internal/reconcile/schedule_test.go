package reconcile_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/reconcile"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/stytch"
	"github.com/guestlist/guestlist/internal/testdb"
)

// eventually waits until cond returns true, for at most 30 seconds.
func eventually(t *testing.T, cond func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for !cond() {
		select {
		case <-deadline:
			t.Fatal("condition not met in 30 seconds")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// emptySearch is a Stytch client whose search finds no accounts.
type emptySearch struct{ *stytch.Client }

func (emptySearch) FindAccounts(context.Context, []string) ([]reconcile.Account, error) {
	return nil, nil
}

// scripted implements reconcile.Accounts. It calls list to list the accounts, and
// records the times of these calls.
type scripted struct {
	list func(n int) (next string, err error) // n counts from 1

	mu sync.Mutex
	at []time.Time
}

func (s *scripted) ListAccounts(context.Context, string, int) ([]reconcile.Account, string, error) {
	s.mu.Lock()
	s.at = append(s.at, time.Now())
	n := len(s.at)
	s.mu.Unlock()
	next, err := s.list(n)
	return nil, next, err
}

func (s *scripted) FindAccounts(context.Context, []string) ([]reconcile.Account, error) {
	return nil, nil
}
func (s *scripted) GetAccount(context.Context, string) (reconcile.Account, error) {
	return reconcile.Account{}, session.ErrNoAccount
}
func (s *scripted) ListSessions(context.Context, string) ([]string, error) { return nil, nil }

// inBubble runs fn in a synctest bubble, with an SQLite database.
func inBubble(t *testing.T, fn func(t *testing.T, db *store.Store)) {
	t.Helper()
	t.Parallel()
	databaseURL := testdb.SQLite(t)
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(databaseURL, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		if _, err := db.Migrate(t.Context(), quiet); err != nil {
			t.Fatal(err)
		}
		fn(t, db)
	})
}

func TestRun_Throttled(t *testing.T) {
	inBubble(t, func(t *testing.T, db *store.Store) {
		s := &scripted{list: func(n int) (string, error) {
			if n == 301 {
				return "", nil
			}
			return "more", nil
		}}
		r := reconcile.New(reconcile.Options{Store: db, Accounts: s, PageSize: reconcile.MaxPage, Pace: reconcile.DefaultPace, Now: time.Now, Log: quiet})
		start := time.Now()
		if _, err := r.Run(t.Context(), event.Origin{}, false, nil); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 150*time.Second {
			t.Errorf("301 searches took %v, want two a second", took)
		}
	})
}

func TestRun_FailingCallIsRetried(t *testing.T) {
	inBubble(t, func(t *testing.T, db *store.Store) {
		for _, row := range []struct {
			name  string
			list  func(n int) (string, error)
			calls int
			want  error
		}{
			{"succeeds the third time", func(n int) (string, error) {
				if n < 3 {
					return "", session.ErrTooMany
				}
				return "", nil
			}, 3, nil},
			{"always fails", func(int) (string, error) { return "", session.ErrUnavailable }, 3, session.ErrUnavailable},
		} {
			s := &scripted{list: row.list}
			r := reconcile.New(reconcile.Options{Store: db, Accounts: s, PageSize: 1, Pace: reconcile.DefaultPace, Now: time.Now, Log: quiet})
			if _, err := r.Run(t.Context(), event.Origin{}, false, nil); !errors.Is(err, row.want) || len(s.at) != row.calls {
				t.Errorf("%s: %v after %d calls", row.name, err, len(s.at))
			}
		}
	})
}

func TestDaily_SeveralInstancesAndFailures(t *testing.T) {
	inBubble(t, func(t *testing.T, db *store.Store) {
		s := &scripted{list: func(n int) (string, error) {
			switch n {
			case 3:
				panic("simulated bug")
			case 5:
				return "", errors.New("simulated failure")
			}
			return "", nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		start := time.Now()
		for range 3 {
			r := reconcile.New(reconcile.Options{Store: db, Accounts: s, PageSize: 1, Now: time.Now, Log: quiet})
			all.Go(func() { r.Daily(ctx, false) })
		}
		time.Sleep(6 * 24 * time.Hour)
		cancel()
		all.Wait()
		if len(s.at) < 7 {
			t.Fatalf("%d runs in six days", len(s.at))
		}
		if first := s.at[0].Sub(start); first < 5*time.Minute || first > 24*time.Hour+15*time.Minute {
			t.Errorf("the first run started after %v", first)
		}
		for i := 1; i < 7; i++ {
			minGap := 24 * time.Hour
			if i == 3 || i == 5 { // after a failed run
				minGap = time.Hour
			}
			if gap := s.at[i].Sub(s.at[i-1]); gap < minGap || gap > minGap+15*time.Minute {
				t.Errorf("run %d started %v after the one before, want about %v", i+1, gap, minGap)
			}
		}
	})
}

func TestRunIfDue_RecordsOneEventOrRepairs(t *testing.T) {
	forEachEngine(t, func(t *testing.T, f *fixture) {
		ada, _ := f.signIn("ada@example.com")
		f.signInElsewhere("stranger@example.com")
		f.deleteAccount(ada)
		runIfDue := func(apply bool) {
			t.Helper()
			if err := f.RunIfDue(t.Context(), apply); err != nil {
				t.Fatal(err)
			}
		}
		runIfDue(false) // schedules the first run
		f.clock.advance(24 * time.Hour)
		want := []string{"1 missing, 0 changed, 1 strangers; not mended"}
		for range 2 { // the second is not due
			runIfDue(false)
			if diff := cmp.Diff(want, f.events()); diff != "" || f.reload(ada) != ada {
				t.Errorf("events: -want +got\n%s", diff)
			}
		}
		f.clock.advance(24 * time.Hour)
		runIfDue(true)
		want = append(want, "stranger@example.com: at Stytch, not on the list", "ada@example.com: account gone at Stytch")
		if diff := cmp.Diff(want, f.events()); diff != "" || f.reload(ada).StytchUserID != "" {
			t.Errorf("events: -want +got\n%s", diff)
		}
		f.clock.advance(24 * time.Hour)
		runIfDue(true)
		if n := len(f.events()); n != len(want) {
			t.Errorf("the next day recorded more: %q", f.events())
		}
	})
}
