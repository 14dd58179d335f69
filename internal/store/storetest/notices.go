package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/internal/userio"
)

var noticeRows = []row{
	{"the owner of a new token is notified, but not of a refused one", single(testNoticeOfToken)},
	{"the other active administrators are notified of a new one", single(testNoticeOfAdmin)},
	{"at most fifty administrators are notified", single(testNoticesAreBounded)},
	{"an import that can add administrators causes one notice", single(testNoticeOfImport)},
	{"without a mail server, no notices are written", single(testNoNotices)},
}

// wantNotices checks the recipients of pending notices and finishes them.
func wantNotices(t *testing.T, s Store, what string, want ...string) {
	t.Helper()
	jobs, _, err := s.ListWaiting(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, job := range jobs {
		if job.Kind == outbox.Notify {
			got = append(got, job.About())
			must(t, s.FinishJob(t.Context(), job.ID))
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: recipients (-want +got):\n%s", what, diff)
	}
}

// changeUser edits a user and writes the event that the directory writes.
func changeUser(t *testing.T, s Store, u directory.User, edit func(*directory.User)) {
	t.Helper()
	_, err := s.ChangeUser(t.Context(), u.ID, func(state directory.RuleState) (directory.Change, error) {
		u := state.User
		edit(&u)
		return directory.Change{User: u, Events: []event.Event{event.New(event.UserEdited, Now(), u.ID, u.Email.Normalized, "")}}, nil
	})
	must(t, err)
}

func testNoticeOfToken(t *testing.T, s Store) {
	ada, bob := admin("Ada", "ada@example.com"), admin("Bob", "bob@example.com")
	create(t, s, ada, bob)
	s.WriteNotices()
	createTokens(t, s, tokenOf(ada, "deploy"))
	wantNotices(t, s, "a token", "ada@example.com")

	refused := tokenOf(ada, "refused")
	err := s.CreateToken(t.Context(), refused, tokenCreated(refused), func(directory.User, []token.Token) error { return token.ErrTooMany })
	if !errors.Is(err, token.ErrTooMany) {
		t.Errorf("against the rule: %v", err)
	}
	wantNotices(t, s, "a refused token")

	created := tokenOf(bob, "cron")
	created.Scope = "read"
	e := tokenCreated(created)
	e.Reason = "cron (read, until 2026-03-08)"
	e.Origin = event.Origin{Actor: "bob@example.com", Address: "192.0.2.1"}
	must(t, s.CreateToken(t.Context(), created, e, allowAll))
	job, err := s.LeaseJob(t.Context(), "notice to bob@example.com", Now(), Now())
	must(t, err)
	want := &outbox.Notice{
		Topic: outbox.NewToken, Email: "bob@example.com", Name: "Bob", Token: "cron", Terms: "read, until 2026-03-08",
		By: "bob@example.com", At: e.At, Address: "192.0.2.1",
	}
	if diff := cmp.Diff(want, job.Notice); diff != "" || job.Gone {
		t.Errorf("gone: %v; notice (-want +got):\n%s", job.Gone, diff)
	}
}

func testNoticeOfAdmin(t *testing.T, s Store) {
	s.WriteNotices()
	first := admin("Ada", "ada@example.com")
	create(t, s, first)
	wantNotices(t, s, "the first administrator")
	grace, joan := member("Grace", "grace@example.com"), member("Joan", "joan@example.com")
	create(t, s, grace, joan)
	wantNotices(t, s, "members")

	suspended, invited := admin("Sue", "sue@example.com"), admin("Ivy", "ivy@example.com")
	suspended.Status, invited.Status = directory.Suspended, directory.Invited
	create(t, s, suspended)
	wantNotices(t, s, "a suspended administrator")
	create(t, s, invited)
	wantNotices(t, s, "an invitation", "ada@example.com")

	changeUser(t, s, grace, func(u *directory.User) { u.Name = "Grace Hopper" })
	wantNotices(t, s, "another name")
	changeUser(t, s, grace, func(u *directory.User) { u.Role = directory.Admin })
	wantNotices(t, s, "a change of role", "ada@example.com")
	changeUser(t, s, grace, func(u *directory.User) { u.Name = "Grace" })
	wantNotices(t, s, "another name of an administrator")
	changeUser(t, s, suspended, func(u *directory.User) { u.Status = directory.Active })
	wantNotices(t, s, "a reinstated administrator", "ada@example.com", "grace@example.com")
	changeUser(t, s, grace, func(u *directory.User) { u.Role = directory.Member })
	wantNotices(t, s, "a former administrator")
	changeUser(t, s, joan, func(u *directory.User) { u.Role = directory.Admin })
	wantNotices(t, s, "the next", "ada@example.com", "sue@example.com")
}

func testNoticesAreBounded(t *testing.T, s Store) {
	for n := range 55 {
		create(t, s, admin(fmt.Sprintf("A %02d", n), fmt.Sprintf("a%02d@example.com", n)))
	}
	s.WriteNotices()
	create(t, s, admin("New", "new@example.com"))
	var want []string
	for n := range 50 {
		want = append(want, fmt.Sprintf("a%02d@example.com", n))
	}
	wantNotices(t, s, "many", want...)
}

func testNoticeOfImport(t *testing.T, s Store) {
	create(t, s, admin("Ada", "ada@example.com"))
	s.WriteNotices()
	start := func(role directory.Role) {
		t.Helper()
		i := readyImport(t, s, 1)
		i.Role = role
		must(t, s.StartImport(t.Context(), i, event.New(event.ImportStarted, Now(), "", "", "people.csv")))
	}
	start(directory.Member)
	wantNotices(t, s, "members")
	start(directory.Admin)
	job, err := s.LeaseJob(t.Context(), "notice to ada@example.com", Now(), Now())
	must(t, err)
	if job.Notice == nil || job.Notice.Topic != outbox.NewAdmins || job.Notice.Import != "people.csv" {
		t.Errorf("notice %+v", job.Notice)
	}
	if n, err := userio.Store(s).CountPendingJobs(t.Context(), 10); err != nil || n != 0 {
		t.Errorf("%d notices count as pending jobs, %v", n, err)
	}
	wantNotices(t, s, "administrators", "ada@example.com")
}

func testNoNotices(t *testing.T, s Store) {
	ada := admin("Ada", "ada@example.com")
	create(t, s, ada, admin("Bob", "bob@example.com"))
	createTokens(t, s, tokenOf(ada, "deploy"))
	wantNotices(t, s, "without a mail server")
}
