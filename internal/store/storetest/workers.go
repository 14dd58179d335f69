package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
)

var workerRows = []row{
	{"jobs are finished while their users are invited again", testFinishWhileInvitingAgain},
	{"twenty workers lease each job once", testWorkers(func(t *testing.T, s Store, id string) error {
		return s.FinishJob(t.Context(), id)
	})},
	{"twenty workers lease a retried job once before it is due", testWorkers(func(t *testing.T, s Store, id string) error {
		return s.RetryJob(t.Context(), id, Now().Add(time.Hour), "later")
	})},
	{"twenty workers lease a parked job once", testWorkers(func(t *testing.T, s Store, id string) error {
		return s.ParkJob(t.Context(), outbox.Job{ID: id}.Park(Now(), "never"))
	})},
	{"a subject's jobs are never leased by two workers", testWorkersOfOneSubject},
}

// testWorkers returns a test in which twenty workers lease jobs and call end for each.
func testWorkers(end func(t *testing.T, s Store, id string) error) func(*testing.T, func() Store) {
	return func(t *testing.T, open func() Store) {
		stores := []Store{open(), open()}
		const n = 60
		for i := range n {
			add(t, stores[0], outbox.Invite, fmt.Sprintf("p%d@example.com", i), Now())
		}
		var mu sync.Mutex
		leased := map[string]int{}
		for _, err := range concurrently(20, func(i int) error {
			s := stores[i%2]
			for {
				j, err := s.LeaseJob(t.Context(), "", Now(), Now().Add(time.Minute))
				if errors.Is(err, outbox.ErrNoJob) {
					return nil
				}
				if err != nil {
					return err
				}
				mu.Lock()
				leased[j.ID] += j.Attempts
				mu.Unlock()
				if err := end(t, s, j.ID); err != nil {
					return err
				}
			}
		}) {
			if err != nil {
				t.Error(err)
			}
		}
		for id, times := range leased {
			if times != 1 {
				t.Errorf("%s was leased %d times", id, times)
			}
		}
		if len(leased) != n {
			t.Errorf("%d of %d jobs were leased", len(leased), n)
		}
	}
}

func testWorkersOfOneSubject(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	const n = 20
	want := []string{}
	for range n {
		want = append(want, add(t, stores[0], outbox.RevokeSession, "ada@example.com", Now()).ID)
	}
	var mu sync.Mutex
	done, busy := []string{}, false
	for _, err := range concurrently(10, func(i int) error {
		s := stores[i%2]
		for {
			j, err := s.LeaseJob(t.Context(), "ada@example.com", Now(), Now().Add(time.Minute))
			if errors.Is(err, outbox.ErrNoJob) {
				mu.Lock()
				allDone := len(done) >= n
				mu.Unlock()
				if allDone || t.Context().Err() != nil {
					return nil
				}
				continue // another worker has leased the previous one
			}
			if err != nil {
				return err
			}
			mu.Lock()
			if busy {
				t.Errorf("%s is leased while another is in progress", j.ID)
			}
			busy, done = true, append(done, j.ID)
			mu.Unlock()
			if _, err := s.ListJobs(t.Context(), mustParse("ada@example.com")); err != nil { // takes some time
				return err
			}
			mu.Lock()
			busy = false
			mu.Unlock()
			if err := s.FinishJob(t.Context(), j.ID); err != nil {
				return err
			}
		}
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func testFinishWhileInvitingAgain(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	people := []directory.User{member("Ada", "ada@example.com"), member("Bob", "bob@example.com")}
	create(t, stores[0], people...)
	for _, err := range concurrently(8, func(i int) error {
		s, u := stores[i%2], people[i/2%2]
		for n := range 25 {
			if i < 4 { // an administrator
				again := outbox.New(outbox.Invite, u.Email.Normalized, u.ID, "", "", Now())
				if _, err := s.ChangeUser(t.Context(), u.ID, func(s directory.RuleState) (directory.Change, error) {
					return directory.Change{User: s.User, CancelInvites: true, Jobs: []outbox.Job{again}}, nil
				}); err != nil {
					return err
				}
				continue
			}
			j, err := s.LeaseJob(t.Context(), "", Now(), Now().Add(time.Minute)) // a worker
			if err == nil {
				switch n % 3 {
				case 0:
					err = s.FinishInvite(t.Context(), j.Sent("user-test-1", Now()))
				case 1:
					err = s.FinishJob(t.Context(), j.ID)
				case 2:
					err = s.RetryJob(t.Context(), j.ID, Now(), "No.")
				}
			}
			if err != nil && !errors.Is(err, outbox.ErrNoJob) {
				return err
			}
		}
		return nil
	}) {
		if err != nil {
			t.Error(err)
		}
	}
}
