package web

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
)

// membership returns a user's membership in a group, or nil.
func (f *fixture) membership(g directory.Group, userID string) *directory.Membership {
	f.t.Helper()
	m, err := f.server.opts.Groups.Membership(f.t.Context(), g.ID, userID)
	if errors.Is(err, directory.ErrNotMember) {
		return nil
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return &m
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

func TestGroups_AreCreatedRenamedAndRemoved(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	if a := ada.get("/groups"); !strings.Contains(a.Text(), "No groups yet") {
		t.Errorf("%s", a.Text())
	}
	a := ada.form("/groups", "name", "Family")
	path := a.header.Get("Location")
	if a.status != http.StatusSeeOther || !strings.HasPrefix(path, "/groups/") {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	g := directory.Group{ID: strings.TrimPrefix(path, "/groups/")}
	f.joinUser(g, ada.user.ID, time.Time{})
	f.addApp("Photos", "https://photos.example.com", g)
	f.addApp("Calendar", "https://calendar.example.com", g, f.addGroup("Friends"))
	if a := ada.get("/groups"); !strings.Contains(a.Text(), "Family 1 member · opens 2 apps") {
		t.Errorf("%s", a.Text())
	}
	if a := ada.form(path, "name", "The family"); a.status != http.StatusSeeOther {
		t.Errorf("%d %s", a.status, a.Text())
	}
	page := ada.get(path)
	for _, want := range []string{"Saved The family.", "ada@example.com", "no end date", "Photos", "Calendar"} {
		if !strings.Contains(page.Text(), want) {
			t.Errorf("no %q: %s", want, page.Text())
		}
	}
	asked := ada.get(path + "/remove")
	for _, want := range []string{"No one will be able to open Photos", "Its members lose Calendar, unless another", "stay on the list"} {
		if !strings.Contains(asked.Text(), want) {
			t.Errorf("no %q: %s", want, asked.Text())
		}
	}
	if a := ada.form(path + "/remove"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/groups" {
		t.Errorf("%d %s", a.status, a.Text())
	}
	for _, request := range [][2]string{{"GET", ""}, {"GET", "/remove"}, {"POST", "/remove"}, {"POST", "/members"}} {
		if a := ada.send(request[0], path+request[1], "", "Content-Type", "application/x-www-form-urlencoded"); a.status != http.StatusNotFound || a.Heading() != "This group doesn’t exist" {
			t.Errorf("%s %s: %d %s", request[0], request[1], a.status, a.Heading())
		}
	}
	if a := ada.form(path, "name", "x"); a.status != http.StatusNotFound {
		t.Errorf("renamed: %d", a.status)
	}
	log := ada.get("/activity").Text()
	for _, want := range []string{"Group removed: The family", "Group renamed: Family", "name: Family → The family", "Group created: Family", "App added: Photosaddress: https://photos.example.com"} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log has no %q: %s", want, log)
		}
	}
}

func TestGroupForms_RefuseBadInputAndKeepIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	family := f.addGroup("Family")
	f.addGroup("Friends")
	f.joinUser(family, ada.user.ID, time.Time{})
	page := "/groups/" + family.ID
	long := strings.Repeat("x", directory.MaxGroupName+1)
	for _, row := range []struct {
		path   string
		values []string
		status int
		want   string
	}{
		{"/groups", []string{"name", " "}, 422, "Name the group."},
		{"/groups", []string{"name", "Friends, old"}, 422, "can’t contain a comma"},
		{"/groups", []string{"name", long}, 422, "Use at most 60 characters."},
		{"/groups", []string{"name", "FRIENDS"}, 409, "Another group has this name."},
		{page, []string{"name", "\u200b"}, 422, "Name the group."},
		{page, []string{"name", "friends"}, 409, "Another group has this name."},
		{page + "/members", []string{"who", ""}, 422, "Write an email address, or part of a name"},
		{page + "/members", []string{"who", "nobody@example.com"}, 422, "isn’t on the list"},
		{page + "/members", []string{"who", "zzz"}, 422, "No one on the list matches."},
		{page + "/members", []string{"who", "ada@example.com"}, 422, "is in this group already"},
		{page + "/members", []string{"who", "ada@example.com", "until", "yesterday"}, 422, "Write the date as YYYY-MM-DD."},
		{page + "/members", []string{"who", "ada@example.com", "until", "2026-02-28"}, 422, "Choose a date in the future."},
		{page + "/members/" + ada.user.ID, []string{"until", "2020-01-01"}, 422, "Choose a date in the future."},
		{page + "/members/" + ada.user.ID, []string{"days", "365000", "seen", "2026-03-05T00:00:00Z"}, 400, "We couldn’t read that form"},
		{page + "/members/" + ada.user.ID, []string{"days", "30"}, 400, "We couldn’t read that form"},
		{page + "/members/nobody", []string{"until", ""}, 404, "They’re not in this group any more"},
		{page + "/members/nobody/remove", nil, 404, "isn’t on the list"},
		{"/groups/none/members/" + ada.user.ID, []string{"until", ""}, 404, "They’re not in this group any more"},
		{"/groups/none/members/" + ada.user.ID + "/remove", nil, 404, "This group doesn’t exist"},
		{"/users/" + ada.user.ID + "/groups", []string{"groups", ""}, 422, "Choose a group."},
		{"/users/" + ada.user.ID + "/groups", []string{"groups", "none"}, 422, "doesn’t exist any more"},
		{"/users/" + ada.user.ID + "/groups", []string{"groups", family.ID}, 422, "They’re in this group already."},
		{"/users/" + ada.user.ID + "/groups/" + family.ID, []string{"until", "2020-01-01"}, 422, "Choose a date in the future."},
		{"/users/nobody/groups", []string{"groups", family.ID}, 404, "This person isn’t on the list"},
		{"/users/nobody/groups/" + family.ID, []string{"until", ""}, 404, "They’re not in this group any more"},
		{"/users/nobody/groups/" + family.ID + "/leave", nil, 404, "This person isn’t on the list"},
	} {
		before := f.rows()
		a := ada.form(row.path, row.values...)
		if a.status != row.status || !strings.Contains(a.Text(), row.want) {
			t.Errorf("%s %q: %d, no %q: %s", row.path, row.values, a.status, row.want, a.Text())
		}
		for i := 1; i < len(row.values) && a.status == 422; i += 2 {
			if typed := strings.TrimSpace(row.values[i]); typed != "" && typed != "\u200b" && typed != "none" && !strings.Contains(a.body, typed) {
				t.Errorf("%s %q: %q is lost", row.path, row.values, typed)
			}
		}
		if f.rows() != before {
			t.Errorf("%s %q: something was saved", row.path, row.values)
		}
	}
}

