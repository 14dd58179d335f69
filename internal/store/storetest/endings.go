package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
)

var endingRows = []row{
	{"a membership that ends within a week causes one warning", single(testWarnOfEnds)},
	{"a membership that is short from the start causes no warning", single(testNoWarningOfShort)},
	{"a renewed membership causes a warning of its new end", single(testWarnAgain)},
	{"a warning about a membership that was renewed is not sent", single(testWarningGone)},
	{"without a mail server, no warnings are written", single(testNoWarnings)},
	{"two instances that look at once warn once", testWarnConcurrently},
	{"administrators are told of ends once a day", single(testEndingsDigest)},
	{"a renewal that is sent twice extends once", testRenewConcurrently},
}

const day = 24 * time.Hour

// joinUntil makes a user a member of the scene's group at a time, with an end.
func joinUntil(t *testing.T, s Store, c scene, u directory.User, at, until time.Time) {
	t.Helper()
	must(t, s.ChangeMembership(t.Context(), c.group.ID, u.ID, func(g directory.Group, u directory.User, old *directory.Membership) (*directory.Membership, event.Event, error) {
		return directory.Join(event.Origin{}, g, u, old, until, at)
	}))
}

func wantWarned(t *testing.T, s Store, now time.Time, want int) {
	t.Helper()
	if n, err := s.WarnOfEnds(t.Context(), now); n != want || err != nil {
		t.Errorf("%d warned at %v, want %d; %v", n, now, want, err)
	}
}

func testWarnOfEnds(t *testing.T, s Store) {
	s.WriteNotices()
	c := newScene(t, s)
	off := createApp(t, s, "Archive", c.group) // which no one loses
	off.Enabled = false
	_, err := s.ChangeApp(t.Context(), off.ID, setApp(off, event.Change{Field: "enabled"}))
	must(t, err)
	end := Now().Add(5 * day)
	joinUntil(t, s, c, c.user, ago(30*day), end)
	wantWarned(t, s, end.Add(-directory.EndWarning), 0)
	wantWarned(t, s, end.Add(-directory.EndWarning+time.Microsecond), 1)
	wantWarned(t, s, Now(), 0)
	job, err := s.LeaseJob(t.Context(), "notice to grace@example.com", Now(), Now())
	must(t, err)
	want := &outbox.Notice{
		Topic: outbox.AccessEnds, Email: "grace@example.com", Name: "Grace", Group: "Staff", Until: end, Apps: []string{"Wiki"}, AppID: c.app.ID,
	}
	if diff := cmp.Diff(want, job.Notice); diff != "" {
		t.Errorf("to the user (-want +got):\n%s", diff)
	}
	job, err = s.LeaseJob(t.Context(), "notice to ada@example.com", Now(), Now())
	must(t, err)
	want = &outbox.Notice{
		Topic: outbox.AccessEndings, Email: "ada@example.com", Name: "Ada",
		People: []outbox.NoticeItem{{At: end, Name: "Grace", Email: "grace@example.com", About: "Staff", UserID: c.user.ID, GroupID: c.group.ID}},
	}
	if diff := cmp.Diff(want, job.Notice); diff != "" {
		t.Errorf("to the administrator (-want +got):\n%s", diff)
	}
}

func testNoWarningOfShort(t *testing.T, s Store) {
	s.WriteNotices()
	c := newScene(t, s)
	joinUntil(t, s, c, c.user, Now(), Now().Add(directory.EndWarning-time.Microsecond))
	joinUntil(t, s, c, c.admin, Now(), Now().Add(directory.EndWarning))
	wantWarned(t, s, Now(), 0)
	wantWarned(t, s, Now().Add(time.Hour), 1)
	wantWarned(t, s, Now().Add(30*day), 0) // it has ended
}

