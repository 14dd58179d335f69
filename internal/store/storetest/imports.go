package storetest

import (
	"bytes"
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
	"github.com/guestlist/guestlist/internal/roster"
)

var importRows = []row{
	{"an import is uploaded, runs, stops and runs again, in that order", on(testImportStates)},
	{"the parts of a file come back as they were, and go with their import", on(testImportParts)},
	{"imports that nobody has touched for long are forgotten, but for those that run", on(testOldImports)},
	{"many people come onto the list as one does", on(testAddPeople)},
	{"who is on the list stays as they are, and nobody comes twice", on(testAddPeopleListed)},
	{"calls that Stytch refused of whoever had an address before are given up", on(testAddPeopleParked)},
	{"who is no administrator any more puts nobody on the list", on(testAddPeopleBy)},
	{"of all instances that want an import, one has it", testLeaseImport},
	{"an import that was stopped or taken over adds nobody", on(testAddPeopleLost)},
	{"two instances at the same part add its people once", testAddPeopleAtOnce},
	{"people who come by another door at the same moment are added once", testAddPeopleBesides},
	{"calls that wait are counted as far as asked", on(testCountWaiting)},
}

// running returns an import of some parts that has just been leased.
func running(t *testing.T, s Store, parts int, by event.Origin) roster.Import {
	t.Helper()
	i := ready(t, s, parts)
	i.Role, i.By = directory.Member, by
	if err := s.RunImport(t.Context(), i, event.New(event.ImportStarted, Now(), "", "", "")); err != nil {
		t.Fatal(err)
	}
	leased, err := s.LeaseImport(t.Context(), i.ID, newID(), Now(), Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return leased
}

// ready returns an import that may start.
func ready(t *testing.T, s Store, parts int) roster.Import {
	t.Helper()
	i := roster.Import{ID: newID(), File: "people.csv", State: roster.Uploading, CreatedAt: Now(), UpdatedAt: Now()}
	if err := s.CreateImport(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	i.Parts = parts
	if err := s.FillImport(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	return getImport(t, s, i.ID)
}

func getImport(t *testing.T, s Store, id string) roster.Import {
	t.Helper()
	i, err := s.GetImport(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// coming is somebody who shall come onto the list with an invitation.
func coming(t *testing.T, name, address string) directory.Arrival {
	t.Helper()
	a, err := directory.Entry{Email: address, Name: name}.Arrival("", true, Now())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func testImportStates(t *testing.T, s Store) {
	want := roster.Import{ID: newID(), File: "Gäste.csv", State: roster.Uploading, CreatedAt: Now(), UpdatedAt: Now()}
	e := event.New(event.ImportStarted, Now(), "", "", "people")
	check := func(doing string, err, wantErr error) {
		t.Helper()
		if !errors.Is(err, wantErr) || (err == nil) != (wantErr == nil) {
			t.Errorf("%s: %v, want %v", doing, err, wantErr)
		}
		if diff := cmp.Diff(want, getImport(t, s, want.ID)); diff != "" {
			t.Errorf("%s: -want +got\n%s", doing, diff)
		}
	}
	check("create", s.CreateImport(t.Context(), want), nil)
	check("run too soon", s.RunImport(t.Context(), want, e), roster.ErrState)
	want.State, want.Lines, want.People, want.Admins, want.Listed, want.Problems, want.Parts = roster.Ready, 9, 7, 6, 5, 2, 4
	want.Unused, want.UpdatedAt = []string{"id", "größe, cm"}, Now().Add(time.Second)
	check("fill", s.FillImport(t.Context(), want), nil)
	check("fill again", s.FillImport(t.Context(), want), roster.ErrState)
	check("stop too soon", s.StopImport(t.Context(), want.ID, "", e), roster.ErrState)
	want.State, want.Invite, want.Role, want.UpdatedAt = roster.Running, true, directory.Admin, Now()
	want.By = event.Origin{ActorID: "1", Actor: "ada@example.com", Address: "192.0.2.1", UserAgent: "Browser/1.0", RequestID: "r"}
	check("run", s.RunImport(t.Context(), want, e), nil)
	check("run again", s.RunImport(t.Context(), want, e), roster.ErrState)
	check("drop what runs", s.DropImport(t.Context(), want.ID), roster.ErrState)
	want.State, want.Reason = roster.Stopped, "tired"
	check("stop", s.StopImport(t.Context(), want.ID, "tired", event.New(event.ImportStopped, Now(), "", "", "people")), nil)
	want.State, want.Reason = roster.Running, ""
	check("go on", s.RunImport(t.Context(), want, event.New(event.ImportStarted, Now(), "", "", "people")), nil)
	var kinds []event.Kind
	trail, _, err := s.ListEvents(t.Context(), event.Query{Limit: 10})
	for _, e := range trail {
		kinds = append(kinds, e.Kind)
	}
	if diff := cmp.Diff([]event.Kind{event.ImportStarted, event.ImportStopped, event.ImportStarted}, kinds); diff != "" || err != nil {
		t.Errorf("the trail: %v, -want +got\n%s", err, diff)
	}
	other := ready(t, s, 1)
	list, err := s.ListImports(t.Context(), 10)
	if diff := cmp.Diff([]roster.Import{other, want}, list); diff != "" || err != nil {
		t.Errorf("the list: %v, -want +got\n%s", err, diff)
	}
	if _, err := s.GetImport(t.Context(), newID()); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("one that is none: %v", err)
	}
}

func testImportParts(t *testing.T, s Store) {
	gone, stays := ready(t, s, 1), ready(t, s, 1)
	content := bytes.Repeat([]byte{0, 0xff, '\'', '\\'}, 15<<10) // 60 KB
	for _, i := range []roster.Import{gone, stays} {
		for n := range 120 { // more than go at once
			if err := s.AddPart(t.Context(), i.ID, roster.People, n, content[n:]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.DropImport(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	for n := range 120 {
		if got, err := s.GetPart(t.Context(), stays.ID, roster.People, n); err != nil || !bytes.Equal(got, content[n:]) {
			t.Errorf("part %d: %d bytes, %v", n, len(got), err)
		}
		if _, err := s.GetPart(t.Context(), gone.ID, roster.People, n); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("part %d of one that is gone: %v", n, err)
		}
	}
	if _, err := s.GetPart(t.Context(), stays.ID, roster.Problems, 0); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("a part of another series: %v", err)
	}
	if _, err := s.GetImport(t.Context(), gone.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the import: %v", err)
	}
}

func testOldImports(t *testing.T, s Store) {
	still, runs := ready(t, s, 1), running(t, s, 1, event.Origin{})
	if n, err := s.DeleteImports(t.Context(), Now()); n != 0 || err != nil {
		t.Errorf("%d were deleted too soon, %v", n, err)
	}
	if n, err := s.DeleteImports(t.Context(), Now().Add(1)); n != 0 || err != nil {
		t.Errorf("%d were deleted too soon, %v", n, err)
	}
	if n, err := s.DeleteImports(t.Context(), Now().Add(time.Second)); n != 1 || err != nil {
		t.Errorf("%d were deleted, %v", n, err)
	}
	if _, err := s.GetImport(t.Context(), still.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the old one: %v", err)
	}
	if i := getImport(t, s, runs.ID); i.State != roster.Running {
		t.Errorf("the one that runs is %s", i.State)
	}
}

func testAddPeople(t *testing.T, s Store) {
	i := running(t, s, 2, event.Origin{})
	people := []directory.Arrival{coming(t, "Zoë Öttinger-O'Brien", "Zoe@Example.com"), coming(t, "", "no.name@example.com")}
	for n := range 400 { // several statements of each kind
		people = append(people, coming(t, fmt.Sprintf("Person %d", n), fmt.Sprintf("p%d@example.com", n)))
	}
	origin := event.Origin{ActorID: "1", Actor: "ada@example.com", Address: "192.0.2.1", UserAgent: "Browser/1.0", RequestID: "r"}
	next, err := s.AddPeople(event.WithOrigin(t.Context(), &origin), i, people, Now().Add(time.Second), Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	want := i
	want.Part, want.Added, want.UpdatedAt = 1, len(people), Now().Add(time.Second)
	if diff := cmp.Diff([]roster.Import{want, want}, []roster.Import{next, getImport(t, s, i.ID)}); diff != "" {
		t.Errorf("the import: -want +got\n%s", diff)
	}
	for n, p := range people {
		if diff := cmp.Diff(p.User, get(t, s, p.User.ID)); diff != "" {
			t.Errorf("person %d: -want +got\n%s", n, diff)
		}
	}
	// As by the door for one, but for what is each one's own.
	alone := coming(t, "Zoë Öttinger-O'Brien", "zoe@example.org")
	if err := s.CreateUser(event.WithOrigin(t.Context(), &origin), alone.User, alone.Event, alone.Jobs...); err != nil {
		t.Fatal(err)
	}
	same := func(p directory.Arrival) string {
		own := strings.NewReplacer(p.User.ID, "ID", p.Event.ID, "EVENT", p.Jobs[0].ID, "JOB", "example.org", "example.com", "@Example", "@example")
		trail, _, err := s.ListEvents(t.Context(), event.Query{Person: p.User.ID, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return own.Replace(fmt.Sprintln(trail, jobs(t, s, p.User)))
	}
	if diff := cmp.Diff(same(alone), same(people[0])); diff != "" {
		t.Errorf("-alone +among others\n%s", diff)
	}
	for _, term := range []string{"ottinger", "brien", "zoe"} {
		page, err := s.ListUsers(t.Context(), directory.Query{Terms: []string{term}, Sort: directory.ByName, Limit: 10})
		if err != nil || len(page.Users) != 2 {
			t.Errorf("%d are found by %s, %v", len(page.Users), term, err)
		}
	}
	// After the last part it is done.
	next, err = s.AddPeople(t.Context(), next, nil, Now(), Now())
	if err != nil || next.State != roster.Done || getImport(t, s, i.ID).State != roster.Done {
		t.Errorf("after the last part it is %s, %v", next.State, err)
	}
	if trail, _, err := s.ListEvents(t.Context(), event.Query{Kind: event.ImportDone, Limit: 10}); err != nil || len(trail) != 1 {
		t.Errorf("the trail has %v, %v", trail, err)
	}
}

func testAddPeopleListed(t *testing.T, s Store) {
	ada := admin("Ada", "ada@example.com")
	create(t, s, ada)
	people := []directory.Arrival{
		coming(t, "Somebody", "ADA@example.com"), coming(t, "Grace", "grace@example.com"), coming(t, "Grace again", "Grace@example.com"),
	}
	i, err := s.AddPeople(t.Context(), running(t, s, 1, event.Origin{}), people, Now(), Now())
	if err != nil || i.Added != 1 || i.Kept != 2 {
		t.Errorf("%d added, %d kept, %v", i.Added, i.Kept, err)
	}
	if diff := cmp.Diff(ada, get(t, s, ada.ID)); diff != "" {
		t.Errorf("-was +is\n%s", diff)
	}
	if n := len(jobs(t, s, ada)); n != 0 {
		t.Errorf("%d calls wait for who was on the list", n)
	}
	grace, err := s.GetUserByEmail(t.Context(), mustParse("grace@example.com"))
	if err != nil || grace.Name != "Grace" || len(jobs(t, s, grace)) != 1 {
		t.Errorf("%+v, %v", grace, err)
	}
}

func testAddPeopleParked(t *testing.T, s Store) {
	before, listed := person("Grace", "grace@example.com"), person("Ada", "ada@example.com")
	create(t, s, listed)
	for _, u := range []directory.User{before, listed} {
		job := outbox.New(outbox.DeleteUser, u.Email.Key, u.ID, "", "", ago(time.Hour))
		if err := s.AddJob(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if err := s.ParkJob(t.Context(), job, Now(), "no"); err != nil {
			t.Fatal(err)
		}
	}
	grace := coming(t, "Grace", "grace@example.com")
	if _, err := s.AddPeople(t.Context(), running(t, s, 1, event.Origin{}), []directory.Arrival{grace, coming(t, "", "ada@example.com")}, Now(), Now()); err != nil {
		t.Fatal(err)
	}
	if list := jobs(t, s, before); len(list) != 1 || list[0].Kind != outbox.Invite {
		t.Errorf("for grace there is %+v", list)
	}
	if list := jobs(t, s, listed); len(list) != 1 || list[0].Kind != outbox.DeleteUser {
		t.Errorf("for ada, who was on the list, there is %+v", list)
	}
}

func testAddPeopleBy(t *testing.T, s Store) {
	boss, was, out := admin("Ada", "ada@example.com"), person("Bo", "bo@example.com"), admin("Eve", "eve@example.com")
	out.Status = directory.Suspended
	create(t, s, boss, was, out)
	for _, id := range []string{was.ID, out.ID, newID()} {
		i := running(t, s, 1, event.Origin{ActorID: id})
		a := coming(t, "", "grace@example.com")
		if _, err := s.AddPeople(t.Context(), i, []directory.Arrival{a}, Now(), Now()); !errors.Is(err, roster.ErrBy) {
			t.Errorf("%v", err)
		}
		if _, err := s.GetUser(t.Context(), a.User.ID); !errors.Is(err, directory.ErrNotFound) || getImport(t, s, i.ID).Part != 0 {
			t.Errorf("somebody was added: %v", err)
		}
	}
	i := running(t, s, 1, event.Origin{ActorID: boss.ID})
	if _, err := s.AddPeople(t.Context(), i, []directory.Arrival{coming(t, "", "grace@example.com")}, Now(), Now()); err != nil {
		t.Errorf("an administrator: %v", err)
	}
}

func testLeaseImport(t *testing.T, open func() Store) {
	s := []Store{open(), open()}
	i := ready(t, s[0], 1)
	if _, err := s[0].LeaseImport(t.Context(), "", newID(), Now(), Now()); !errors.Is(err, roster.ErrNone) {
		t.Errorf("one that does not run was leased: %v", err)
	}
	if err := s[0].RunImport(t.Context(), i, event.New(event.ImportStarted, Now(), "", "", "")); err != nil {
		t.Fatal(err)
	}
	lease := func(at time.Time) []error {
		return atOnce(8, func(n int) error {
			id := []string{"", i.ID}[n/2%2]
			got, err := s[n%2].LeaseImport(t.Context(), id, newID(), at, at.Add(time.Minute))
			if err == nil && (got.ID != i.ID || got.Lease == "") {
				t.Errorf("leased %+v", got)
			}
			return err
		})
	}
	for _, round := range []struct {
		at   time.Time
		want int
	}{{Now(), 1}, {Now().Add(time.Minute - time.Microsecond), 0}, {Now().Add(time.Minute), 1}} {
		got := 0
		for _, err := range lease(round.at) {
			if err == nil {
				got++
			} else if !errors.Is(err, roster.ErrNone) {
				t.Error(err)
			}
		}
		if got != round.want {
			t.Errorf("%d instances have it, want %d", got, round.want)
		}
	}
	held := getImport(t, s[0], i.ID)
	if err := s[1].HoldImport(t.Context(), held, time.Time{}); err != nil {
		t.Error(err)
	}
	if _, err := s[0].LeaseImport(t.Context(), i.ID, newID(), Now(), Now()); err != nil {
		t.Errorf("one that was given back: %v", err)
	}
	if err := s[1].HoldImport(t.Context(), held, Now()); !errors.Is(err, roster.ErrLost) {
		t.Errorf("a lease that is over was held: %v", err)
	}
}

func testAddPeopleLost(t *testing.T, s Store) {
	a := coming(t, "", "grace@example.com")
	stopped, taken, further := running(t, s, 3, event.Origin{}), running(t, s, 3, event.Origin{}), running(t, s, 3, event.Origin{})
	if err := s.StopImport(t.Context(), stopped.ID, "", event.New(event.ImportStopped, Now(), "", "", "")); err != nil {
		t.Fatal(err)
	}
	taken.Lease = newID()
	further.Part = 1
	for name, i := range map[string]roster.Import{"stopped": stopped, "taken over": taken, "at another part": further} {
		if _, err := s.AddPeople(t.Context(), i, []directory.Arrival{a}, Now(), Now()); !errors.Is(err, roster.ErrLost) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.GetUserByEmail(t.Context(), a.User.Email); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("somebody was added: %v", err)
	}
}

func testAddPeopleAtOnce(t *testing.T, open func() Store) {
	s := []Store{open(), open()}
	i := running(t, s[0], 2, event.Origin{})
	errs := atOnce(8, func(n int) error {
		var people []directory.Arrival
		for p := range 50 {
			people = append(people, coming(t, "", fmt.Sprintf("p%d@example.com", p)))
		}
		_, err := s[n%2].AddPeople(t.Context(), i, people, Now(), Now().Add(time.Minute))
		return err
	})
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, roster.ErrLost) {
			t.Error(err)
		}
	}
	if got := getImport(t, s[0], i.ID); won != 1 || got.Part != 1 || got.Added != 50 {
		t.Errorf("%d have written the part, which is %d, with %d people", won, got.Part, got.Added)
	}
}

func testAddPeopleBesides(t *testing.T, open func() Store) {
	s := []Store{open(), open()}
	var people, others []directory.Arrival
	for p := range 50 {
		people = append(people, coming(t, "by file", fmt.Sprintf("p%d@example.com", p)))
		others = append(others, coming(t, "by hand", fmt.Sprintf("p%d@example.com", 49-p)))
	}
	i := running(t, s[0], 1, event.Origin{})
	added, byHand := 0, 0
	errs := atOnce(2, func(n int) error {
		if n == 0 {
			got, err := s[0].AddPeople(t.Context(), i, people, Now(), Now().Add(time.Minute))
			added = got.Added
			return err
		}
		for _, a := range others {
			switch err := s[1].CreateUser(t.Context(), a.User, a.Event, a.Jobs...); {
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

func testCountWaiting(t *testing.T, s Store) {
	people := []directory.Arrival{coming(t, "", "a@example.com"), coming(t, "", "b@example.com"), coming(t, "", "c@example.com")}
	if _, err := s.AddPeople(t.Context(), running(t, s, 1, event.Origin{}), people, Now(), Now()); err != nil {
		t.Fatal(err)
	}
	if err := s.ParkJob(t.Context(), people[0].Jobs[0], Now(), "no"); err != nil {
		t.Fatal(err)
	}
	for most, want := range map[int]int{1: 1, 2: 2, 10: 2} {
		if n, err := s.CountWaiting(t.Context(), most); n != want || err != nil {
			t.Errorf("counted to %d: %d, want %d, %v", most, n, want, err)
		}
	}
}
