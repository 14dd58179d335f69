package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

var signInRows = []row{
	{"signing in stores the admitted user", single(testSignInFound)},
	{"signing in adds a new user", single(testSignInNewUser)},
	{"the rule gets the user with the address and the number of administrators", single(testApplicantOfSignIn)},
	{"a refusal writes nothing", single(testRefusal)},
	{"the browser's previous session ends", single(testReplace)},
	{"fifty users sign in concurrently", testFiftyPeople},
	{"fifty browsers of one new user add one user", testFiftyBrowsers},
	{"one of the first users who sign in concurrently becomes administrator", testFirstAdmin},
	{"a user who is suspended concurrently is not signed in", testSuspendDuringSignIn},
}

func testSignInFound(t *testing.T, s Store) {
	u := member("Ada", "Ada@example.com")
	u.Status, u.StytchUserID, u.LastSeenAt = directory.Invited, "", time.Time{}
	create(t, s, u)
	created := mustSignIn(t, s, signInRequest(u, "one"))
	want := u
	want.Status, want.StytchUserID = directory.Active, "user-test-ada@example.com"
	want.UpdatedAt, want.LastSeenAt, want.LinksAfter = Now(), Now(), Now()
	if diff := cmp.Diff(want, created.User); diff != "" {
		t.Errorf("returned: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(want, get(t, s, u.ID)); diff != "" {
		t.Errorf("stored: -want +got\n%s", diff)
	}
}

func testSignInNewUser(t *testing.T, s Store) {
	created := mustSignIn(t, s, signInRequest(member("", "New@example.com"), "one"))
	if diff := cmp.Diff(created.User, get(t, s, created.UserID)); diff != "" {
		t.Errorf("-returned +stored\n%s", diff)
	}
	if got := find(t, s, "new"); len(got) != 1 {
		t.Errorf("a search finds %v", got)
	}
}

func testApplicantOfSignIn(t *testing.T, s Store) {
	ada, invited := admin("Ada", "ada@example.com"), admin("", "invited@example.com")
	invited.Status = directory.Invited
	create(t, s, ada, invited)
	stop := errors.New("seen enough")
	for _, r := range []struct {
		address string
		want    *directory.User
		admins  int
	}{
		{"ADA@example.com", &ada, 0}, // not counted for an existing user
		{"eve@example.com", nil, 2},
	} {
		_, err := s.CreateSession(t.Context(), signInRequest(member("", r.address), "one"), func(from directory.Applicant) (directory.User, []event.Event, error) {
			if diff := cmp.Diff(r.want, from.User); diff != "" {
				t.Errorf("%s: found: -want +got\n%s", r.address, diff)
			}
			if from.Admins != r.admins {
				t.Errorf("%s: %d administrators, want %d", r.address, from.Admins, r.admins)
			}
			return directory.User{}, nil, directory.ErrNotListed
		})
		if !errors.Is(err, directory.ErrNotListed) {
			t.Errorf("%s: %v instead of %v", r.address, err, stop)
		}
	}
}

func testRefusal(t *testing.T, s Store) {
	u := member("Ada", "ada@example.com")
	u.Status = directory.Suspended
	create(t, s, u, member("Bob", "bob@example.com"))
	held := mustSignIn(t, s, signInRequest(member("", "bob@example.com"), "bob's"))
	before := state(t, s, u)
	for address, want := range map[string]error{"ada@example.com": directory.ErrSuspended, "eve@example.com": directory.ErrNotListed} {
		a := signInRequest(member("", address), "refused")
		replace(&a, held.TokenHash)
		_, err := s.CreateSession(t.Context(), a, func(from directory.Applicant) (directory.User, []event.Event, error) {
			u, err := directory.AdmissionPolicy{}.Admit(from, "user-test-1", Now())
			return u, nil, err
		})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", address, err, want)
		}
		if _, err := s.GetSession(t.Context(), a.Session.TokenHash); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%s has a session: %v", address, err)
		}
	}
	if diff := cmp.Diff(before, state(t, s, u)); diff != "" {
		t.Errorf("-before +after\n%s", diff)
	}
	if _, err := s.GetSession(t.Context(), held.TokenHash); err != nil {
		t.Errorf("the browser's previous session: %v", err)
	}
}

