package apps

import (
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	day := func(d int) time.Time { return time.Date(2026, 3, d, 0, 0, 0, 0, time.UTC) }
	staff, board, other := directory.Group{ID: "s", Name: "Staff"}, directory.Group{ID: "b", Name: "Board"}, directory.Group{ID: "o", Name: "Other"}
	in := func(g directory.Group, until time.Time) directory.Membership {
		return directory.Membership{GroupID: g.ID, GroupName: g.Name, Until: until}
	}
	ada := directory.User{ID: "1", Name: "Ada", Status: directory.Active}
	suspended := ada
	suspended.Status = directory.Suspended
	everyone := App{Name: "Wiki", Enabled: true, Audience: Everyone}
	off := everyone
	off.Enabled = false
	open := func(groups ...directory.Group) App {
		return App{Name: "Wiki", Enabled: true, Audience: Groups, Groups: groups}
	}
	for _, r := range []struct {
		name         string
		app          App
		user         directory.User
		memberships  []directory.Membership
		decision     Decision
		text, action string
	}{
		{"everyone", everyone, ada, nil, Allowed, "Ada can open Wiki: it's open to everyone on the list.", ""},
		{"switched off", off, ada, nil, SwitchedOff, "Ada can't open Wiki: it's switched off.", "Switch the app on."},
		{"suspended", everyone, suspended, nil, Suspended, "Ada can't open Wiki: they're suspended.", "Restore their access."},
		{"in a group", open(board, staff), ada, []directory.Membership{in(staff, time.Time{})}, Allowed, "Ada can open Wiki: they're in Staff.", ""},
		{"until a day", open(staff), ada, []directory.Membership{in(staff, day(6))}, Allowed, "Ada can open Wiki: they're in Staff until 5 March 2026.", ""},
		{"until a time", open(staff), ada, []directory.Membership{in(staff, now.Add(time.Minute))}, Allowed, "Ada can open Wiki: they're in Staff until 1 March 2026, 12:01 UTC.", ""},
		{"through the longest", open(board, staff), ada, []directory.Membership{in(board, day(5)), in(staff, day(7)), in(other, time.Time{})}, Allowed, "Ada can open Wiki: they're in Staff until 6 March 2026.", ""},
		{"in no group", open(staff), ada, nil, NotInGroup, "Ada can't open Wiki: it opens to Staff, and they aren't in it.", "Add them to Staff."},
		{"in another group", open(board, other, staff), ada, []directory.Membership{in(directory.Group{ID: "x", Name: "X"}, time.Time{})}, NotInGroup, "Ada can't open Wiki: it opens to Board, Other or Staff, and they're in none of them.", "Add them to one of these groups."},
		{"ended", open(board, staff), ada, []directory.Membership{in(board, time.Date(2026, 2, 2, 0, 0, 0, 0, time.UTC)), in(staff, day(1))}, MembershipEnded, "Ada can't open Wiki: their membership in Staff ended on 28 February 2026.", "Renew the membership."},
		{"no group opens it", open(), ada, []directory.Membership{in(staff, time.Time{})}, NotInGroup, "Ada can't open Wiki: no group opens it.", "Choose a group that opens the app."},
	} {
		e := explain(RequestFacts{App: r.app, User: r.user, Memberships: r.memberships}, now)
		if e.Decision != r.decision || e.Text != r.text || e.Action != r.action || e.Allowed() != (e.Action == "") {
			t.Errorf("%s: %s %q %q", r.name, e.Decision, e.Text, e.Action)
		}
	}
}

func TestExplain_PendingRequest(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	asked := now.Add(-26 * time.Hour)
	staff := directory.Group{ID: "s", Name: "Staff"}
	wiki, closed := App{Name: "Wiki", Enabled: true, Audience: Groups, Groups: []directory.Group{staff}}, App{Name: "Wiki", Enabled: true, Audience: Groups}
	ada := directory.User{ID: "1", Name: "Ada", Status: directory.Active}
	off := wiki
	off.Enabled = false
	suspended := ada
	suspended.Status = directory.Suspended
	until := func(end time.Time) []directory.Membership {
		return []directory.Membership{{GroupID: "s", GroupName: "Staff", Until: end}}
	}
	const pending = " They requested access on 28 February 2026, 10:00 UTC, and no one has decided yet."
	for _, r := range []struct {
		name         string
		app          App
		user         directory.User
		memberships  []directory.Membership
		state        RequestState
		asked        time.Time
		text, action string
	}{
		{"in no group", wiki, ada, nil, RequestPending, asked, "Ada can't open Wiki: it opens to Staff, and they aren't in it." + pending, "Approve or deny their request."},
		{"ended", wiki, ada, until(now), RequestPending, asked, "Ada can't open Wiki: their membership in Staff ended on 1 March 2026, 12:00 UTC." + pending, "Approve or deny their request."},
		{"no group opens it", closed, ada, nil, RequestPending, asked, "Ada can't open Wiki: no group opens it." + pending, "Choose a group that opens the app."},
		{"switched off", off, ada, nil, RequestPending, asked, "Ada can't open Wiki: it's switched off." + pending, "Switch the app on."},
		{"suspended", wiki, suspended, nil, RequestPending, asked, "Ada can't open Wiki: they're suspended." + pending, "Restore their access."},
		{"allowed", wiki, ada, until(time.Time{}), RequestPending, asked, "Ada can open Wiki: they're in Staff." + pending, ""},
		{"denied", wiki, ada, nil, RequestDenied, time.Time{}, "Ada can't open Wiki: it opens to Staff, and they aren't in it.", "Add them to Staff."},
		{"approved, then taken out", wiki, ada, nil, RequestApproved, time.Time{}, "Ada can't open Wiki: it opens to Staff, and they aren't in it.", "Add them to Staff."},
	} {
		request := &Request{State: r.state, CreatedAt: asked}
		e := explain(RequestFacts{App: r.app, User: r.user, Memberships: r.memberships, Request: request}, now)
		if e.Text != r.text || e.Action != r.action || !e.Asked.Equal(r.asked) {
			t.Errorf("%s: %q %q %v", r.name, e.Text, e.Action, e.Asked)
		}
		if j := NewExplanationJSON(e); (j.RequestedAt != nil) != (r.state == RequestPending) || j.RequestedAt != nil && !j.RequestedAt.Equal(asked) {
			t.Errorf("%s: programs see %v", r.name, j.RequestedAt)
		}
	}
}
