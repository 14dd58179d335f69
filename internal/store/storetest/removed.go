package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/userio"
)

// removedRows are about addresses that were removed.
var removedRows = []row{
	{"a removed address is distinguished from an unknown one, also with a tag", single(testApplicant)},
	{"a removed address can't join by signing in", single(testRemovedJoins)},
	{"a removed address is created only if requested, and then no longer counts as removed", single(testRemovedCreated)},
	{"a user who is removed and appointed concurrently stays removed", testRemovedAppointed},
	{"an import doesn't add users who were removed after it was started", single(testRemovedImported)},
	{"removals by older releases are found in the audit log", testRememberRemovals},
}

// removeUser removes a user as the directory does.
func removeUser(t *testing.T, s Store, u directory.User) {
	t.Helper()
	if err := tryRemoveUser(t.Context(), s, u); err != nil {
		t.Fatal(err)
	}
}

func tryRemoveUser(ctx context.Context, s Store, u directory.User) error {
	_, err := s.ChangeUser(ctx, u.ID, func(st directory.RuleState) (directory.Change, error) {
		return directory.Change{
			User: st.User, Remove: true, CancelInvites: true,
			Events: []event.Event{event.New(event.UserRemoved, Now(), u.ID, u.Email.Normalized, "")},
		}, nil
	})
	return err
}

func testApplicant(t *testing.T, s Store) {
	boss, ada, tagged := admin("", "boss@example.com"), member("", "ada@example.com"), member("", "grace+work@example.com")
	suspended := member("", "eve@example.com")
	suspended.Status = directory.Suspended
	removedTagged, removed := member("", "bob+1@example.com"), member("", "Zed@Example.com")
	create(t, s, boss, ada, tagged, suspended, removedTagged, removed)
	removeUser(t, s, removedTagged)
	removeUser(t, s, removed)
	for _, test := range []struct {
		address string
		user    *directory.User
		removed bool
		alias   string
	}{
		{address: "ADA@example.com", user: &ada, alias: "ada@example.com"},
		{address: "ada+2@example.com", alias: "ada@example.com"},
		{address: "grace@example.com", alias: "grace+work@example.com"},
		{address: "grace+home@example.com", alias: "grace+work@example.com"},
		{address: "eve+2@example.com", alias: "eve@example.com"},
		{address: "zed@example.com", removed: true},
		{address: "ZED+tag+more@example.com", removed: true},
		{address: "bob@example.com", removed: true},
		{address: "bob+2@example.com", removed: true},
		// Addresses of other mailboxes.
		{address: "ada@example.org"},
		{address: "ada+2@example.com.evil.example"},
		{address: "ad@example.com"},
		{address: "ada.x@example.com"},
		{address: "ada-x@example.com"},
		{address: "zed@mail.example.com"},
		{address: "zed@ample.com"},
		{address: "zed.2@example.com"},
		{address: "bob%1@example.com"},
		{address: "new@example.com"},
	} {
		got, err := s.Applicant(t.Context(), mustParse(test.address))
		if err != nil {
			t.Fatal(err)
		}
		want := directory.Applicant{Email: mustParse(test.address), User: test.user, Admins: 1, Alias: test.alias}
		if test.removed {
			want.RemovedAt = Now()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", test.address, diff)
		}
	}
}

func testRemovedJoins(t *testing.T, s Store) {
	ada := member("", "ada@example.com")
	create(t, s, ada)
	removeUser(t, s, ada)
	for _, address := range []string{"ada@example.com", "ADA@example.com", "ada+2@example.com"} {
		if _, err := signIn(t.Context(), s, signInRequest(member("", address), address)); !errors.Is(err, directory.ErrRemoved) {
			t.Errorf("%s: %v, want ErrRemoved", address, err)
		}
	}
	create(t, s, member("", "ada@example.com")) // by an administrator
	mustSignIn(t, s, signInRequest(ada, "back"))
	if _, err := signIn(t.Context(), s, signInRequest(member("", "ada+2@example.com"), "tagged")); !errors.Is(err, directory.ErrAlias) {
		t.Errorf("with a tag: %v, want ErrAlias", err)
	}
}

func testRemovedCreated(t *testing.T, s Store) {
	ada := member("", "ada@example.com")
	create(t, s, ada)
	removeUser(t, s, ada)
	unless := func(address string) error {
		u := member("", address)
		return s.CreateUserUnlessRemoved(t.Context(), directory.NewUser{User: u, Event: event.New(event.UserInvited, Now(), u.ID, u.Email.Normalized, "")})
	}
	if err := unless("ada@example.com"); !errors.Is(err, directory.ErrRemoved) {
		t.Errorf("removed: %v", err)
	}
	if _, err := s.GetUserByEmail(t.Context(), ada.Email); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("on the list: %v", err)
	}
	if err := unless("ada+2@example.com"); err != nil { // only the exact address counts
		t.Errorf("another address of the mailbox: %v", err)
	}
	again := member("", "ada@example.com")
	create(t, s, again)
	if a, err := s.Applicant(t.Context(), ada.Email); err != nil || !a.RemovedAt.IsZero() {
		t.Errorf("created again: %+v, %v", a, err)
	}
	for range 2 { // each removal counts
		removeUser(t, s, again)
		if err := unless("ada@example.com"); !errors.Is(err, directory.ErrRemoved) {
			t.Errorf("removed again: %v", err)
		}
		again = member("", "ada@example.com")
		create(t, s, again)
	}
}

