package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

var changeRows = []row{
	{"a change writes what the rule returns", single(testChange)},
	{"a change without an effect succeeds", single(testChangeNothing)},
	{"a search finds the new name and no longer the old one", single(testRename)},
	{"a rule gets the number of other administrators", single(testOtherAdmins)},
	{"a rule's error changes nothing", single(testRuleError)},
	{"removing a user deletes their sessions and invitations", single(testRemove)},
	{"a removed user's address is available again", single(testRemoveAndAddAgain)},
	{"ending sessions and cancelling invitations doesn't affect other users", single(testChangeLeavesOthers)},
}

// set returns a rule that applies edit.
func set(edit func(*directory.User)) func(directory.RuleState) (directory.Change, error) {
	return func(s directory.RuleState) (directory.Change, error) {
		edit(&s.User)
		return directory.Change{User: s.User}, nil
	}
}

func testChange(t *testing.T, s Store) {
	u := member("Ada", "Ada@example.com")
	create(t, s, u)
	want := u
	want.Name, want.Role, want.Status = "Ada King", directory.Admin, directory.Suspended
	want.StytchUserID, want.InviteSentAt = "user-test-2", ago(3*time.Second)
	want.UpdatedAt, want.LastSeenAt = ago(2*time.Second), ago(time.Second)
	got, err := s.ChangeUser(t.Context(), u.ID, set(func(u *directory.User) { *u = want }))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("returned: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(want, get(t, s, u.ID)); diff != "" {
		t.Errorf("stored: -want +got\n%s", diff)
	}
}

