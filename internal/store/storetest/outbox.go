package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
)

var outboxRows = []row{
	{"a job is read as it was written", single(testJobRoundTrip)},
	{"a leased job can't be leased until the lease expires", single(testLease)},
	{"the jobs of one subject run in order and don't delay others", single(testOrder)},
	{"a retried job waits until it is due, unless its subject is requested", single(testRetry)},
	{"a parked job doesn't delay others", single(testPark)},
	{"an invite job is leased with the inviting user", single(testLeaseInviteActor)},
	{"a sent invitation is recorded on the user", single(testFinishInvite)},
	{"a sent invitation of a removed user is undone", single(testFinishInviteOfRemoved)},
	{"a sent invitation of a user who was removed and added again is kept", single(testFinishInviteOfAddedAgain)},
}

// add writes a job that is due at the given time.
func add(t *testing.T, s Store, kind outbox.Kind, subject string, due time.Time) outbox.Job {
	t.Helper()
	j := outbox.New(kind, subject, newID(), "", "", due)
	j.DueAt = due
	if err := s.AddJob(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	return j
}

// lease leases the next job and returns its id, or "" if there is none.
func lease(t *testing.T, s Store, subject string, now time.Time) string {
	t.Helper()
	j, err := s.LeaseJob(t.Context(), subject, now, now.Add(time.Minute))
	if err != nil && !errors.Is(err, outbox.ErrNoJob) {
		t.Fatal(err)
	}
	return j.ID
}

func wantLease(t *testing.T, s Store, what, subject string, now time.Time, want string) {
	t.Helper()
	if got := lease(t, s, subject, now); got != want {
		t.Errorf("%s: leased %q, want %q", what, got, want)
	}
}

func testJobRoundTrip(t *testing.T, s Store) {
	u := member(strings.Repeat("🚀", directory.MaxName), "Ada@example.com")
	create(t, s, u)
	want := outbox.New(outbox.DeleteUser, u.Email.Normalized, u.ID, "user-test-1", u.Name, Now())
	if err := s.AddJob(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	leased, err := s.LeaseJob(t.Context(), "", Now(), Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	want.Attempts = 1
	if diff := cmp.Diff(want, leased); diff != "" {
		t.Errorf("leased: -want +got\n%s", diff)
	}
	want.DueAt, want.LastError = Now().Add(time.Hour), "Stytch's answer: “\uFFFD” "+strings.Repeat("é", 300)
	if err := s.RetryJob(t.Context(), want.ID, want.DueAt, "Stytch's answer: “\xff” "+strings.Repeat("é", 300)); err != nil {
		t.Fatal(err)
	}
	want.LastError = string([]rune(want.LastError)[:200])
	if diff := cmp.Diff([]outbox.Job{want}, jobs(t, s, u)); diff != "" {
		t.Errorf("retried: -want +got\n%s", diff)
	}
}

func testLease(t *testing.T, s Store) {
	ahead := outbox.New(outbox.Invite, "grace@example.com", newID(), "", "", Now().Add(time.Hour))
	if err := s.AddJob(t.Context(), ahead); err != nil {
		t.Fatal(err)
	}
	wantLease(t, s, "written by an instance whose clock is ahead", "", Now(), ahead.ID)
	if err := s.FinishJob(t.Context(), ahead.ID); err != nil {
		t.Fatal(err)
	}

	wantLease(t, s, "empty outbox", "", Now(), "")
	j := add(t, s, outbox.Invite, "ada@example.com", Now())
	wantLease(t, s, "a moment too early", "", Now().Add(-time.Microsecond), "")
	wantLease(t, s, "due", "", Now(), j.ID)
	for _, subject := range []string{"", "ada@example.com"} {
		wantLease(t, s, "leased", subject, Now().Add(time.Minute-time.Microsecond), "")
	}
	wantLease(t, s, "the lease has expired", "", Now().Add(time.Minute), j.ID)
	wantLease(t, s, "of another subject", "bob@example.com", Now().Add(time.Hour), "")
	again, err := s.LeaseJob(t.Context(), "ada@example.com", Now().Add(time.Hour), Now().Add(2*time.Hour))
	if again.Attempts != 3 || err != nil {
		t.Errorf("%d attempts, want 3; %v", again.Attempts, err)
	}
	for range 2 { // another worker may have finished it
		if err := s.FinishJob(t.Context(), j.ID); err != nil {
			t.Error(err)
		}
	}
	wantLease(t, s, "done", "", Now().Add(24*time.Hour), "")
}

func testOrder(t *testing.T, s Store) {
	first := add(t, s, outbox.Invite, "ada@example.com", Now())
	second := add(t, s, outbox.RevokeInvite, "ada@example.com", ago(time.Hour)) // due earlier, but second
	other := add(t, s, outbox.Invite, "bob@example.com", Now())
	got := map[string]bool{lease(t, s, "", Now()): true, lease(t, s, "", Now()): true}
	if !got[first.ID] || !got[other.ID] {
		t.Fatalf("leased %v, want the first of each", got)
	}
	wantLease(t, s, "the first is leased", "", Now(), "")
	wantLease(t, s, "the first is leased, its subject requested", "ada@example.com", Now(), "")
	if err := s.RetryJob(t.Context(), first.ID, Now().Add(time.Hour), "No."); err != nil {
		t.Fatal(err)
	}
	wantLease(t, s, "the first waits", "", Now(), "")
	wantLease(t, s, "its subject requested", "ada@example.com", Now(), first.ID)
	if err := s.FinishJob(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	wantLease(t, s, "the first is done", "", Now(), second.ID)
}

func testRetry(t *testing.T, s Store) {
	j := add(t, s, outbox.Invite, "ada@example.com", Now())
	for range 3 {
		wantLease(t, s, "due", "", Now(), j.ID)
		if err := s.RetryJob(t.Context(), j.ID, Now().Add(time.Second), "No."); err != nil {
			t.Fatal(err)
		}
		wantLease(t, s, "not due", "", Now(), "")
		wantLease(t, s, "its subject requested", "ada@example.com", Now(), j.ID)
		if err := s.RetryJob(t.Context(), j.ID, Now(), "No."); err != nil {
			t.Fatal(err)
		}
	}
}

func testPark(t *testing.T, s Store) {
	u := member("Ada", "ada@example.com")
	create(t, s, u)
	parked := add(t, s, outbox.Invite, u.Email.Normalized, Now())
	next := add(t, s, outbox.RevokeInvite, u.Email.Normalized, Now())
	wantLease(t, s, "the first", "", Now(), parked.ID)
	if err := s.ParkJob(t.Context(), parked.Park(Now(), "Stytch refuses the address.")); err != nil {
		t.Fatal(err)
	}
	wantLease(t, s, "the next", "", Now(), next.ID)
	wantLease(t, s, "nothing is left", u.Email.Normalized, Now().Add(time.Hour), next.ID) // its lease has expired
	list := jobs(t, s, u)
	if len(list) != 2 || !list[0].ParkedAt.Equal(Now()) || list[0].LastError != "Stytch refuses the address." || !list[1].ParkedAt.IsZero() {
		t.Errorf("an administrator sees %+v", list)
	}
}

func testFinishInvite(t *testing.T, s Store) {
	u := member("Ada", "ada@example.com")
	u.Status, u.StytchUserID = directory.Invited, ""
	job := outbox.New(outbox.Invite, u.Email.Normalized, u.ID, "", u.Name, Now())
	if err := s.CreateUser(t.Context(), directory.NewUser{User: u, Event: event.New(event.UserAdded, u.CreatedAt, u.ID, u.Email.Normalized, ""), Jobs: []outbox.Job{job}}); err != nil {
		t.Fatal(err)
	}
	want := u
	want.StytchUserID, want.InviteSentAt = "user-test-1", Now()
	for range 2 { // the call may have been made twice
		if err := s.FinishInvite(t.Context(), job.Sent("user-test-1", Now())); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, get(t, s, u.ID)); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
		if left := jobs(t, s, u); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	}
}

// Actor is the inviting user's name at the time of the lease.
func testLeaseInviteActor(t *testing.T, s Store) {
	grace := member("Grace Hopper", "grace@example.com")
	joan := member("", "Joan@example.com")
	eve := member("Eve", "eve@example.com")
	eve.Status = directory.Suspended
	create(t, s, grace, joan, eve)
	for address, by := range map[string]string{"a@example.com": grace.ID, "b@example.com": joan.ID, "c@example.com": "", "d@example.com": newID(), "e@example.com": eve.ID} {
		u := member("", address)
		u.InvitedBy = by
		job := outbox.New(outbox.Invite, u.Email.Normalized, u.ID, "", "", Now())
		if err := s.CreateUser(t.Context(), directory.NewUser{User: u, Event: event.New(event.UserAdded, u.CreatedAt, u.ID, u.Email.Normalized, ""), Jobs: []outbox.Job{job}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddJob(t.Context(), outbox.New(outbox.Invite, "gone@example.com", newID(), "", "", Now())); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a@example.com": "Grace Hopper", "b@example.com": "Joan@example.com", "c@example.com": "", "d@example.com": "", "e@example.com": "", "gone@example.com": ""}
	got := map[string]string{}
	for range want {
		job, err := s.LeaseJob(t.Context(), "", Now(), Now().Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		got[job.Subject] = job.Actor
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actors (-want +got)\n%s", diff)
	}
}

func testFinishInviteOfRemoved(t *testing.T, s Store) {
	u := member("Ada", "ada@example.com")
	job := outbox.New(outbox.Invite, u.Email.Normalized, u.ID, "", u.Name, Now())
	if err := s.AddJob(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if err := s.FinishInvite(t.Context(), job.Sent("user-test-1", Now())); err != nil {
		t.Fatal(err)
	}
	left := jobs(t, s, u)
	if len(left) != 1 || left[0].Kind != outbox.DeleteUser || left[0].StytchID != "user-test-1" || left[0].UserID != u.ID {
		t.Errorf("left: %+v", left)
	}
}

func testFinishInviteOfAddedAgain(t *testing.T, s Store) {
	u, again := member("Ada", "ada@example.com"), member("Ada", "ada@example.com")
	job := outbox.New(outbox.Invite, u.Email.Normalized, u.ID, "", u.Name, Now())
	create(t, s, again)
	if err := s.FinishInvite(t.Context(), job.Sent("user-test-1", Now())); err != nil {
		t.Fatal(err)
	}
	// The account at Stytch belongs to the address, and so to the new user.
	if left := jobs(t, s, u); len(left) > 0 {
		t.Errorf("left: %+v", left)
	}
	if diff := cmp.Diff(again, get(t, s, again.ID)); diff != "" {
		t.Errorf("-before +after\n%s", diff)
	}
}