func testWarnAgain(t *testing.T, s Store) {
	s.WriteNotices()
	c := newScene(t, s)
	joinUntil(t, s, c, c.user, ago(30*day), Now().Add(day))
	wantWarned(t, s, Now(), 1)
	joinUntil(t, s, c, c.user, Now(), Now().Add(20*day))
	wantWarned(t, s, Now(), 0)
	wantWarned(t, s, Now().Add(14*day), 1)
	wantWarned(t, s, Now().Add(15*day), 0)
}

func testWarningGone(t *testing.T, s Store) {
	s.WriteNotices()
	c := newScene(t, s)
	joinUntil(t, s, c, c.user, ago(30*day), Now().Add(day))
	wantWarned(t, s, Now(), 1)
	joinUntil(t, s, c, c.user, Now(), time.Time{})
	for _, to := range []string{"grace@example.com", "ada@example.com"} {
		if job, err := s.LeaseJob(t.Context(), "notice to "+to, Now(), Now()); err != nil || !job.Gone {
			t.Errorf("to %s: %+v, %v", to, job, err)
		}
	}
}

func testNoWarnings(t *testing.T, s Store) {
	c := newScene(t, s)
	joinUntil(t, s, c, c.user, ago(30*day), Now().Add(day))
	wantWarned(t, s, Now(), 0)
	wantNotices(t, s, "without a mail server")
	s.WriteNotices()
	wantWarned(t, s, Now(), 1)
}

func testWarnConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	c := newScene(t, stores[0])
	for _, name := range []string{"a@example.com", "b@example.com", "c@example.com"} {
		u := member("", name)
		create(t, stores[0], u)
		joinUntil(t, stores[0], c, u, ago(30*day), Now().Add(day))
	}
	stores[0].WriteNotices()
	stores[1].WriteNotices()
	warned := make([]int, 8)
	for i, err := range concurrently(len(warned), func(i int) (err error) {
		warned[i], err = stores[i%2].WarnOfEnds(t.Context(), Now())
		return err
	}) {
		if err != nil {
			t.Errorf("try %d: %v", i, err)
		}
	}
	total := 0
	for _, n := range warned {
		total += n
	}
	if total != 3 {
		t.Errorf("warned %v", warned)
	}
	wantNotices(t, stores[0], "two instances", "a@example.com", "ada@example.com", "b@example.com", "c@example.com")
}

func testEndingsDigest(t *testing.T, s Store) {
	s.WriteNotices()
	c := newScene(t, s)
	other := member("Joan", "joan@example.com")
	create(t, s, other)
	joinUntil(t, s, c, c.user, ago(30*day), Now().Add(directory.EndWarning))
	joinUntil(t, s, c, other, ago(30*day), Now().Add(directory.EndWarning+time.Hour))
	wantWarned(t, s, Now().Add(time.Minute), 1)
	wantNotices(t, s, "the first", "ada@example.com", "grace@example.com")
	wantWarned(t, s, Now().Add(time.Hour+time.Minute), 1)
	wantNotices(t, s, "the second, an hour later", "joan@example.com")
	if wrote, err := s.WriteDigests(t.Context(), Now().Add(day+time.Minute)); !wrote || err != nil {
		t.Errorf("a day later: %v, %v", wrote, err)
	}
	wantNotices(t, s, "a day later", "ada@example.com")
}

func testRenewConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	c := newScene(t, stores[0])
	end := Now().Add(day)
	joinUntil(t, stores[0], c, c.user, ago(30*day), end)
	renewed := 0
	for i, err := range concurrently(10, func(i int) error {
		_, _, err := directory.NewGroups(stores[i%2], Now).Renew(t.Context(), c.byAdmin(), c.group.ID, c.user.ID, 30, end)
		return err
	}) {
		switch {
		case err == nil:
			renewed++
		case !errors.Is(err, directory.ErrRenewed):
			t.Errorf("try %d: %v", i, err)
		}
	}
	m := c.facts(t, stores[0]).Memberships
	if renewed != 1 || len(m) != 1 || !m[0].Until.Equal(directory.Membership{Until: end}.Extended(30, Now())) {
		t.Errorf("%d renewed it: %+v", renewed, m)
	}
}
