package stytch_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/stytch"
)

// flakyStytch is a client of a Stytch that can be down. It counts the calls that reach it.
type flakyStytch struct {
	*stytch.Client
	clock *clock
	down  atomic.Bool
	calls atomic.Int32
}

func newFlakyStytch(t *testing.T) *flakyStytch {
	s := &flakyStytch{clock: newClock()}
	o := options(s.clock)
	o.Transport = transport(func(r *http.Request) (*http.Response, error) {
		s.calls.Add(1)
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		if s.down.Load() {
			return nil, errors.New("connection refused")
		}
		if r.URL.Path == "/v1/debug/whoami" {
			return respond(r, 200, `{"project_id":"project-test-1"}`), nil
		}
		return respond(r, 404, `{"error_type":"session_not_found"}`), nil
	})
	s.Client = newClient(t, o)
	return s
}

// try authenticates a session and returns how many calls reached Stytch.
func (s *flakyStytch) try(ctx context.Context) (int, error) {
	before := s.calls.Load()
	_, err := s.AuthenticateSession(ctx, "token")
	return int(s.calls.Load() - before), err
}

func TestBreaker_ClockSetBack(t *testing.T) {
	t.Parallel()
	s := newFlakyStytch(t)
	s.down.Store(true)
	s.clock.advance(24 * time.Hour)
	for range 3 {
		s.try(t.Context())
	}
	s.down.Store(false)
	s.clock.advance(-24 * time.Hour)
	if n, err := s.try(t.Context()); n != 1 || !errors.Is(err, session.ErrEnded) {
		t.Errorf("a pause lasts on: %d calls and %v", n, err)
	}
	s.clock.advance(-24 * time.Hour)
	before := s.calls.Load()
	if err := s.Ready(t.Context()); err != nil || s.calls.Load() == before {
		t.Errorf("a good answer counts on: %d calls and %v", s.calls.Load()-before, err)
	}
}

func TestBreaker_OpensAndCloses(t *testing.T) {
	t.Parallel()
	s := newFlakyStytch(t)
	expect := func(when string, calls int, want error) {
		t.Helper()
		if n, err := s.try(t.Context()); n != calls || !errors.Is(err, want) {
			t.Errorf("%s: %d calls and %v, want %d and %v", when, n, err, calls, want)
		}
	}
	s.down.Store(true)
	for _, when := range []string{"first failure", "second failure", "third failure"} {
		expect(when, 1, session.ErrUnavailable)
	}
	expect("after the third", 0, session.ErrUnavailable)
	s.down.Store(false)
	s.clock.advance(5*time.Second - time.Microsecond)
	expect("before the pause is over, though Stytch is back", 0, session.ErrUnavailable)

	s.down.Store(true)
	s.clock.advance(time.Microsecond)
	expect("when it is over, one goes ahead", 1, session.ErrUnavailable)
	expect("and fails, so nobody follows", 0, session.ErrUnavailable)

	s.down.Store(false)
	s.clock.advance(5 * time.Second)
	expect("the next to go ahead comes through", 1, session.ErrEnded)
	expect("and all follow", 1, session.ErrEnded)

	s.down.Store(true)
	expect("one failure", 1, session.ErrUnavailable)
	expect("does not stop the next call, nor a second", 1, session.ErrUnavailable)
	s.down.Store(false)
	expect("and one that comes through", 1, session.ErrEnded)
	s.down.Store(true)
	expect("starts the count anew", 1, session.ErrUnavailable)
	expect("for the second", 1, session.ErrUnavailable)
	expect("and the third", 1, session.ErrUnavailable)
	expect("until it stops again", 0, session.ErrUnavailable)
}

func TestBreaker_AllowsOneProbe(t *testing.T) {
	t.Parallel()
	var client *stytch.Client
	var calls atomic.Int32
	c := newClock()
	o := options(c)
	o.Transport = transport(func(r *http.Request) (*http.Response, error) {
		if calls.Add(1) == 4 { // the one ahead: while it is under way, others come
			for range 20 {
				if _, err := client.AuthenticateSession(r.Context(), "token"); !errors.Is(err, session.ErrUnavailable) {
					t.Errorf("another call: got %v, want ErrUnavailable", err)
				}
			}
		}
		return nil, errors.New("connection refused")
	})
	client = newClient(t, o)
	for range 4 {
		client.AuthenticateSession(t.Context(), "token")
		if calls.Load() == 3 {
			c.advance(5 * time.Second)
		}
	}
	if n := calls.Load(); n != 4 {
		t.Errorf("%d calls, want three failures and one ahead", n)
	}
}

