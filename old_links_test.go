package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
)

const isOld = "Your access has changed since"

func TestLinks_MadeBeforeAChangeOfAccessAreRefused(t *testing.T) {
	t.Parallel()
	post := func(heading, path string, form ...string) func(t *testing.T, ada, grace *person) {
		return func(t *testing.T, ada, grace *person) {
			wants(t, ada.posts("/users/"+whoHolds(grace).User.ID+path, form...), 200, heading)
		}
	}
	own := func(which string) func(t *testing.T, _, grace *person) {
		return func(t *testing.T, _, grace *person) { grace.posts("/profile/signout", "session", which) }
	}
	for _, row := range []struct {
		name   string
		change func(t *testing.T, ada, grace *person)
	}{
		{"all sessions ended by an administrator", post("grace@example.com", "/signout")},
		{"signed out everywhere", own("all")},
		{"signed out everywhere else", own("others")},
		{"made an administrator", post("Grace", "", "name", "Grace", "role", "admin")},
		{"suspended and let in again", func(t *testing.T, ada, grace *person) {
			path := "/users/" + whoHolds(grace).User.ID
			ada.posts(path + "/suspend")
			ada.posts(path + "/reinstate")
		}},
		{"all sessions ended on the command line", func(t *testing.T, _, grace *person) {
			if _, err := grace.site.command("sessions", "end", grace.email); err != nil {
				t.Error(err)
			}
		}},
		{"removed and invited again", func(t *testing.T, ada, grace *person) {
			ada.calls("DELETE", "/api/users/"+whoHolds(grace).User.ID, "")
			eventually(t, "Stytch told", func() bool { return grace.site.count("SELECT COUNT(*) FROM outbox") == 0 })
			grace.site.clock.advance(time.Second)
			ada.invites(grace.email)
			grace.newMail()
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			testdb.Each(t, func(t *testing.T, databaseURL string) {
				s := start(t, databaseURL, newClock(noon))
				ada, grace := s.person("ada@example.com"), s.person("grace@example.com")
				ada.signsIn()
				ada.invites(grace.email)
				grace.continues(grace.opensMail())
				s.clock.advance(time.Minute)
				thief := grace.elsewhere()
				thief.asks()
				stolen := thief.opens(grace.newMail())
				s.clock.advance(time.Second)
				row.change(t, ada, grace)
				s.clock.advance(time.Second)

				v := thief.continues(stolen)
				if row.name == "removed and invited again" { // Stytch has forgotten them too
					wants(t, v, 404, "This link is not complete")
				} else {
					wants(t, v, 410, "This link no longer works", isOld)
				}
				wants(t, thief.get("/profile"), 200, "Sign in")

				again := grace.elsewhere()
				again.asks()
				if v := again.continues(again.opens(grace.newMail())); v.status != http.StatusOK {
					t.Errorf("a link from after it: %d %s", v.status, v.Text())
				}
			})
		})
	}
}

func TestLinks_TheFirstSignInEndsTheOthers(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := start(t, databaseURL, newClock(noon))
		second := s.another()
		ada, grace := s.person("ada@example.com"), s.person("grace@example.com")
		ada.signsIn()
		ada.invites(grace.email)
		invitation := grace.newMail()
		s.clock.advance(time.Minute)
		grace.asks()
		wants(t, grace.continues(grace.opens(grace.newMail())), 200, grace.email)

		thief := grace.elsewhere().at(second)
		wants(t, thief.continues(thief.opens(invitation)), 410, "This link no longer works", isOld)
		wants(t, grace.continues(grace.opens(invitation)), 200, grace.email) // who is in stays in
		wants(t, ada.get("/users/"+whoHolds(grace).User.ID+"/why"), 200, "Why can’t they sign in?", "a link from before their access changed")
	})
}

func TestLinks_AnInvitationAsMemberIsNoneAsAdministrator(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon))
	ada, grace := s.person("ada@example.com"), s.person("grace@example.com")
	ada.signsIn()
	ada.invites(grace.email)
	old := grace.newMail()
	s.clock.advance(time.Minute)
	id := idOf(ada, grace.email)
	ada.calls("PATCH", "/api/users/"+id, `{"role":"admin"}`)
	fresh := grace.newMail() // in place of the first
	thief := grace.elsewhere()
	if v := thief.continues(thief.opens(old)); v.status != http.StatusGone {
		t.Errorf("%d %s", v.status, v.Text())
	}
	wants(t, grace.continues(grace.opens(fresh)), 200, "People")
}
