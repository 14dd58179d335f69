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

// eventually waits until something that others bring about is there.
func eventually(t *testing.T, seen func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for !seen() {
		select {
		case <-deadline:
			t.Fatal("never seen")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// blind is a Stytch whose search finds nobody.
type blind struct{ *stytch.Client }

func (blind) FindAccounts(context.Context, []string) ([]reconcile.Account, error) { return nil, nil }

// scripted is a Stytch that notes when it is searched, and does as the test says.
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

// inBubble runs fn where time is synctest's, on an SQLite file.
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

func TestAPassStaysWithinWhatStytchGrants(t *testing.T) {
	inBubble(t, func(t *testing.T, db *store.Store) {
		s := &scripted{list: func(n int) (string, error) {
			if n == 301 {
				return "", nil
			}
			return "more", nil
		}}
		r := reconcile.New(reconcile.Options{Store: db, Accounts: s, PageSize: reconcile.MaxPage, Pace: reconcile.DefaultPace, Now: time.Now, Log: quiet})
		began := time.Now()
		if _, err := r.Run(t.Context(), event.Origin{}, false, nil); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 150*time.Second {
			t.Errorf("301 searches took %v, want two a second", took)
		}
	})
}

func TestACallThatFailsIsTriedAgainAndThenGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, db *store.Store) {
		for _, row := range []struct {
			name  string
			list  func(n int) (string, error)
			calls int
			want  error
		}{
			{"the third time it succeeds", func(n int) (string, error) {
				if n < 3 {
					return "", session.ErrTooMany
				}
				return "", nil
			}, 3, nil},
			{"it never does", func(int) (string, error) { return "", session.ErrUnavailable }, 3, session.ErrUnavailable},
		} {
			s := &scripted{list: row.list}
			r := reconcile.New(reconcile.Options{Store: db, Accounts: s, PageSize: 1, Pace: reconcile.DefaultPace, Now: time.Now, Log: quiet})
			if _, err := r.Run(t.Context(), event.Origin{}, false, nil); !errors.Is(err, row.want) || len(s.at) != row.calls {
				t.Errorf("%s: %v after %d calls", row.name, err, len(s.at))
			}
		}
	})
}

func TestOnceADayOverAllInstancesAndAnHourLaterAfterAFailure(t *testing.T) {
	inBubble(t, func(t *testing.T, db *store.Store) {
		s := &scripted{list: func(n int) (string, error) {
			switch n {
			case 3:
				panic("out of its mind")
			case 5:
				return "", errors.New("nonsense")
			}
			return "", nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		began := time.Now()
		for range 3 {
			r := reconcile.New(reconcile.Options{Store: db, Accounts: s, PageSize: 1, Now: time.Now, Log: quiet})
			all.Go(func() { r.Daily(ctx, false) })
		}
		time.Sleep(6 * 24 * time.Hour)
		cancel()
		all.Wait()
		if len(s.at) < 7 {
			t.Fatalf("%d passes in six days", len(s.at))
		}
		if first := s.at[0].Sub(began); first < 5*time.Minute || first > 24*time.Hour+15*time.Minute {
			t.Errorf("the first pass came after %v", first)
		}
		for i := 1; i < 7; i++ {
			least := 24 * time.Hour
			if i == 3 || i == 5 { // behind the two that failed
				least = time.Hour
			}
			if gap := s.at[i].Sub(s.at[i-1]); gap < least || gap > least+15*time.Minute {
				t.Errorf("pass %d came %v after the one before, want about %v", i+1, gap, least)
			}
		}
	})
}

func TestTheDailyPassTellsByOneEventAndMendsOnlyIfAsked(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ada, _ := f.signedIn("ada@example.com")
		f.stranger("stranger@example.com")
		f.deletes(ada)
		turn := func(apply bool) {
			t.Helper()
			if err := f.RunIfDue(t.Context(), apply); err != nil {
				t.Fatal(err)
			}
		}
		turn(false) // draws the minute of the first
		f.clock.advance(24 * time.Hour)
		want := []string{"1 missing, 0 changed, 1 strangers; not mended"}
		for range 2 { // the second is not due
			turn(false)
			if diff := cmp.Diff(want, f.told()); diff != "" || f.now(ada) != ada {
				t.Errorf("told: -want +got\n%s", diff)
			}
		}
		f.clock.advance(24 * time.Hour)
		turn(true)
		want = append(want, "stranger@example.com: at Stytch, not on the list", "ada@example.com: account gone at Stytch")
		if diff := cmp.Diff(want, f.told()); diff != "" || f.now(ada).StytchUserID != "" {
			t.Errorf("told: -want +got\n%s", diff)
		}
		f.clock.advance(24 * time.Hour)
		turn(true)
		if n := len(f.told()); n != len(want) {
			t.Errorf("the day after, more is told: %q", f.told())
		}
	})
}
