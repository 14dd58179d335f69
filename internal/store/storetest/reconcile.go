package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
)

var reconcileRows = []row{
	{"users with an account, and no others, are listed page by page", single(testUsersWithAccount)},
	{"a user is found by account id", single(testUserByStytchID)},
	{"listed addresses are distinguished from others", single(testListedAddresses)},
	{"jobs for an unlisted account are written unless an address is listed by then", single(testJobsUnlessListed)},
	{"one of all instances acquires the daily run", testAcquireRun},
	{"a processed webhook is remembered until it is too old", single(testWebhooks)},
}

func testUsersWithAccount(t *testing.T, s Store) {
	var want []string
	for _, r := range []struct{ name, account string }{{"ada", "3"}, {"bob", ""}, {"eve", "1"}, {"joan", "2"}, {"max", "2"}, {"zoe", ""}} {
		u := member(r.name, r.name+"@example.com")
		u.StytchUserID = r.account
		create(t, s, u)
		if r.account != "" {
			want = append(want, r.account+" "+u.ID)
		}
	}
	slices.Sort(want)
	for _, size := range []int{1, 2, 3, 10} {
		var got []string
		for after := (directory.User{}); ; {
			page, err := s.ListUsersWithAccount(t.Context(), after, size)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, u := range page {
				got = append(got, u.StytchUserID+" "+u.ID)
			}
			after = page[len(page)-1]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d: -want +got\n%s", size, diff)
		}
	}
}

func testUserByStytchID(t *testing.T, s Store) {
	ada := member("Ada", "ada@example.com")
	ada.StytchUserID = "user-test-1"
	create(t, s, ada, member("Bob", "bob@example.com"))
	got, err := s.GetUserByStytchID(t.Context(), "user-test-1")
	if diff := cmp.Diff(ada, got); diff != "" || err != nil {
		t.Errorf("%v: -want +got\n%s", err, diff)
	}
	if _, err := s.GetUserByStytchID(t.Context(), "USER-test-1"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("another id: %v", err)
	}
}

func testListedAddresses(t *testing.T, s Store) {
	create(t, s, member("Ada", "Ada@example.com"), member("Bob", "bob@example.com"))
	for _, r := range []struct{ ask, want []string }{
		{nil, nil},
		{[]string{"eve@example.com"}, nil},
		{[]string{"bob@example.com", "eve@example.com", "ada@example.com", "bob@example.com"}, []string{"ada@example.com", "bob@example.com"}},
	} {
		got, err := s.ListedAddresses(t.Context(), r.ask)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, r.want) {
			t.Errorf("%q: %q, %v, want %q", r.ask, got, err, r.want)
		}
	}
}

func testJobsUnlessListed(t *testing.T, s Store) {
	create(t, s, member("Ada", "ada@example.com"))
	for _, r := range []struct {
		name      string
		addresses []string
		want      bool
	}{
		{"on the list", []string{"ada@example.com"}, false},
		{"on the list by the second address", []string{"eve@example.com", "ada@example.com"}, false},
		{"not on the list", []string{"eve@example.com", "eve@example.org"}, true},
		{"without an address", nil, true},
	} {
		subject := newID() + "@example.com"
		job := outbox.New(outbox.RevokeSession, subject, "", "session-test-1", "", Now())
		e := event.New(event.StytchMismatch, Now(), "", subject, "at Stytch")
		added, err := s.AddJobsUnlessListed(t.Context(), r.addresses, e, []outbox.Job{job})
		if added != r.want || err != nil {
			t.Errorf("%s: %t, %v", r.name, added, err)
		}
		jobs, err := s.ListJobs(t.Context(), directory.Email{Normalized: subject})
		if recorded := events(t, s, event.Query{About: subject}); err != nil || (len(jobs) == 1) != r.want || (len(recorded) == 1) != r.want {
			t.Errorf("%s: %d jobs and %d events were written; %v", r.name, len(jobs), len(recorded), err)
		}
	}
}

func testAcquireRun(t *testing.T, open func() Store) {
	instances := []Store{open(), open(), open()}
	day := 24 * time.Hour
	// acquire calls AcquireRun on all instances concurrently and returns how many got true.
	acquire := func(now time.Time) (n int) {
		t.Helper()
		got := make([]bool, len(instances))
		for _, err := range concurrently(len(instances), func(i int) (err error) {
			got[i], err = instances[i].AcquireRun(t.Context(), now, now.Add(-day))
			return err
		}) {
			if err != nil {
				t.Error(err)
			}
		}
		for _, acquired := range got {
			if acquired {
				n++
			}
		}
		return n
	}
	expect := func(when string, now time.Time, want int) {
		t.Helper()
		if n := acquire(now); n != want {
			t.Errorf("%s: %d acquired the run, want %d", when, n, want)
		}
	}
	expect("at first", Now(), 0)
	expect("after the first day", Now().Add(day), 1)
	expect("at once again", Now().Add(day), 0)
	expect("just before the next", Now().Add(2*day-time.Microsecond), 0)
	expect("the day after", Now().Add(2*day), 1)
	if err := instances[1].ReleaseRun(t.Context(), Now().Add(day+time.Hour)); err != nil {
		t.Fatal(err)
	}
	expect("released, too early", Now().Add(2*day+time.Hour-time.Microsecond), 0)
	expect("released, an hour later", Now().Add(2*day+time.Hour), 1)
}

func testWebhooks(t *testing.T, s Store) {
	for _, at := range []time.Time{ago(time.Hour), Now()} { // the second time, it already exists
		if err := s.MarkWebhookProcessed(t.Context(), "msg_1", at); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.MarkWebhookProcessed(t.Context(), "msg_2", Now()); err != nil {
		t.Fatal(err)
	}
	expect := func(want map[string]bool) {
		t.Helper()
		for id, want := range want {
			if got, err := s.IsWebhookProcessed(t.Context(), id); got != want || err != nil {
				t.Errorf("%s: %t, %v", id, got, err)
			}
		}
	}
	expect(map[string]bool{"msg_1": true, "msg_2": true, "MSG_1": false, "": false})
	if n, err := s.DeleteWebhooks(t.Context(), Now()); n != 1 || err != nil {
		t.Errorf("%d deleted; %v", n, err)
	}
	expect(map[string]bool{"msg_1": false, "msg_2": true})
}