func TestGroup_MembersAreAddedByAddressOrName(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}, Name: "Grace Hopper"})
	hedy := f.add(directory.User{Email: directory.Email{Display: "hedy@example.com"}, Name: "Hedy Lamarr"})
	for _, name := range []string{"Grace Kelly", "Grace Jones"} {
		f.add(directory.User{Email: directory.Email{Display: strings.ReplaceAll(name, " ", ".") + "@example.com"}, Name: name})
	}
	family := f.addGroup("Family")
	page := "/groups/" + family.ID
	if a := ada.form(page+"/members", "who", " HEDY@example.com ", "until", "2026-03-05"); a.status != http.StatusSeeOther || a.header.Get("Location") != page {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	if m := f.membership(family, hedy.ID); m == nil || !m.Until.Equal(date(2026, 3, 6)) || m.AddedBy != ada.user.ID {
		t.Errorf("hedy: %+v", m)
	}
	a := ada.form(page+"/members", "who", "grace", "until", "2026-04-01")
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), "Choose the person below.") || strings.Count(a.body, `name="user"`) != 3 || !strings.Contains(a.body, `value="2026-04-01"`) {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	if a := ada.form(page+"/members", "who", "grace", "until", "2026-04-01", "user", grace.ID); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	if m := f.membership(family, grace.ID); m == nil || !m.Until.Equal(date(2026, 4, 2)) {
		t.Errorf("grace: %+v", m)
	}
	text := ada.get(page).Text()
	for _, want := range []string{"Grace Hopper was added to Family.", "Grace Hopper grace@example.com · until 1 April 2026", "Hedy Lamarr Ends in 4 days hedy@example.com · until 5 March 2026"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q: %s", want, text)
		}
	}
}

