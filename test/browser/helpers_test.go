package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// browserSite is the whole program in local mode, with the mailboxes of the people
// who use it.
type browserSite struct {
	*harness.Site
	mailboxes map[string]*harness.Person // by address
}

// startBrowserSite starts the program on a database of its own, where the browser
// is to visit it, and ends it with the test.
func startBrowserSite(t *testing.T, chromium browser) *browserSite {
	t.Helper()
	s := chromium.start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of %s:\n%s", s.URL, s.Log)
		}
	})
	return &browserSite{Site: s, mailboxes: map[string]*harness.Person{}}
}

// link waits for the next mail to an address and returns the link in it.
func (s *browserSite) link(address string) string {
	s.T.Helper()
	if s.mailboxes[address] == nil {
		s.mailboxes[address] = s.NewPerson(address)
	}
	return s.mailboxes[address].NextLink()
}

// add puts somebody on the list, who is not told. Address and id follow from the
// name: Ada Lovelace is ada.lovelace@example.com, her page /users/ada.lovelace.
func (s *browserSite) add(name string, changes ...func(*directory.User)) directory.User {
	s.T.Helper()
	id := strings.ToLower(strings.ReplaceAll(name, " ", "."))
	email, err := directory.ParseEmail(id + "@example.com")
	if err != nil {
		s.T.Fatal(err)
	}
	now := s.Clock.Now()
	u := directory.User{
		ID: id, Name: name, Email: email, Role: directory.Member, Status: directory.Invited, CreatedAt: now, UpdatedAt: now,
	}
	for _, change := range changes {
		change(&u)
	}
	if err := s.App.Store.CreateUser(s.T.Context(), directory.NewUser{User: u, Event: event.New(event.UserAdded, u.CreatedAt, u.ID, u.Email.Normalized, "")}); err != nil {
		s.T.Fatal(err)
	}
	return u
}

// Changes for add.

func admin(u *directory.User) { u.Role, u.Status = directory.Admin, directory.Active }

func suspended(u *directory.User) { u.Status = directory.Suspended }

func mailed(u *directory.User) { u.InviteSentAt = u.CreatedAt }

func seen(ago time.Duration) func(*directory.User) {
	return func(u *directory.User) {
		u.Status, u.LastSeenAt = directory.Active, u.CreatedAt.Add(-ago)
		u.CreatedAt = u.LastSeenAt.Add(-40 * 24 * time.Hour)
	}
}
