package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/testdb"
)

func TestWhatHappensIsOnRecord(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := start(t, databaseURL, newClock(noon))
		ada, grace, eve := s.person("ada@example.com"), s.person("grace@example.com"), s.person("eve@example.com")
		ada.signsIn()
		eve.asks()
		ada.invites(grace.email)
		link := grace.newMail()
		grace.continues(grace.opens(link))
		id := whoHolds(grace).User.ID
		s.clock.advance(time.Hour) // the link is spent and the session stands
		again := grace.elsewhere()
		wants(t, again.only(again.press(link)), 410, "This link no longer works")
		wants(t, grace.get("/users"), 403, "This page is for administrators")
		ada.calls("PATCH", "/api/users/"+id, `{"name":"Grace"}`)
		refusedIn := grace.elsewhere()
		refusedIn.asks()
		link = refusedIn.newMail()
		ada.calls("PATCH", "/api/users/"+id, `{"status":"suspended"}`)
		wants(t, refusedIn.only(refusedIn.press(link)), 403, "Your access is suspended")
		if v := ada.calls("GET", "/api/events?kind=sign_in_refused&person="+id, ""); !strings.Contains(v.body, `"reason":"suspended"`) {
			t.Errorf("of her, no refusal is on record: %s", v.body)
		}
		ada.calls("PATCH", "/api/users/"+id, `{"status":"active"}`)
		grace.signsIn()
		grace.posts("/signout")
		ada.calls("DELETE", "/api/users/"+id, "")

		type who struct{ Email string }
		var trail struct {
			Events []struct {
				Kind, Reason, Address string
				Actor, Subject        *who
			}
		}
		if v := ada.calls("GET", "/api/events?limit=200", ""); json.Unmarshal([]byte(v.body), &trail) != nil {
			t.Fatalf("%d %s", v.status, v.body)
		}
		var got [][4]string
		for i := len(trail.Events) - 1; i >= 0; i-- {
			e := trail.Events[i]
			line := [4]string{"", e.Kind, "", e.Reason}
			if e.Actor != nil {
				line[0] = e.Actor.Email
			}
			if e.Subject != nil {
				line[2] = e.Subject.Email
			}
			if own := e.Kind == "setting_changed" || e.Kind == "invite_sent"; (e.Address == "") != own {
				t.Errorf("%v came from %q", line, e.Address)
			}
			got = append(got, line)
		}
		a, g, e := ada.email, grace.email, eve.email
		want := [][4]string{
			{"", "setting_changed", "", "a key for cookies was made"},
			{"", "link_requested", a, ""},
			{a, "user_joined", a, ""},
			{a, "signed_in", a, ""},
			{"", "link_requested", e, "not on the list"},
			{a, "user_invited", g, ""},
			{"", "invite_sent", g, ""},
			{"", "link_opened", "", "by a browser"},
			{g, "signed_in", g, ""},
			{"", "sign_in_refused", "", "link used or expired"},
			{g, "action_refused", g, "GET /users: for administrators"},
			{a, "user_edited", g, ""},
			{"", "link_requested", g, ""},
			{a, "user_suspended", g, ""},
			{a, "session_ended", g, "suspended"},
			{"", "sign_in_refused", g, "suspended"},
			{a, "user_reinstated", g, ""},
			{"", "link_requested", g, ""},
			{g, "signed_in", g, ""},
			{g, "session_ended", g, "signed out"},
			{a, "user_removed", g, ""},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}

		// Another instance, with other settings, is on record with both.
		open := s.another("--guestlist-access=open")
		if n := open.count("SELECT COUNT(*) FROM events WHERE kind = 'setting_changed' AND changes LIKE ?",
			`%{"field":"GUESTLIST_ACCESS","old":"invite","new":"open"}%`); n != 1 {
			t.Errorf("that the list was opened is on record %d times", n)
		}

		// It is kept as long as it is set, and not longer.
		s.clock.advance(s.cfg.EventsKeep)
		later := s.another()
		eventually(t, "the old events gone", func() bool {
			return later.count("SELECT COUNT(*) FROM events WHERE at < ?", noon.Add(time.Minute).UnixMicro()) == 0
		})
	})
}
