package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/testdb"
)

func TestLookingAtALinkSpendsNothing(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := start(t, databaseURL, newClock(noon))
		ada := s.person("ada@example.com")
		ada.asks()
		link := ada.newMail()
		next, _ := ada.get(link).Link("Continue")
		for range 3 {
			for _, method := range []string{"HEAD", "GET"} {
				for _, address := range []string{link, next} {
					scanner := newcomer(s)
					if v := scanner.follow(scanner.request(method, address, nil)); v.status != http.StatusOK {
						t.Errorf("%s %s: %d %s", method, v.path, v.status, v.Text())
					}
				}
			}
		}
		wants(t, ada.continues(ada.opens(link)), 200, "People")
	})
}

func TestWhoeverComesWithALinkThatDoesNotWorkIsToldWhatToDo(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon), "--guestlist-access=open")
	s.person("ada@example.com").signsIn()
	grace := s.person("grace@example.com")
	grace.asks()
	link := grace.newMail()

	used := grace.elsewhere()
	landing := used.opens(link)
	used.continues(landing)
	wants(t, grace.continues(grace.opens(link)), 410, "This link no longer works", "Ask for a new one")
	wants(t, used.continues(landing), 200, "grace@example.com") // pressed again by who is in

	late := s.person("late@example.com")
	late.asks()
	landing = late.opensMail()
	s.clock.advance(10*time.Minute - time.Second)
	wants(t, late.get(landing.path), 200, "Welcome")
	s.clock.advance(time.Second)
	wants(t, late.continues(landing), 410, "This link no longer works")

	cut := grace.elsewhere()
	wants(t, cut.posts(callbackPath, "token", "cut"), 404, "This link is not complete")
	wants(t, cut.posts(callbackPath), 404, "This link is not complete")
	wants(t, cut.get(callbackPath), 404, "This link is not complete")
	wants(t, cut.get(callbackPath+"?token=x&stytch_token_type=oauth"), 404, "This link is not complete")
	wants(t, used.get(callbackPath), 200, "grace@example.com") // a reload, after the token has left the address
}

func TestWhoHasProvenAnAddressIsToldWhyTheyStayOutside(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon))
	ada := s.person("ada@example.com")
	ada.signsIn()
	for _, row := range []struct{ name, method, body, heading string }{
		{"removed", "DELETE", "", "This link is not complete"}, // Stytch has forgotten them too
		{"suspended", "PATCH", `{"status":"suspended"}`, "Your access is suspended"},
	} {
		grace := s.person(row.name + "@example.com")
		ada.invites(grace.email)
		grace.continues(grace.opensMail())
		phone := grace.elsewhere()
		phone.asks()
		landing := phone.opensMail()
		ada.calls(row.method, "/api/users/"+whoHolds(grace).User.ID, row.body)
		eventually(t, "Stytch told", func() bool { return s.count("SELECT COUNT(*) FROM outbox") == 0 })
		v := phone.continues(landing)
		if v.status < 400 || v.status >= 500 || v.Heading() != row.heading {
			t.Errorf("%s: %d %s", row.name, v.status, v.Text())
		}
	}
	eventually(t, "nobody but ada with a session at Stytch", func() bool {
		return s.count("SELECT COUNT(*) FROM sessions") == 1 && s.count("SELECT COUNT(*) FROM outbox") == 0
	})
}

func TestUnknownAndKnownAddressesGetTheSameAnswerAndOnlyKnownOnesAMail(t *testing.T) {
	t.Parallel()
	for _, sameBrowser := range []string{"off", "on"} {
		t.Run("same browser "+sameBrowser, func(t *testing.T) {
			t.Parallel()
			databaseURL := testdb.SQLite(t)
			s := start(t, databaseURL, newClock(noon), "--guestlist-link-same-browser="+sameBrowser)
			ada := s.person("ada@example.com")
			ada.signsIn()
			ada.invites("invited@example.com")
			ada.invites("suspended@example.com")
			s.person("invited@example.com").newMail()
			suspended := s.person("suspended@example.com")
			suspended.continues(suspended.opensMail())
			ada.calls("PATCH", "/api/users/"+whoHolds(suspended).User.ID, `{"status":"suspended"}`)

			mails := map[string]int{"ada@example.com": 2, "invited@example.com": 2, "suspended@example.com": 1, "unknown@example.com": 0}
			answers := map[string]any{}
			for email := range mails {
				p := s.person(email)
				r := p.request("POST", s.url+"/signin", strings.NewReader("email="+email+"&next=/users"))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				answers[email] = essence(p.only(r))
			}
			for email, answer := range answers {
				if diff := cmp.Diff(answers["ada@example.com"], answer); diff != "" {
					t.Errorf("ada's answer differs from that of %s:\n%s", email, diff)
				}
			}
			s.close() // which waits until all mails have left
			s = start(t, databaseURL, s.clock)
			for email, want := range mails {
				if n := len(s.person(email).mailbox()); n != want {
					t.Errorf("%s was mailed %d times, want %d", email, n, want)
				}
			}
		})
	}
}

func TestWithSameBrowserASignInLinkWorksOnlyWhereItWasAskedForAndAnInvitationAnywhere(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon), "--guestlist-link-same-browser=on")
	ada := s.person("ada@example.com")
	ada.asks()
	link := ada.newMail()

	wants(t, ada.elsewhere().continues(ada.opens(link)), 403, "Open this link where you asked for it")
	asker := ada.elsewhere() // who has asked for a link too has a verifier, but another
	asker.asks()
	own := asker.newMail()
	wants(t, asker.continues(asker.opens(link)), 403, "Open this link where you asked for it")
	wants(t, ada.continues(ada.opens(link)), 200, "People")
	wants(t, asker.continues(asker.opens(own)), 200, "People")

	for _, where := range []string{"a fresh browser", "a browser that has asked for a link"} {
		grace := s.person(strings.ReplaceAll(where, " ", "-") + "@example.com")
		ada.invites(grace.email)
		invitation := grace.newMail()
		if where != "a fresh browser" {
			grace.asks()
		}
		wants(t, grace.continues(grace.opens(invitation)), 200, grace.email)
	}
}

func TestSomebodySignedInIsAskedBeforeALinkSignsThemInAnew(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon))
	ada := s.person("ada@example.com")
	ada.signsIn()
	ada.invites("grace@example.com")
	grace := s.person("grace@example.com")
	link := grace.newMail()

	borrowed := *grace
	borrowed.jar = ada.jar // grace opens her mail in ada's browser
	landing := borrowed.opens(link)
	wants(t, landing, 200, "Sign in again?", "This browser is signed in as ada@example.com", "Stay signed in as ada@example.com")
	if strings.Contains(landing.body, `data-continue="auto"`) {
		t.Error("the page would press its button by itself")
	}
	wants(t, borrowed.continues(landing), 200, "grace@example.com")
	if n := s.count("SELECT COUNT(*) FROM sessions"); n != 1 {
		t.Errorf("%d sessions are left: the one the browser held before should have ended", n)
	}
}