// A person who closes the browser must not prevent other sign-ins.
func TestBreaker_IgnoresCancelledCalls(t *testing.T) {
	t.Parallel()
	s := newFlakyStytch(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		if _, err := s.try(gone); !errors.Is(err, session.ErrUnavailable) {
			t.Fatalf("got %v, want ErrUnavailable", err)
		}
	}
	if n, err := s.try(t.Context()); n != 1 || !errors.Is(err, session.ErrEnded) {
		t.Errorf("ten cancelled calls: the next makes %d calls and ends with %v", n, err)
	}

	s.down.Store(true)
	for range 3 {
		s.try(t.Context())
	}
	s.down.Store(false)
	s.clock.advance(5 * time.Second)
	s.try(gone)
	if n, err := s.try(t.Context()); n != 1 || !errors.Is(err, session.ErrEnded) {
		t.Errorf("the one that went ahead was cancelled: the next makes %d calls and ends with %v", n, err)
	}
}

func TestBreaker_CountsTimeouts(t *testing.T) {
	t.Parallel()
	s := newFlakyStytch(t)
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	for range 3 {
		s.try(late)
	}
	if n, err := s.try(t.Context()); n != 0 || !errors.Is(err, session.ErrUnavailable) {
		t.Errorf("after three that ran out of time: %d calls and %v, want none", n, err)
	}
}

func TestReady_RemembersSuccessFor30Seconds(t *testing.T) {
	t.Parallel()
	s := newFlakyStytch(t)
	expect := func(when string, calls int32, want error) {
		t.Helper()
		before := s.calls.Load()
		err := s.Ready(t.Context())
		if n := s.calls.Load() - before; n != calls || !errors.Is(err, want) {
			t.Errorf("%s: %d calls and %v, want %d and %v", when, n, err, calls, want)
		}
	}
	expect("at first", 1, nil)
	expect("at once again", 0, nil)
	s.clock.advance(30*time.Second - time.Microsecond)
	expect("just within half a minute", 0, nil)
	s.clock.advance(time.Microsecond)
	expect("half a minute later", 1, nil)
	s.down.Store(true)
	s.try(t.Context())
	expect("after a failure", 1, session.ErrUnavailable)
	s.down.Store(false)
	expect("when Stytch is back", 1, nil)
	s.clock.advance(20 * time.Second)
	s.try(t.Context()) // any answer vouches for it
	s.clock.advance(20 * time.Second)
	expect("after another call went well", 0, nil)
}

// A call that has little time left, because it waited before, says nothing about Stytch.
func TestBreaker_IgnoresTimeoutsOfShortCalls(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		given time.Duration
		calls int // of the one after four that were not answered in time
	}{
		{"hurried", time.Second, 1},
		{"with all its time", 5 * time.Second, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			o := options(newClock())
			o.Transport = transport(func(*http.Request) (*http.Response, error) {
				calls++
				return nil, context.DeadlineExceeded
			})
			c := newClient(t, o)
			for range 4 {
				ctx, cancel := context.WithTimeout(t.Context(), test.given)
				c.AuthenticateMagicLink(ctx, "token", "", session.Browser{})
				cancel()
			}
			calls = 0
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if _, err := c.AuthenticateMagicLink(ctx, "token", "", session.Browser{}); !errors.Is(err, session.ErrUnavailable) || calls != test.calls {
				t.Errorf("%d calls, %v", calls, err)
			}
		})
	}
}

// waitedForDatabase is an error of the local Stytch's transport: the call failed or timed
// out because of the database.
type waitedForDatabase struct{ error }

func (waitedForDatabase) DatabaseFault() bool { return true }

// Calls must succeed as soon as the local Stytch's database is back.
func TestBreaker_IgnoresDatabaseFaults(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		answer func() (*http.Response, error)
	}{
		{"a failure", func() (*http.Response, error) {
			return nil, waitedForDatabase{errors.New("the database could not be reached")}
		}},
		{"no answer in time", func() (*http.Response, error) { return nil, waitedForDatabase{context.DeadlineExceeded} }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			o := options(newClock())
			o.Transport = transport(func(*http.Request) (*http.Response, error) {
				calls++
				return row.answer()
			})
			client := newClient(t, o)
			for range 10 {
				if _, err := client.AuthenticateSession(t.Context(), "token"); !errors.Is(err, session.ErrUnavailable) {
					t.Fatalf("got %v, want ErrUnavailable", err)
				}
			}
			if calls != 10 {
				t.Errorf("%d of 10 calls were tried", calls)
			}
		})
	}
}