func TestMembership_IsExtendedRenewedAndEnded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	hedy := f.add(directory.User{Email: directory.Email{Display: "hedy@example.com"}, Name: "Hedy Lamarr"})
	family := f.addGroup("Family")
	f.joinUser(family, hedy.ID, noon.Add(time.Minute))
	onGroup, onUser := "/groups/"+family.ID+"/members/"+hedy.ID, "/users/"+hedy.ID+"/groups/"+family.ID
	if a := ada.get("/groups"); !strings.Contains(a.Text(), "Ending this week Hedy Lamarr Ends today") {
		t.Errorf("%s", a.Text())
	}
	f.clock.advance(2 * time.Minute)
	if a := ada.get("/groups"); !strings.Contains(a.Text(), "Hedy Lamarr Ended") {
		t.Errorf("%s", a.Text())
	}
	for _, row := range []struct {
		name, path string
		values     []string
		location   string
		want       time.Time
	}{
		{"renewed", onGroup, []string{"days", "30", "back", "groups"}, "/groups", date(2026, 4, 1)},
		{"extended", onGroup, []string{"days", "30"}, "/groups/" + family.ID, date(2026, 5, 1)},
		{"the same form again", onGroup, []string{"days", "30", "seen", "2026-04-01T00:00:00Z"}, "/groups/" + family.ID, date(2026, 5, 1)},
		{"extended on the person's page", onUser, []string{"days", "30"}, "/users/" + hedy.ID, date(2026, 5, 31)},
		{"a date", onUser, []string{"until", "2026-03-04"}, "/users/" + hedy.ID, date(2026, 3, 5)},
		{"the same date", onUser, []string{"until", "2026-03-04"}, "/users/" + hedy.ID, date(2026, 3, 5)},
		{"no end", onGroup, []string{"until", ""}, "/groups/" + family.ID, time.Time{}},
		{"extended without an end", onGroup, []string{"days", "30"}, "/groups/" + family.ID, time.Time{}},
		{"elsewhere", onGroup, []string{"until", "", "back", "https://evil.example"}, "/groups/" + family.ID, time.Time{}},
	} {
		if row.values[0] == "days" && len(row.values) < 4 || row.values[len(row.values)-1] == "groups" {
			row.values = append(row.values, "seen", f.membership(family, hedy.ID).Until.Format(time.RFC3339Nano))
		}
		a := ada.form(row.path, row.values...)
		if a.status != http.StatusSeeOther || a.header.Get("Location") != row.location {
			t.Errorf("%s: %d, leads to %q: %s", row.name, a.status, a.header.Get("Location"), a.Text())
		}
		if m := f.membership(family, hedy.ID); m == nil || !m.Until.Equal(row.want) {
			t.Errorf("%s: %+v, want %v", row.name, m, row.want)
		}
	}
	if a := ada.get("/activity"); !strings.Contains(a.Text(), "Group membership changed: Familylast day: 30 May 2026 → 4 March 2026") {
		t.Errorf("the audit log: %s", a.Text())
	}
	if a := ada.form(onUser + "/leave"); a.status != http.StatusSeeOther || f.membership(family, hedy.ID) != nil {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if a := ada.form(onGroup + "/remove"); a.status != http.StatusNotFound || a.Heading() != "They’re not in this group any more" {
		t.Errorf("removed twice: %d %s", a.status, a.Text())
	}
	if a := ada.form("/users/"+hedy.ID+"/groups", "groups", family.ID, "until", "2026-03-31"); a.status != http.StatusSeeOther {
		t.Errorf("added again: %d %s", a.status, a.Text())
	}
	if a := ada.form(onGroup + "/remove"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/groups/"+family.ID {
		t.Errorf("removed on the group's page: %d %s", a.status, a.Text())
	}
}

