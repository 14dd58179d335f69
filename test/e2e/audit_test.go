package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestAudit_RecordsEvents(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
		ada, grace, eve := s.NewPerson("ada@example.com"), s.NewPerson("grace@example.com"), s.NewPerson("eve@example.com")
		ada.SignIn()
		eve.RequestLink()
		ada.Invite(grace.Email)
		link := grace.NextLink()
		grace.PressContinue(grace.OpenLink(link))
		id := harness.CurrentSession(grace).User.ID
		s.Clock.Advance(time.Hour) // the link is used, and the session continues
		again := grace.InNewBrowser()
		harness.WantPage(t, again.DoOnce(again.ContinueRequest(link)), 410, "This link no longer works")
		harness.WantPage(t, grace.Get("/users"), 403, "This page is for administrators")
		ada.CallAPI("PATCH", "/api/users/"+id, `{"name":"Grace"}`)
		refusedIn := grace.InNewBrowser()
		refusedIn.RequestLink()
		link = refusedIn.NextLink()
		ada.CallAPI("PATCH", "/api/users/"+id, `{"status":"suspended"}`)
		harness.WantPage(t, refusedIn.DoOnce(refusedIn.ContinueRequest(link)), 403, "Your access is suspended")
		if v := ada.CallAPI("GET", "/api/events?kind=sign_in_refused&person="+id, ""); !strings.Contains(v.Body, `"reason":"suspended"`) {
			t.Errorf("of her, no refusal is on record: %s", v.Body)
		}
		ada.CallAPI("PATCH", "/api/users/"+id, `{"status":"active"}`)
		grace.SignIn()
		grace.Post("/signout")
		ada.CallAPI("DELETE", "/api/users/"+id, "")

		type who struct{ Email string }
		var trail struct {
			Events []struct {
				Kind, Reason, Address string
				Actor, Subject        *who
			}
		}
		if v := ada.CallAPI("GET", "/api/events?limit=200", ""); json.Unmarshal([]byte(v.Body), &trail) != nil {
			t.Fatalf("%d %s", v.Status, v.Body)
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
		a, g, e := ada.Email, grace.Email, eve.Email
		want := [][4]string{
			{"", "setting_changed", "", "a key for cookies was made"},
			{"", "setting_changed", "", "a key that signs identities for apps was made"},
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

		// A second instance with other settings is recorded with the changed ones.
		open := s.StartAnother("--guestlist-access=open")
		if n := open.Count("SELECT COUNT(*) FROM events WHERE kind = 'setting_changed' AND changes LIKE ?",
			`%{"field":"GUESTLIST_ACCESS","old":"invite","new":"open"}%`); n != 1 {
			t.Errorf("that the list was opened is on record %d times", n)
		}

		// Events are kept for the configured duration.
		s.Clock.Advance(s.Config.EventsKeep)
		later := s.StartAnother()
		harness.Eventually(t, "the old events gone", func() bool {
			return later.Count("SELECT COUNT(*) FROM events WHERE at < ?", harness.Noon.Add(time.Minute).UnixMicro()) == 0
		})
	})
}
