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
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/userio"
)

// importUsersRows test ImportUsers.
var importUsersRows = []row{
	{"importing many users equals creating each", single(testImportUsers)},
	{"imported users are in their groups", single(testImportUsersInGroups)},
	{"users aren't imported into a group that is removed", testImportUsersDuringRemovalOfGroup},
	{"existing users stay unchanged, and duplicates are skipped", single(testImportUsersListed)},
	{"parked jobs of an address's previous user are cancelled", single(testImportUsersParked)},
	{"an actor who is no longer an administrator can't import", single(testImportUsersActorNotAdmin)},
	{"an import that was stopped or taken over adds no users", single(testImportUsersLeaseLost)},
	{"two instances that import the same part add its users once", testImportUsersTwoInstances},
	{"users who are created concurrently are added once", testImportUsersDuringCreate},
}

// invitedUser returns a new user with an invite job.
func invitedUser(t *testing.T, name, address string) directory.NewUser {
	t.Helper()
	a, err := directory.UserInput{Email: address, Name: name}.Validate(event.Origin{}, true, Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func testImportUsers(t *testing.T, s Store) {
	origin := event.Origin{ActorID: "1", Actor: "ada@example.com", Address: "192.0.2.1", UserAgent: "Browser/1.0", RequestID: "r", Token: "backup"}
	i := runningImport(t, s, 2, event.Origin{})
	people := []directory.NewUser{invitedUser(t, "Zoë Öttinger-O'Brien", "Zoe@Example.com"), invitedUser(t, "", "no.name@example.com")}
	for n := range 400 { // several statements of each kind
		people = append(people, invitedUser(t, fmt.Sprintf("Person %d", n), fmt.Sprintf("p%d@example.com", n)))
	}
	for n := range people {
		people[n].Event.Origin = origin
	}
	next, err := s.ImportUsers(t.Context(), i, people, Now().Add(time.Second), Now().Add(time.Minute), userio.Import.DoneEvent)
	if err != nil {
		t.Fatal(err)
	}
	want := i
	want.Part, want.Added, want.UpdatedAt = 1, len(people), Now().Add(time.Second)
	if diff := cmp.Diff([]userio.Import{want, want}, []userio.Import{next, getImport(t, s, i.ID)}); diff != "" {
		t.Errorf("the import: -want +got\n%s", diff)
	}
	for n, p := range people {
		if diff := cmp.Diff(p.User, get(t, s, p.User.ID)); diff != "" {
			t.Errorf("user %d: -want +got\n%s", n, diff)
		}
	}
	// The result is that of CreateUser, except for ids.
	alone := invitedUser(t, "Zoë Öttinger-O'Brien", "zoe@example.org")
	alone.Event.Origin = origin
	if err := s.CreateUser(t.Context(), alone); err != nil {
		t.Fatal(err)
	}
	same := func(p directory.NewUser) string {
		own := strings.NewReplacer(p.User.ID, "ID", p.Event.ID, "EVENT", p.Jobs[0].ID, "JOB", "example.org", "example.com", "@Example", "@example")
		recorded, _, err := s.ListEvents(t.Context(), event.Query{Person: p.User.ID, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return own.Replace(fmt.Sprintln(recorded, jobs(t, s, p.User)))
	}
	if diff := cmp.Diff(same(alone), same(people[0])); diff != "" {
		t.Errorf("-alone +among others\n%s", diff)
	}
	for _, term := range []string{"ottinger", "brien", "zoe"} {
		page, err := s.ListUsers(t.Context(), directory.Query{Terms: []string{term}, Sort: directory.ByName, Limit: 10})
		if err != nil || len(page.Users) != 2 {
			t.Errorf("%s finds %d users, %v", term, len(page.Users), err)
		}
	}
	// After the last part it is done.
	next, err = s.ImportUsers(t.Context(), next, nil, Now(), Now(), userio.Import.DoneEvent)
	if err != nil || next.State != userio.Done || getImport(t, s, i.ID).State != userio.Done {
		t.Errorf("after the last part it is %s, %v", next.State, err)
	}
	if recorded, _, err := s.ListEvents(t.Context(), event.Query{Kind: event.ImportDone, Limit: 10}); err != nil || len(recorded) != 1 {
		t.Errorf("events %v, %v", recorded, err)
	}
}

func testImportUsersInGroups(t *testing.T, s Store) {
	groups := createGroups(t, s, "Staff", "Board")
	existing := member("Ada", "p0@example.com")
	create(t, s, existing)
	var people []directory.NewUser
	for n := range 300 { // several statements
		people = append(people, inGroups(t, fmt.Sprintf("p%d@example.com", n), "2026-03-04", groups...))
	}
	alone := inGroups(t, "alone@example.com", "2026-03-04", groups...)
	must(t, s.CreateUser(t.Context(), alone))
	if _, err := s.ImportUsers(t.Context(), runningImport(t, s, 1, event.Origin{}), people, Now(), Now(), userio.Import.DoneEvent); err != nil {
		t.Fatal(err)
	}
	wantMemberships(t, s, existing)
	all, err := s.ListMembershipsOf(t.Context(), []string{alone.User.ID, people[1].User.ID, people[299].User.ID, existing.ID, newID()})
	if err != nil || len(all) != 3 {
		t.Errorf("%d users are in groups, %v", len(all), err)
	}
	for _, n := range []directory.NewUser{people[1], people[299]} {
		want := slices.Clone(all[alone.User.ID])
		for i := range want {
			want[i].UserID = n.User.ID
		}
		if diff := cmp.Diff(want, all[n.User.ID]); diff != "" || len(want) != 2 {
			t.Errorf("-alone +imported\n%s", diff)
		}
		wantMemberships(t, s, n.User, want...)
	}
	if got, err := s.ListMembershipsOf(t.Context(), nil); len(got) != 0 || err != nil {
		t.Errorf("of no one: %v, %v", got, err)
	}
	if list, err := s.ListGroups(t.Context(), "", 10); err != nil || list[0].Members != 300 || list[1].Members != 300 {
		t.Errorf("%+v, %v", list, err)
	}
}

func testImportUsersDuringRemovalOfGroup(t *testing.T, open func() Store) {
	s1, s2 := open(), open()
	for round := range 10 {
		g := createGroups(t, s1, fmt.Sprint("Staff ", round))[0]
		people := []directory.NewUser{inGroups(t, fmt.Sprintf("p%d@example.com", round), "", g)}
		i := runningImport(t, s1, 1, event.Origin{})
		errs := concurrently(2, func(n int) error {
			if n == 0 {
				_, err := s1.ImportUsers(t.Context(), i, people, Now(), Now(), userio.Import.DoneEvent)
				return err
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

func testImportUsersListed(t *testing.T, s Store) {
	ada := admin("Ada", "ada@example.com")
	create(t, s, ada)
	people := []directory.NewUser{
		invitedUser(t, "Somebody", "ADA@example.com"), invitedUser(t, "Grace", "grace@example.com"), invitedUser(t, "Grace again", "Grace@example.com"),
	}
	i, err := s.ImportUsers(t.Context(), runningImport(t, s, 1, event.Origin{}), people, Now(), Now(), userio.Import.DoneEvent)
	if err != nil || i.Added != 1 || i.Skipped != 2 {
		t.Errorf("%d added, %d kept, %v", i.Added, i.Skipped, err)
	}
	if diff := cmp.Diff(ada, get(t, s, ada.ID)); diff != "" {
		t.Errorf("-was +is\n%s", diff)
	}
	if n := len(jobs(t, s, ada)); n != 0 {
		t.Errorf("an existing user has %d jobs", n)
	}
	grace, err := s.GetUserByEmail(t.Context(), mustParse("grace@example.com"))
	if err != nil || grace.Name != "Grace" || len(jobs(t, s, grace)) != 1 {
		t.Errorf("%+v, %v", grace, err)
	}
}

func testImportUsersParked(t *testing.T, s Store) {
	before, listed := member("Grace", "grace@example.com"), member("Ada", "ada@example.com")
	create(t, s, listed)
	for _, u := range []directory.User{before, listed} {
		job := outbox.New(outbox.DeleteUser, u.Email.Normalized, u.ID, "", "", ago(time.Hour))
		if err := s.AddJob(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if err := s.ParkJob(t.Context(), job.Park(Now(), "no")); err != nil {
			t.Fatal(err)
		}
	}
	grace := invitedUser(t, "Grace", "grace@example.com")
	if _, err := s.ImportUsers(t.Context(), runningImport(t, s, 1, event.Origin{}), []directory.NewUser{grace, invitedUser(t, "", "ada@example.com")}, Now(), Now(), userio.Import.DoneEvent); err != nil {
		t.Fatal(err)
	}
	if list := jobs(t, s, before); len(list) != 1 || list[0].Kind != outbox.Invite {
		t.Errorf("for grace there is %+v", list)
	}
	if list := jobs(t, s, listed); len(list) != 1 || list[0].Kind != outbox.DeleteUser {
		t.Errorf("for ada, an existing user, there is %+v", list)
	}
}

func testImportUsersActorNotAdmin(t *testing.T, s Store) {
	boss, was, out := admin("Ada", "ada@example.com"), member("Bo", "bo@example.com"), admin("Eve", "eve@example.com")
	out.Status = directory.Suspended
	create(t, s, boss, was, out)
	for _, id := range []string{was.ID, out.ID, newID()} {
		i := runningImport(t, s, 1, event.Origin{ActorID: id})
		a := invitedUser(t, "", "grace@example.com")
		if _, err := s.ImportUsers(t.Context(), i, []directory.NewUser{a}, Now(), Now(), userio.Import.DoneEvent); !errors.Is(err, userio.ErrActorNotAdmin) {
			t.Errorf("%v", err)
		}
		if _, err := s.GetUser(t.Context(), a.User.ID); !errors.Is(err, directory.ErrNotFound) || getImport(t, s, i.ID).Part != 0 {
			t.Errorf("a user was added: %v", err)
		}
	}
	i := runningImport(t, s, 1, event.Origin{ActorID: boss.ID})
	if _, err := s.ImportUsers(t.Context(), i, []directory.NewUser{invitedUser(t, "", "grace@example.com")}, Now(), Now(), userio.Import.DoneEvent); err != nil {
		t.Errorf("an administrator: %v", err)
	}
}

func testImportUsersLeaseLost(t *testing.T, s Store) {
	a := invitedUser(t, "", "grace@example.com")
	stopped, taken, further := runningImport(t, s, 3, event.Origin{}), runningImport(t, s, 3, event.Origin{}), runningImport(t, s, 3, event.Origin{})
	if err := s.StopImport(t.Context(), stopped.ID, "", event.New(event.ImportStopped, Now(), "", "", "")); err != nil {
		t.Fatal(err)
	}
	taken.Lease = newID()
	further.Part = 1
	for name, i := range map[string]userio.Import{"stopped": stopped, "taken over": taken, "at another part": further} {
		if _, err := s.ImportUsers(t.Context(), i, []directory.NewUser{a}, Now(), Now(), userio.Import.DoneEvent); !errors.Is(err, userio.ErrLeaseLost) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.GetUserByEmail(t.Context(), a.User.Email); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("a user was added: %v", err)
	}
}

func testImportUsersTwoInstances(t *testing.T, open func() Store) {
	s := []Store{open(), open()}
	i := runningImport(t, s[0], 2, event.Origin{})
	errs := concurrently(8, func(n int) error {
		var people []directory.NewUser
		for p := range 50 {
			people = append(people, invitedUser(t, "", fmt.Sprintf("p%d@example.com", p)))
		}
		_, err := s[n%2].ImportUsers(t.Context(), i, people, Now(), Now().Add(time.Minute), userio.Import.DoneEvent)
		return err
	})
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, userio.ErrLeaseLost) {
			t.Error(err)
		}
	}
	if got := getImport(t, s[0], i.ID); won != 1 || got.Part != 1 || got.Added != 50 {
		t.Errorf("%d instances wrote the part, which is %d, with %d users", won, got.Part, got.Added)
	}
}

func testImportUsersDuringCreate(t *testing.T, open func() Store) {
	s := []Store{open(), open()}
	var people, others []directory.NewUser
	for p := range 50 {
		people = append(people, invitedUser(t, "by file", fmt.Sprintf("p%d@example.com", p)))
		others = append(others, invitedUser(t, "by hand", fmt.Sprintf("p%d@example.com", 49-p)))
	}
	i := runningImport(t, s[0], 1, event.Origin{})
	added, byHand := 0, 0
	errs := concurrently(2, func(n int) error {
		if n == 0 {
			got, err := s[0].ImportUsers(t.Context(), i, people, Now(), Now().Add(time.Minute), userio.Import.DoneEvent)
			added = got.Added
			return err
		}
		for _, a := range others {
			switch err := s[1].CreateUser(t.Context(), directory.NewUser{User: a.User, Event: a.Event, Jobs: a.Jobs}); {
			case err == nil:
				byHand++
			case !errors.Is(err, directory.ErrEmailTaken):
				return err
			}
		}
		return nil
	})
	if slices.ContainsFunc(errs, func(err error) bool { return err != nil }) || added+byHand != 50 {
		t.Errorf("%d by file and %d by hand, %v", added, byHand, errs)
	}
	for _, a := range people {
		if n := len(jobs(t, s[0], a.User)); n != 1 {
			t.Errorf("%s is invited %d times", a.User.Email, n)
		}
	}
}