func TestUserPage_SaysWhichAppsTheyOpenAndWhy(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	hedy := f.add(directory.User{Email: directory.Email{Display: "hedy@example.com"}, Name: "Hedy Lamarr"})
	family, friends, board := f.addGroup("Family"), f.addGroup("Friends"), f.addGroup("Board")
	f.addApp("Wiki", "https://wiki.example.com")
	f.addApp("Photos", "https://photos.example.com", family, friends)
	f.addApp("Minutes", "https://minutes.example.com", board)
	old := f.addApp("Calendar", "https://calendar.example.com", friends)
	f.joinUser(family, hedy.ID, date(2026, 3, 20))
	f.joinUser(friends, hedy.ID, noon.Add(time.Second))
	text := ada.get("/users/" + hedy.ID).Text()
	for _, want := range []string{"Guest until 19 March 2026", "PhotosThrough Family, Friends", "WikiOpen to everyone on the list"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q: %s", want, text)
		}
	}
	if strings.Contains(text, "Minutes") {
		t.Errorf("an app of another group: %s", text)
	}
	f.clock.advance(time.Minute)
	text = ada.get("/users/" + hedy.ID).Text()
	for _, want := range []string{"PhotosThrough Family", "Calendar ClosedClosed since their membership in Friends ended"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q: %s", want, text)
		}
	}
	if decision, _, err := f.server.opts.Apps.AccessOf(t.Context(), old, hedy); err != nil || decision != apps.MembershipEnded {
		t.Errorf("the page and the decision differ: %s, %v", decision, err)
	}
	ada.form("/users/" + hedy.ID + "/suspend")
	if text := ada.get("/users/" + hedy.ID).Text(); !strings.Contains(text, "Wiki ClosedClosed while they’re suspended") || strings.Contains(text, "Minutes") {
		t.Errorf("%s", text)
	}
}

func TestInvite_AddsAGuestToGroups(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	if a := ada.get("/users/new"); strings.Contains(a.Text(), "Guest until") {
		t.Errorf("a date without groups: %s", a.Text())
	}
	family, friends := f.addGroup("Family"), f.addGroup("Friends")
	before := f.rows()
	for _, row := range []struct {
		values []string
		want   string
	}{
		{[]string{"until", "2026-03-05"}, "Choose the groups this date is for, or leave it empty."},
		{[]string{"until", "2026-02-05", "groups", family.ID}, "Choose a date in the future."},
		{[]string{"groups", "none"}, "One of these groups doesn’t exist any more."},
	} {
		a := ada.form("/users", append([]string{"email", "hedy@example.com", "name", "Hedy Lamarr"}, row.values...)...)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), row.want) || !strings.Contains(a.body, `value="Hedy Lamarr"`) {
			t.Errorf("%v: %d, no %q: %s", row.values, a.status, row.want, a.Text())
		}
		if len(row.values) > 2 && !strings.Contains(a.body, `value="`+family.ID+`" checked`) {
			t.Errorf("%v: the group is lost", row.values)
		}
	}
	if f.rows() != before {
		t.Error("something was saved")
	}
	a := ada.send("POST", "/users", "email=hedy@example.com&name=Hedy&until=2026-03-05&groups="+family.ID+"&groups="+friends.ID, "Content-Type", "application/x-www-form-urlencoded")
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	email, _ := directory.ParseEmail("hedy@example.com")
	hedy, err := f.store.GetUserByEmail(t.Context(), email)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []directory.Group{family, friends} {
		if m := f.membership(g, hedy.ID); m == nil || !m.Until.Equal(date(2026, 3, 6)) {
			t.Errorf("%s: %+v", g.Name, m)
		}
	}
	if a := ada.get("/users/" + hedy.ID); !strings.Contains(a.Text(), "Guest until 5 March 2026") || !strings.Contains(a.Text(), "last day: 5 March 2026") {
		t.Errorf("%s", a.Text())
	}
}

func TestGroupPages_ShowAHundredAtATime(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	var last directory.Group
	for range maxGroupRows + 1 {
		last = f.addGroup("Group " + apps.NewTokenID())
	}
	first := ada.get("/groups")
	next, _ := first.Link("Next →")
	if got := strings.Count(first.body, `class="title"`); got != maxGroupRows || next == "" {
		t.Fatalf("%d groups, next %q", got, next)
	}
	if a := ada.get("/groups" + next); !strings.Contains(a.Text(), last.Name) || strings.Count(a.body, `class="title"`) != 1 {
		t.Errorf("the next page: %s", a.Text())
	}
	for range maxGroupRows + 1 {
		u := f.add(directory.User{Email: directory.Email{Display: apps.NewTokenID() + "@example.com"}})
		f.joinUser(last, u.ID, time.Time{})
	}
	page := ada.get("/groups/" + last.ID)
	next, _ = page.Link("Next →")
	if got := strings.Count(page.body, `class="edit"`); got != maxGroupRows || next == "" {
		t.Fatalf("%d members, next %q", got, next)
	}
	if a := ada.get("/groups/" + last.ID + next); strings.Count(a.body, `class="edit"`) != 1 {
		t.Errorf("the next page: %s", a.Text())
	}
}