func testReplace(t *testing.T, s Store) {
	ada, bob := member("Ada", "ada@example.com"), member("Bob", "bob@example.com")
	create(t, s, ada, bob)
	first := mustSignIn(t, s, signInRequest(ada, "first"))
	other := mustSignIn(t, s, signInRequest(ada, "other browser"))
	for _, r := range []struct {
		name     string
		user     directory.User
		replaces session.Session
	}{
		{"of the same user", ada, first},
		{"of another user", bob, session.Session{TokenHash: session.Hash("of the same user"), StytchSessionID: "session-test-of the same user"}},
		{"that doesn't exist", bob, session.Session{TokenHash: session.Hash("unknown")}},
	} {
		a := signInRequest(r.user, r.name)
		replace(&a, r.replaces.TokenHash)
		mustSignIn(t, s, a)
		if _, err := s.GetSession(t.Context(), a.Replaces); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%s: the old session: %v", r.name, err)
		}
		if _, err := s.GetSession(t.Context(), a.Session.TokenHash); err != nil {
			t.Errorf("%s: the new session: %v", r.name, err)
		}
	}
	var got []string
	for _, j := range append(jobs(t, s, ada), jobs(t, s, bob)...) {
		got = append(got, string(j.Kind)+" "+j.StytchID)
	}
	want := []string{
		string(outbox.RevokeSession) + " session-test-first",
		string(outbox.RevokeSession) + " session-test-of the same user",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("jobs: -want +got\n%s", diff)
	}
	if _, err := s.GetSession(t.Context(), other.TokenHash); err != nil {
		t.Errorf("the session in another browser: %v", err)
	}
}

func testFiftyPeople(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	people := make([]directory.User, 50)
	for i := range people {
		people[i] = member("", fmt.Sprintf("p%d@example.com", i))
	}
	create(t, stores[0], people[:25]...) // the others are new
	for i, err := range concurrently(50, func(i int) error {
		_, err := signIn(t.Context(), stores[i%2], signInRequest(people[i], people[i].Email.Normalized))
		return err
	}) {
		if err != nil {
			t.Errorf("%s: %v", people[i].Email, err)
		}
	}
	for _, u := range people {
		got, err := stores[0].GetSession(t.Context(), session.Hash(u.Email.Normalized))
		if err != nil || got.User.Email.Normalized != u.Email.Normalized || got.User.Status != directory.Active {
			t.Errorf("%s: %+v, %v", u.Email, got.User, err)
		}
	}
}

func testFiftyBrowsers(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	u := member("", "new@example.com")
	for i, err := range concurrently(50, func(i int) error {
		_, err := signIn(t.Context(), stores[i%2], signInRequest(u, fmt.Sprint(i)))
		return err
	}) {
		if err != nil {
			t.Errorf("browser %d: %v", i, err)
		}
	}
	page := list(t, stores[0], directory.Query{Sort: directory.ByName, Limit: 10})
	if len(page.Users) != 1 {
		t.Fatalf("%d users", len(page.Users))
	}
	if sessions, err := stores[0].ListSessions(t.Context(), page.Users[0].ID); len(sessions) != 50 || err != nil {
		t.Errorf("%d sessions, %v", len(sessions), err)
	}
}

func testFirstAdmin(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	for i := range 10 { // neighboring rows, because otherwise MySQL's gap locks would serialize the sign-ins
		create(t, stores[0], member("", fmt.Sprintf("p%d-member@example.com", i)))
	}
	for i, err := range concurrently(10, func(i int) error {
		a := signInRequest(member("", fmt.Sprintf("p%d@example.com", i)), fmt.Sprint(i))
		_, err := stores[i%2].CreateSession(t.Context(), a, func(from directory.Applicant) (directory.User, []event.Event, error) {
			u, err := directory.AdmissionPolicy{Open: true, FirstAdmin: true}.Admit(from, "user-test-1", Now())
			return u, nil, err
		})
		return err
	}) {
		if err != nil {
			t.Errorf("user %d: %v", i, err)
		}
	}
	if n, err := stores[0].CountAdmins(t.Context()); n != 1 || err != nil {
		t.Errorf("%d administrators, %v", n, err)
	}
}

func testSuspendDuringSignIn(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	for round := range 20 {
		u := member("", fmt.Sprintf("p%d@example.com", round))
		create(t, stores[0], u)
		a := signInRequest(u, u.Email.Normalized)
		errs := concurrently(2, func(i int) error {
			if i == 0 {
				_, err := signIn(t.Context(), stores[0], a)
				return err
			}
			_, err := stores[1].ChangeUser(t.Context(), u.ID, func(s directory.RuleState) (directory.Change, error) {
				s.User.Status = directory.Suspended
				return directory.Change{User: s.User, EndSession: endAll(s.User, "removed")}, nil
			})
			return err
		})
		if errs[0] != nil && !errors.Is(errs[0], directory.ErrSuspended) || errs[1] != nil {
			t.Fatal(errs)
		}
		after := state(t, stores[0], u)
		if after.User.Status != directory.Suspended || len(after.Sessions) > 0 {
			t.Errorf("round %d: %s with %d sessions", round, after.User.Status, len(after.Sessions))
		}
		if hasJob := len(after.Jobs) == 1; hasJob != (errs[0] == nil) {
			t.Errorf("round %d: sign-in %v, job to revoke the session: %v", round, errs[0], hasJob)
		}
	}
}
