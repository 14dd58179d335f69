package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/idempotency"
)

var groupRows = []row{
	{"a group is created with its event and found by id and by name", single(testCreateGroup)},
	{"of groups that are created concurrently with one name, one stays", testCreateGroupsConcurrently},
	{"groups are listed by name, page by page, with their numbers of members and apps", single(testListGroups)},
	{"a group is renamed with its event", single(testChangeGroup)},
	{"of groups that get one name concurrently, one does", testRenameGroupsConcurrently},
	{"removing a group deletes its memberships and closes its apps to them", single(testRemoveGroup)},
	{"a membership is created, changed and deleted as the rule says", single(testChangeMembership)},
	{"members are listed page by page with their users", single(testListMembers)},
	{"memberships are listed by their end", single(testListMembershipsEnding)},
	{"removing a user deletes their memberships", single(testRemoveUserOfGroup)},
	{"concurrent changes of one membership are all seen by the rule", testChangeMembershipConcurrently},
	{"no membership is left when a user joins while they or the group are removed", testJoinDuringRemoval},
	{"a new user is in their groups", single(testCreateUserInGroups)},
	{"a user isn't created in a group that is removed", testCreateUserDuringRemovalOfGroup},
}

// newGroup returns a group, created an hour ago.
func newGroup(name string) directory.Group {
	return directory.Group{ID: newID(), Name: name, CreatedAt: ago(time.Hour)}
}

func groupEvent(kind event.Kind, g directory.Group) event.Event {
	return event.New(kind, Now(), "", "", g.Name)
}

// createGroups creates a group with each name.
func createGroups(t *testing.T, s Store, names ...string) []directory.Group {
	t.Helper()
	groups := make([]directory.Group, len(names))
	for i, name := range names {
		groups[i] = newGroup(name)
		must(t, s.CreateGroup(t.Context(), groups[i], groupEvent(event.GroupCreated, groups[i]), idempotency.Claim{}))
	}
	return groups
}

// membership returns a membership as it is read.
func membership(g directory.Group, u directory.User, until time.Time) directory.Membership {
	return directory.Membership{GroupID: g.ID, GroupName: g.Name, UserID: u.ID, Until: until, AddedBy: newID(), CreatedAt: ago(time.Minute)}
}

// setMembership returns a rule that writes m, which may be nil.
func setMembership(m *directory.Membership, kind event.Kind) func(directory.Group, directory.User, *directory.Membership) (*directory.Membership, event.Event, error) {
	return func(g directory.Group, u directory.User, _ *directory.Membership) (*directory.Membership, event.Event, error) {
		return m, event.New(kind, Now(), u.ID, u.Email.Normalized, g.Name), nil
	}
}

// join writes memberships.
func join(t *testing.T, s Store, memberships ...directory.Membership) {
	t.Helper()
	for _, m := range memberships {
		must(t, s.ChangeMembership(t.Context(), m.GroupID, m.UserID, setMembership(&m, event.GroupJoined)))
	}
}

func wantMemberships(t *testing.T, s Store, u directory.User, want ...directory.Membership) {
	t.Helper()
	got, err := s.ListMemberships(t.Context(), u.ID)
	if diff := cmp.Diff(append([]directory.Membership{}, want...), got); diff != "" || err != nil {
		t.Errorf("memberships of %s: %v, -want +got\n%s", u.Email, err, diff)
	}
}

// variants returns texts that databases take for text, but aren't.
func variants(text string) []string {
	return []string{text + " ", " " + text, text + "\x00", text + "%", ""}
}

func testCreateGroup(t *testing.T, s Store) {
	g := newGroup("Éditors & 李 🚀")
	must(t, s.CreateGroup(t.Context(), g, groupEvent(event.GroupCreated, g), idempotency.Claim{}))
	for name, find := range map[string]func() (directory.Group, error){
		"by id":                   func() (directory.Group, error) { return s.GetGroup(t.Context(), g.ID) },
		"by name":                 func() (directory.Group, error) { return s.GetGroupByName(t.Context(), g.Name) },
		"by name in another case": func() (directory.Group, error) { return s.GetGroupByName(t.Context(), "éDITORS & 李 🚀") },
	} {
		got, err := find()
		if diff := cmp.Diff(g, got); diff != "" || err != nil {
			t.Errorf("%s: %v, -want +got\n%s", name, err, diff)
		}
	}
	for _, id := range variants(g.ID) {
		if _, err := s.GetGroup(t.Context(), id); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("the id %q: %v", id, err)
		}
	}
	for _, name := range append(variants(g.Name), "Editors & 李 🚀", "Éditors & 李") {
		if _, err := s.GetGroupByName(t.Context(), name); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	again := newGroup("ÉDITORS & 李 🚀")
	if err := s.CreateGroup(t.Context(), again, groupEvent(event.GroupCreated, again), idempotency.Claim{}); !errors.Is(err, directory.ErrGroupTaken) {
		t.Errorf("with a name that is taken: %v", err)
	}
	createGroups(t, s, "Editors & 李 🚀") // another letter
	wantEvents(t, s, event.Query{Kind: event.GroupCreated}, "group_created Editors & 李 🚀", "group_created "+g.Name)
}

func testCreateGroupsConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	created := 0
	for _, err := range concurrently(20, func(i int) error {
		g := newGroup([]string{"Staff", "STAFF"}[i%2])
		return stores[i/10].CreateGroup(t.Context(), g, groupEvent(event.GroupCreated, g), idempotency.Claim{})
	}) {
		switch {
		case err == nil:
			created++
		case !errors.Is(err, directory.ErrGroupTaken):
			t.Error(err)
		}
	}
	if list, err := stores[0].ListGroups(t.Context(), "", 10); created != 1 || len(list) != 1 || err != nil {
		t.Errorf("%d were created, there are %v, %v", created, list, err)
	}
	if n := len(events(t, stores[0], event.Query{Kind: event.GroupCreated})); n != 1 {
		t.Errorf("%d events", n)
	}
}

func testListGroups(t *testing.T, s Store) {
	groups := createGroups(t, s, "staff", "Board", "Zoë", "éditors", "Staff 2")
	ada, bob := member("Ada", "ada@example.com"), member("Bob", "bob@example.com")
	create(t, s, ada, bob)
	join(t, s, membership(groups[0], ada, time.Time{}), membership(groups[0], bob, ago(time.Hour)), membership(groups[1], ada, Now().Add(time.Hour)))
	createApps(t, s, appFor("Wiki", groups[0], groups[2]), appFor("Shop", groups[0]))
	want := []directory.Group{groups[1], groups[0], groups[4], groups[2], groups[3]}
	want[0].Members, want[1].Members = 1, 2
	want[1].Apps, want[3].Apps = 2, 1
	var got []directory.Group
	for after := ""; ; {
		page, err := s.ListGroups(t.Context(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after = page[len(page)-1].Key()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, g := range want {
		if members, apps, err := s.CountsOfGroup(t.Context(), g.ID); err != nil || members != g.Members || apps != g.Apps {
			t.Errorf("%s: %d members and %d apps, %v", g.Name, members, apps, err)
		}
	}
	if _, _, err := s.CountsOfGroup(t.Context(), "none"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("a group that doesn't exist: %v", err)
	}
}

// rename returns a rule that renames a group.
func rename(name string) func(directory.Group) (directory.Group, event.Event, error) {
	return func(g directory.Group) (directory.Group, event.Event, error) {
		e := groupEvent(event.GroupRenamed, g)
		g.Name = name
		return g, e, nil
	}
}

func testChangeGroup(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff", "Board")
	u := member("Ada", "ada@example.com")
	create(t, s, u)
	m := membership(groups[0], u, time.Time{})
	join(t, s, m)
	for _, name := range []string{"STAFF", "Team"} { // a change of case alone is a change
		want := groups[0]
		want.Name = name
		got, err := s.ChangeGroup(t.Context(), want.ID, rename(name))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, -want +got\n%s", err, diff)
		}
		got, err = s.GetGroupByName(t.Context(), name)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("stored: %v, -want +got\n%s", err, diff)
		}
		m.GroupName = name
		wantMemberships(t, s, u, m)
	}
	if _, err := s.GetGroupByName(t.Context(), "Staff"); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("by its old name: %v", err)
	}
	if _, err := s.ChangeGroup(t.Context(), groups[0].ID, rename("bOARD")); !errors.Is(err, directory.ErrGroupTaken) {
		t.Errorf("to a name that is taken: %v", err)
	}
	if _, err := s.ChangeGroup(t.Context(), newID(), rename("Other")); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("an unknown group: %v", err)
	}
	refusal := &directory.ValidationError{}
	if _, err := s.ChangeGroup(t.Context(), groups[0].ID, func(directory.Group) (directory.Group, event.Event, error) {
		return directory.Group{}, event.Event{}, refusal
	}); !errors.Is(err, refusal) {
		t.Errorf("the rule's error: %v", err)
	}
	if _, err := s.ChangeGroup(t.Context(), groups[0].ID, rename("Team")); err != nil {
		t.Errorf("to its own name: %v", err)
	}
	wantEvents(t, s, event.Query{Kind: event.GroupRenamed}, "group_renamed STAFF", "group_renamed Staff")
}

func testRenameGroupsConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	groups := createGroups(t, stores[0], "One", "Two")
	errs := concurrently(2, func(i int) error {
		_, err := stores[i].ChangeGroup(t.Context(), groups[i].ID, rename("Staff"))
		return err
	})
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), directory.ErrGroupTaken) {
		t.Error(errs)
	}
}

func testRemoveGroup(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff", "Board")
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	board := membership(groups[1], ada, time.Time{})
	join(t, s, board, membership(groups[0], ada, time.Time{}))
	wiki := appFor("Wiki", groups...)
	createApps(t, s, wiki)
	record := func(g directory.Group) event.Event { return groupEvent(event.GroupRemoved, g) }
	must(t, s.RemoveGroup(t.Context(), groups[0].ID, record))
	wantMemberships(t, s, ada, board)
	if members, err := s.ListMembers(t.Context(), groups[0].ID, "", 10); len(members) != 0 || err != nil {
		t.Errorf("it still has the members %v, %v", members, err)
	}
	wiki.Groups = groups[1:]
	wantApp(t, s, wiki)
	if _, err := s.GetGroup(t.Context(), groups[0].ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("it still exists: %v", err)
	}
	for _, id := range []string{groups[0].ID, groups[1].ID + " ", newID()} {
		if err := s.RemoveGroup(t.Context(), id, record); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("removing %q: %v", id, err)
		}
	}
	wantEvents(t, s, event.Query{Kind: event.GroupRemoved}, "group_removed Staff")
	createGroups(t, s, "staff") // the name is available again
	wantMemberships(t, s, ada, board)
}

