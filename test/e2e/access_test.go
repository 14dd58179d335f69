package e2e

import (
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestAccess_IsConfigurable(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		access string
		joins  map[string]bool
	}{
		{"invite", map[string]bool{"joan@example.com": false, "joan@example.org": false}},
		{"domain:example.org,example.net", map[string]bool{
			"joan@example.com": false, "joan@example.org": true, "joan@example.net": true, "joan@sub.example.org": false, "joan@evil-example.org": false,
		}},
		{"open", map[string]bool{"joan@example.com": true, "joan@example.org": true}},
	} {
		t.Run(row.access, func(t *testing.T) {
			t.Parallel()
			databaseURL := testdb.SQLite(t)
			s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), "--guestlist-access="+row.access)
			s.NewPerson("ada@example.com").SignIn()
			for email, joins := range row.joins {
				joan := s.NewPerson(email)
				harness.WantPage(t, joan.RequestLink(), 200, "Check your email")
				if joins {
					harness.WantPage(t, joan.PressContinue(joan.OpenNextLink()), 200, "My apps", email)
					harness.WantPage(t, joan.Get("/users"), 403, "This page is for administrators")
				}
			}
			s.Close() // waits until all mails are sent
			s = harness.Start(t, databaseURL, s.Clock)
			for email, joins := range row.joins {
				if n := len(s.NewPerson(email).Mailbox()); (n == 1) != joins {
					t.Errorf("%s was mailed %d times", email, n)
				}
			}
		})
	}
}

func TestAdmins_InSettingsAreInvitedOnce(t *testing.T) {
	t.Parallel()
	admins := "--guestlist-admins=ada@example.com, Grace@Example.com"
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), admins)
	ada, grace := s.NewPerson("ada@example.com"), s.NewPerson("grace@example.com")
	harness.WantPage(t, ada.PressContinue(ada.OpenNextLink()), 200, "My apps", "People")
	grace.NextLink()
	second := s.StartAnother(admins)
	harness.WantPage(t, s.NewPerson("eve@example.com").RequestLink(), 200, "Check your email")
	harness.WantPage(t, ada.At(second).Get("/users"), 200, "People", "2 people")

	// A demoted administrator stays a member, although the settings name them at the next start.
	ada.CallAPI("PATCH", "/api/users/"+harness.UserIDOf(ada, "Grace@Example.com"), `{"role":"member"}`)
	third := s.StartAnother(admins)
	harness.WantRow(t, ada.At(third).Get("/users"), "Grace@Example.com", "Grace@Example.com", "Member", "Invited")
	s.Close()
	second.Close()
	for email, want := range map[string]int{"ada@example.com": 1, "grace@example.com": 1, "eve@example.com": 0} {
		if n := len(third.NewPerson(email).Mailbox()); n != want {
			t.Errorf("%s was mailed %d times, want %d", email, n, want)
		}
	}
}

func TestSignInLink_IsMailedWheneverAnnounced(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	for range 15 {
		harness.WantPage(t, ada.RequestLink(), 200, "Check your email")
		ada.NextLink()
		s.Clock.Advance(2 * time.Minute) // stays below the limit
	}
	if n := len(ada.Mailbox()); n != 15 {
		t.Errorf("ada was mailed %d times in all", n)
	}
}
