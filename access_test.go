package main

import (
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
)

func TestWhoMayJoinWithoutAnInvitationIsASetting(t *testing.T) {
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
			s := start(t, databaseURL, newClock(noon), "--guestlist-access="+row.access)
			s.person("ada@example.com").signsIn()
			for email, joins := range row.joins {
				joan := s.person(email)
				wants(t, joan.asks(), 200, "Check your email")
				if joins {
					wants(t, joan.continues(joan.opensMail()), 200, email)
					wants(t, joan.get("/users"), 403, "This page is for administrators")
				}
			}
			s.close() // which waits until all mails have left
			s = start(t, databaseURL, s.clock)
			for email, joins := range row.joins {
				if n := len(s.person(email).mailbox()); (n == 1) != joins {
					t.Errorf("%s was mailed %d times", email, n)
				}
			}
		})
	}
}

func TestAdministratorsNamedInTheSettingsAreInvitedOnceAndNobodyElseIsFirst(t *testing.T) {
	t.Parallel()
	admins := "--guestlist-admins=ada@example.com, Grace@Example.com"
	s := start(t, testdb.SQLite(t), newClock(noon), admins)
	ada, grace := s.person("ada@example.com"), s.person("grace@example.com")
	wants(t, ada.continues(ada.opensMail()), 200, "People")
	grace.newMail()
	second := s.another(admins)
	wants(t, s.person("eve@example.com").asks(), 200, "Check your email")
	wants(t, ada.at(second).get("/users"), 200, "People", "2 people")

	// Who was demoted stays so, whatever the settings say at the next start.
	ada.calls("PATCH", "/api/users/"+idOf(ada, "Grace@Example.com"), `{"role":"member"}`)
	third := s.another(admins)
	wantsRow(t, ada.at(third).get("/users"), "Grace@Example.com", "Grace@Example.com", "Member", "Invited")
	s.close()
	second.close()
	for email, want := range map[string]int{"ada@example.com": 1, "grace@example.com": 1, "eve@example.com": 0} {
		if n := len(third.person(email).mailbox()); n != want {
			t.Errorf("%s was mailed %d times, want %d", email, n, want)
		}
	}
}

func TestEachLinkThatIsSaidToBeOnItsWayIsMailed(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon))
	ada := s.person("ada@example.com")
	for range 15 {
		wants(t, ada.asks(), 200, "Check your email")
		ada.newMail()
		s.clock.advance(2 * time.Minute) // or the limit is reached, and says so
	}
	if n := len(ada.mailbox()); n != 15 {
		t.Errorf("ada was mailed %d times in all", n)
	}
}

// idOf returns the id of somebody on the list.
func idOf(p *person, words string) string {
	p.t.Helper()
	href, ok := p.get("/users").Link(words)
	if !ok {
		p.t.Fatalf("nobody is called %s", words)
	}
	return href[len(p.site.cfg.BaseURL.Path+"/users/"):]
}