func testChangeMembership(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff", "Board")
	ada, bob := member("Ada", "ada@example.com"), member("Bob", "bob@example.com")
	create(t, s, ada, bob)
	other := membership(groups[1], ada, time.Time{})
	join(t, s, other, membership(groups[0], bob, time.Time{}))
	// change runs a rule that expects old and writes m.
	change := func(old, m *directory.Membership, kind event.Kind) {
		t.Helper()
		must(t, s.ChangeMembership(t.Context(), groups[0].ID, ada.ID, func(g directory.Group, u directory.User, got *directory.Membership) (*directory.Membership, event.Event, error) {
			if diff := cmp.Diff(groups[0], g) + cmp.Diff(ada, u) + cmp.Diff(old, got); diff != "" {
				t.Errorf("arguments of the rule: -want +got\n%s", diff)
			}
			return m, event.New(kind, Now(), u.ID, u.Email.Normalized, g.Name), nil
		}))
	}
	m := membership(groups[0], ada, time.Time{})
	change(nil, &m, event.GroupJoined)
	wantMemberships(t, s, ada, other, m)
	ends := m
	ends.Until = Now().Add(24 * time.Hour)
	change(&m, &ends, event.GroupExtended)
	wantMemberships(t, s, ada, other, ends)
	over := m
	over.Until = ago(time.Hour)
	change(&ends, &over, event.GroupExtended)
	wantMemberships(t, s, ada, other, over)
	if err := s.ChangeMembership(t.Context(), groups[0].ID, ada.ID, func(directory.Group, directory.User, *directory.Membership) (*directory.Membership, event.Event, error) {
		return nil, event.Event{}, directory.ErrAlreadyMember
	}); !errors.Is(err, directory.ErrAlreadyMember) {
		t.Errorf("the rule's error: %v", err)
	}
	wantMemberships(t, s, ada, other, over)
	change(&over, nil, event.GroupLeft)
	wantMemberships(t, s, ada, other)
	change(nil, nil, event.GroupLeft)
	wantMemberships(t, s, ada, other)
	for name, ids := range map[string][2]string{
		"an unknown group": {newID(), ada.ID}, "an unknown user": {groups[0].ID, newID()},
		"a group's id with a space": {groups[0].ID + " ", ada.ID}, "a user's id with a space": {groups[0].ID, ada.ID + " "},
	} {
		m := directory.Membership{GroupID: ids[0], UserID: ids[1], CreatedAt: Now()}
		if err := s.ChangeMembership(t.Context(), ids[0], ids[1], setMembership(&m, event.GroupJoined)); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantEvents(t, s, event.Query{Kind: event.GroupExtended}, "group_extended Staff", "group_extended Staff")
	wantEvents(t, s, event.Query{Person: ada.ID, Kind: event.GroupLeft}, "group_left Staff", "group_left Staff")
}

func testListMembers(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff", "Board")
	var people []directory.User
	for i := range 5 {
		people = append(people, member(fmt.Sprint("Person ", i), fmt.Sprintf("p%d@example.com", i)))
	}
	create(t, s, people...)
	var want []directory.GroupMember
	for i, u := range people {
		m := membership(groups[0], u, []time.Time{{}, ago(time.Hour)}[i%2])
		join(t, s, m)
		m.GroupName = ""
		want = append(want, directory.GroupMember{Membership: m, User: u})
	}
	join(t, s, membership(groups[1], people[0], time.Time{}))
	slices.SortFunc(want, func(a, b directory.GroupMember) int { return strings.Compare(a.UserID, b.UserID) })
	var got []directory.GroupMember
	for after := ""; ; {
		page, err := s.ListMembers(t.Context(), groups[0].ID, after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after = page[len(page)-1].UserID
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, id := range append(variants(groups[0].ID), newID()) {
		if page, err := s.ListMembers(t.Context(), id, "", 10); len(page) != 0 || err != nil {
			t.Errorf("the members of %q: %v, %v", id, page, err)
		}
	}
}

func testListMembershipsEnding(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff", "Board")
	ada, bob := member("Ada", "ada@example.com"), member("Bob", "bob@example.com")
	create(t, s, ada, bob)
	first, second := membership(groups[0], ada, Now().Add(time.Hour)), membership(groups[1], bob, Now().Add(2*time.Hour))
	join(t, s, second, first, membership(groups[0], bob, time.Time{}), membership(groups[1], ada, Now()))
	for _, r := range []struct {
		after, before time.Duration
		limit         int
		want          []directory.GroupMember
	}{
		{0, 2 * time.Hour, 10, []directory.GroupMember{{Membership: first, User: ada}, {Membership: second, User: bob}}},
		{0, 2 * time.Hour, 1, []directory.GroupMember{{Membership: first, User: ada}}},
		{0, 2*time.Hour - time.Microsecond, 10, []directory.GroupMember{{Membership: first, User: ada}}},
		{time.Hour, 3 * time.Hour, 10, []directory.GroupMember{{Membership: second, User: bob}}},
		{2 * time.Hour, 3 * time.Hour, 10, []directory.GroupMember{}},
	} {
		got, err := s.ListMembershipsEnding(t.Context(), Now().Add(r.after), Now().Add(r.before), r.limit)
		if diff := cmp.Diff(r.want, got); diff != "" || err != nil {
			t.Errorf("%v to %v: %v, -want +got\n%s", r.after, r.before, err, diff)
		}
	}
}

func testRemoveUserOfGroup(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff")
	ada, bob := member("Ada", "ada@example.com"), member("Bob", "bob@example.com")
	create(t, s, ada, bob)
	his := membership(groups[0], bob, Now().Add(time.Hour))
	join(t, s, his, membership(groups[0], ada, Now().Add(time.Hour)))
	remove(t, s, ada.ID)
	wantMemberships(t, s, ada)
	wantMemberships(t, s, bob, his)
	if list, err := s.ListGroups(t.Context(), "", 10); err != nil || len(list) != 1 || list[0].Members != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if ending, err := s.ListMembershipsEnding(t.Context(), Now(), Now().Add(time.Hour), 10); err != nil || len(ending) != 1 {
		t.Errorf("%v, %v", ending, err)
	}
}

func testChangeMembershipConcurrently(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	groups := createGroups(t, stores[0], "Staff")
	u := member("Ada", "ada@example.com")
	create(t, stores[0], u)
	for _, err := range concurrently(20, func(i int) error {
		return stores[i%2].ChangeMembership(t.Context(), groups[0].ID, u.ID, func(g directory.Group, u directory.User, old *directory.Membership) (*directory.Membership, event.Event, error) {
			m := membership(g, u, Now())
			if old != nil {
				m = *old
			}
			m.Until = m.Until.Add(time.Second)
			return &m, event.New(event.GroupExtended, Now(), u.ID, u.Email.Normalized, g.Name), nil
		})
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	list, err := stores[0].ListMemberships(t.Context(), u.ID)
	if err != nil || len(list) != 1 || !list[0].Until.Equal(Now().Add(20*time.Second)) {
		t.Errorf("%+v, %v", list, err)
	}
}

func testJoinDuringRemoval(t *testing.T, open func() Store) {
	s1, s2 := open(), open()
	for round := range 20 {
		g := createGroups(t, s1, fmt.Sprint("Staff ", round))[0]
		u := member("Ada", "ada@example.com")
		create(t, s1, u)
		errs := concurrently(2, func(i int) error {
			switch {
			case i == 0:
				m := membership(g, u, Now().Add(time.Hour))
				return s1.ChangeMembership(t.Context(), g.ID, u.ID, setMembership(&m, event.GroupJoined))
			case round%2 == 0:
				return s2.RemoveGroup(t.Context(), g.ID, func(g directory.Group) event.Event { return groupEvent(event.GroupRemoved, g) })
			}
			return tryRemoveUser(t.Context(), s2, u)
		})
		if errs[1] != nil || errs[0] != nil && !errors.Is(errs[0], directory.ErrNotFound) {
			t.Errorf("round %d: %v", round, errs)
		}
		if left, err := s1.ListMembershipsEnding(t.Context(), Now(), Now().Add(time.Hour), 10); len(left) != 0 || err != nil {
			t.Errorf("round %d leaves %v, %v", round, left, err)
		}
		if members, err := s1.ListMembers(t.Context(), g.ID, "", 10); len(members) != 0 || err != nil {
			t.Errorf("round %d leaves %v, %v", round, members, err)
		}
		if round%2 == 0 {
			remove(t, s1, u.ID)
		}
	}
}

// inGroups returns a new user who is to be in groups until a time.
func inGroups(t *testing.T, address, until string, groups ...directory.Group) directory.NewUser {
	t.Helper()
	n, err := directory.UserInput{Email: address, Groups: groups, Until: until}.Validate(event.Origin{ActorID: "1"}, true, Now())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func testCreateUserInGroups(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff", "Board", "Other")
	for until, want := range map[string]time.Time{"": {}, "2026-03-04": time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)} {
		n := inGroups(t, "ada"+until+"@example.com", until, groups[:2]...)
		must(t, s.CreateUser(t.Context(), n))
		wantMemberships(t, s, n.User,
			directory.Membership{GroupID: groups[1].ID, GroupName: "Board", UserID: n.User.ID, Until: want, AddedBy: "1", CreatedAt: Now()},
			directory.Membership{GroupID: groups[0].ID, GroupName: "Staff", UserID: n.User.ID, Until: want, AddedBy: "1", CreatedAt: Now()})
	}
	n := inGroups(t, "bob@example.com", "", groups[0], newGroup("gone"))
	if err := s.CreateUser(t.Context(), n); !errors.Is(err, directory.ErrNoGroup) {
		t.Errorf("in a group that doesn't exist: %v", err)
	}
	if _, err := s.GetUser(t.Context(), n.User.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the user was created: %v", err)
	}
	wantMemberships(t, s, n.User)
}

func testCreateUserDuringRemovalOfGroup(t *testing.T, open func() Store) {
	s1, s2 := open(), open()
	for round := range 20 {
		g := createGroups(t, s1, fmt.Sprint("Staff ", round))[0]
		n := inGroups(t, fmt.Sprintf("p%d@example.com", round), "", g)
		errs := concurrently(2, func(i int) error {
			if i == 0 {
				return s1.CreateUser(t.Context(), n)
			}
			return s2.RemoveGroup(t.Context(), g.ID, func(g directory.Group) event.Event { return groupEvent(event.GroupRemoved, g) })
		})
		if errs[1] != nil || errs[0] != nil && !errors.Is(errs[0], directory.ErrNoGroup) {
			t.Errorf("round %d: %v", round, errs)
		}
		if members, err := s1.ListMembers(t.Context(), g.ID, "", 10); len(members) != 0 || err != nil {
			t.Errorf("round %d leaves %v, %v", round, members, err)
		}
	}
}