func testRemovedAppointed(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	create(t, stores[0], admin("", "boss@example.com"))
	for round := range 20 {
		u := admin("", fmt.Sprintf("p%d@example.com", round))
		create(t, stores[0], u)
		named := admin("", u.Email.Normalized)
		errs := concurrently(2, func(i int) error {
			if i == 0 {
				return tryRemoveUser(t.Context(), stores[0], u)
			}
			return stores[1].CreateUserUnlessRemoved(t.Context(), directory.NewUser{User: named, Event: event.New(event.UserInvited, Now(), named.ID, named.Email.Normalized, "")})
		})
		if errs[0] != nil || !errors.Is(errs[1], directory.ErrEmailTaken) && !errors.Is(errs[1], directory.ErrRemoved) {
			t.Errorf("round %d: removed with %v, appointed with %v", round, errs[0], errs[1])
		}
		if got, err := stores[0].GetUserByEmail(t.Context(), u.Email); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("round %d: %+v is on the list, %v", round, got, err)
		}
	}
}

func testRemovedImported(t *testing.T, s Store) {
	before, during, listed := member("", "before@example.com"), member("", "during@example.com"), member("", "listed@example.com")
	create(t, s, before, during, listed)
	removeUser(t, s, before)
	i := runningImport(t, s, 2, event.Origin{}) // starting it permits addresses removed earlier
	removeUser(t, s, during)
	people := func() (all []directory.NewUser) {
		for _, address := range []string{"before@example.com", "during@example.com", "listed@example.com", "new@example.com"} {
			all = append(all, invitedUser(t, "", address))
		}
		return all
	}
	i, err := s.ImportUsers(t.Context(), i, people(), Now(), Now(), userio.Import.DoneEvent)
	if err != nil || i.Added != 2 || i.Skipped != 1 || i.LeftOut != 1 {
		t.Errorf("%d added, %d kept, %d left out, %v; want 2, 1, 1", i.Added, i.Skipped, i.LeftOut, err)
	}
	if _, err := s.GetUserByEmail(t.Context(), during.Email); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("removed during the import, and back: %v", err)
	}
	back, err := s.GetUserByEmail(t.Context(), before.Email)
	if err != nil {
		t.Fatalf("removed before the import, and not there: %v", err)
	}

	// Resuming it doesn't permit addresses removed since it was started.
	if err := s.StopImport(t.Context(), i.ID, "", event.New(event.ImportStopped, Now(), "", "", "")); err != nil {
		t.Fatal(err)
	}
	removeUser(t, s, back)
	if err := s.StartImport(t.Context(), getImport(t, s, i.ID), event.New(event.ImportStarted, Now(), "", "", "")); err != nil {
		t.Fatal(err)
	}
	if i, err = s.LeaseImport(t.Context(), i.ID, newID(), Now(), Now()); err != nil {
		t.Fatal(err)
	}
	i, err = s.ImportUsers(t.Context(), i, people(), Now(), Now(), userio.Import.DoneEvent)
	if err != nil || i.Added != 2 || i.LeftOut != 3 || i.State != userio.Done {
		t.Errorf("resumed: %+v, %v; want none added and two more left out", i, err)
	}
	if diff := cmp.Diff(i, getImport(t, s, i.ID)); diff != "" {
		t.Errorf("-returned +stored\n%s", diff)
	}
}

func testRememberRemovals(t *testing.T, open func() Store) {
	s := open()
	listed := member("", "back@example.com")
	create(t, s, listed)
	addEvent := func(kind event.Kind, address string) {
		t.Helper()
		if err := s.AddEvents(t.Context(), event.New(kind, Now(), "", address, "")); err != nil {
			t.Fatal(err)
		}
	}
	// As older releases left it.
	addEvent(event.UserRemoved, "back@example.com")
	for n := range event.MaxLimit + 5 {
		addEvent(event.UserRemoved, fmt.Sprintf("gone%d@example.com", n))
	}
	addEvent(event.UserRemoved, "gone1@example.com")
	addEvent(event.UserSuspended, "other@example.com")
	for i, err := range concurrently(3, func(int) error { return s.RememberRemovals(t.Context()) }) {
		if err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	}
	for address, want := range map[string]bool{
		"gone0@example.com": true, "gone1@example.com": true, fmt.Sprintf("gone%d@example.com", event.MaxLimit+4): true,
		"back@example.com": false, "other@example.com": false,
	} {
		a, err := s.Applicant(t.Context(), mustParse(address))
		if err != nil || a.RemovedAt.IsZero() == want {
			t.Errorf("%s: removed at %v, %v", address, a.RemovedAt, err)
		}
	}
	addEvent(event.UserRemoved, "later@example.com") // not found, because the audit log is searched only once
	if err := open().RememberRemovals(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a, err := s.Applicant(t.Context(), mustParse("later@example.com")); err != nil || !a.RemovedAt.IsZero() {
		t.Errorf("a second time: %+v, %v", a, err)
	}
}