func testChangeNothing(t *testing.T, s Store) {
	u := member("Ada", "ada@example.com")
	create(t, s, u)
	for range 2 {
		got, err := s.ChangeUser(t.Context(), u.ID, set(func(*directory.User) {}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(u, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
}

func testRename(t *testing.T, s Store) {
	u := member("Ada Byron", "ada@example.com")
	create(t, s, u)
	if _, err := s.ChangeUser(t.Context(), u.ID, set(func(u *directory.User) { u.Name = "Ada King" })); err != nil {
		t.Fatal(err)
	}
	for search, want := range map[string]int{"byron": 0, "king": 1, "ada king": 1, "example": 1} {
		if got := len(find(t, s, search)); got != want {
			t.Errorf("%q finds %d, want %d", search, got, want)
		}
	}
}

func testOtherAdmins(t *testing.T, s Store) {
	invited, suspended := admin("", "invited@example.com"), admin("", "suspended@example.com")
	invited.Status, suspended.Status = directory.Invited, directory.Suspended
	ada, bob, eve := admin("Ada", "ada@example.com"), admin("Bob", "bob@example.com"), member("Eve", "eve@example.com")
	create(t, s, invited, suspended, ada, bob, eve)
	for _, r := range []struct {
		name string
		of   directory.User
		want int
	}{
		{"of an administrator, without them", ada, 1},
		{"of a member, all", eve, 2},
		{"of an invited administrator, all who are active", invited, 2},
		{"of a suspended administrator, all who are active", suspended, 2},
	} {
		got := -1
		_, err := s.ChangeUser(t.Context(), r.of.ID, func(s directory.RuleState) (directory.Change, error) {
			got = s.OtherAdmins
			if diff := cmp.Diff(r.of, s.User); diff != "" {
				t.Errorf("%s: the rule's user: -want +got\n%s", r.name, diff)
			}
			return directory.Change{User: s.User}, nil
		})
		if got != r.want || err != nil {
			t.Errorf("%s: %d, %v, want %d", r.name, got, err, r.want)
		}
	}
}

func testRuleError(t *testing.T, s Store) {
	u := member("Ada", "ada@example.com")
	create(t, s, u)
	mustSignIn(t, s, signInRequest(u, "one"))
	before := state(t, s, u)
	invalid := &directory.ValidationError{Fields: map[string]string{"name": "No."}}
	for _, want := range []error{directory.ErrLastAdmin, directory.ErrNotFresh, directory.ErrSuspended, invalid} {
		_, err := s.ChangeUser(t.Context(), u.ID, func(state directory.RuleState) (directory.Change, error) {
			state.User.Name = "Eve"
			c := directory.Change{User: state.User, Remove: true, EndSession: endAll(u, "removed"), CancelInvites: true}
			c.Jobs = []outbox.Job{outbox.New(outbox.DeleteUser, u.Email.Normalized, u.ID, "", "", Now())}
			return c, want
		})
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if diff := cmp.Diff(before, state(t, s, u)); diff != "" {
		t.Errorf("-before +after\n%s", diff)
	}
}

func testRemove(t *testing.T, s Store) {
	u := member("Ada", "ada@example.com")
	create(t, s, u, member("Bob", "bob@example.com"))
	one, two := mustSignIn(t, s, signInRequest(u, "one")), mustSignIn(t, s, signInRequest(u, "two"))
	if err := s.AddJob(t.Context(), outbox.New(outbox.Invite, u.Email.Normalized, u.ID, "", u.Name, Now())); err != nil {
		t.Fatal(err)
	}
	deleteAccount := outbox.New(outbox.DeleteUser, u.Email.Normalized, u.ID, u.StytchUserID, "", Now())
	if _, err := s.ChangeUser(t.Context(), u.ID, func(s directory.RuleState) (directory.Change, error) {
		return directory.Change{User: s.User, Remove: true, EndSession: endAll(s.User, "removed"), CancelInvites: true, Jobs: []outbox.Job{deleteAccount}}, nil
	}); err != nil {
		t.Fatal(err)
	}

	if _, err := s.GetUser(t.Context(), u.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("GetUser: %v", err)
	}
	for _, token := range []string{one.TokenHash, two.TokenHash} {
		if _, err := s.GetSession(t.Context(), token); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("GetSession: %v", err)
		}
	}
	if found := find(t, s, "ada"); len(found) > 0 {
		t.Errorf("a search finds %v", found)
	}
	got := map[string]outbox.Kind{}
	for _, j := range jobs(t, s, u) {
		got[j.StytchID] = j.Kind
	}
	want := map[string]outbox.Kind{
		one.StytchSessionID: outbox.RevokeSession, two.StytchSessionID: outbox.RevokeSession, u.StytchUserID: outbox.DeleteUser,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("jobs: -want +got\n%s", diff)
	}
}

func testRemoveAndAddAgain(t *testing.T, s Store) {
	u := member("Ada", "ada@example.com")
	for range 3 {
		u.ID = newID()
		create(t, s, u)
		if _, err := s.ChangeUser(t.Context(), u.ID, func(s directory.RuleState) (directory.Change, error) {
			return directory.Change{User: s.User, Remove: true}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if page := list(t, s, directory.Query{Sort: directory.ByName, Limit: 10}); page.Total != 0 {
		t.Errorf("%d users are left", page.Total)
	}
}

func testChangeLeavesOthers(t *testing.T, s Store) {
	ada, bob := member("Ada", "ada@example.com"), member("Bob", "bob@example.com")
	create(t, s, ada, bob)
	for _, u := range []directory.User{ada, bob} {
		mustSignIn(t, s, signInRequest(u, u.Name))
		for _, kind := range []outbox.Kind{outbox.Invite, outbox.RevokeInvite} {
			if err := s.AddJob(t.Context(), outbox.New(kind, u.Email.Normalized, u.ID, "", "", Now())); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := state(t, s, bob)
	if _, err := s.ChangeUser(t.Context(), ada.ID, func(s directory.RuleState) (directory.Change, error) {
		return directory.Change{User: s.User, EndSession: endAll(s.User, "removed"), CancelInvites: true}, nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, state(t, s, bob)); diff != "" {
		t.Errorf("Bob: -before +after\n%s", diff)
	}
	after := state(t, s, ada)
	kinds := []outbox.Kind{after.Jobs[0].Kind, after.Jobs[1].Kind}
	if diff := cmp.Diff([]outbox.Kind{outbox.RevokeInvite, outbox.RevokeSession}, kinds); diff != "" {
		t.Errorf("Ada's jobs: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]session.Session{}, after.Sessions); diff != "" {
		t.Errorf("Ada's sessions: -want +got\n%s", diff)
	}
}
