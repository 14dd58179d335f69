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
	{"signing in stores the changed user", on(testSignInFound)},
	{"signing in creates a new user", on(testSignInStranger)},
	{"the rule gets the applicant and the number of administrators", on(testWelcome)},
	{"a refusal stores nothing", on(testRefusal)},
	{"the browser's previous session ends", on(testReplace)},
	{"fifty people sign in at once", testFiftyPeople},
	{"fifty browsers of one new person make one person", testFiftyBrowsers},
	{"of the first people to come at once, one becomes the administrator", testFirstAdmin},
	{"nobody is signed in who is suspended at that moment", testSuspendDuringSignIn},
}

func testSignInFound(t *testing.T, s Store) {
	u := person("Ada", "Ada@example.com")
	u.Status, u.StytchUserID, u.LastSeenAt = directory.Invited, "", time.Time{}
	create(t, s, u)
	made := mustSignIn(t, s, arrival(u, "one"))
	want := u
	want.Status, want.StytchUserID = directory.Active, "user-test-ada@example.com"
	want.UpdatedAt, want.LastSeenAt, want.LinksAfter = Now(), Now(), Now()
	if diff := cmp.Diff(want, made.User); diff != "" {
		t.Errorf("returned: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(want, get(t, s, u.ID)); diff != "" {
		t.Errorf("stored: -want +got\n%s", diff)
	}
}

func testSignInStranger(t *testing.T, s Store) {
	made := mustSignIn(t, s, arrival(person("", "New@example.com"), "one"))
	if diff := cmp.Diff(made.User, get(t, s, made.UserID)); diff != "" {
		t.Errorf("-returned +stored\n%s", diff)
	}
	if got := find(t, s, "new"); len(got) != 1 {
		t.Errorf("a search finds %v", got)
	}
}

func testWelcome(t *testing.T, s Store) {
	ada, invited := admin("Ada", "ada@example.com"), admin("", "invited@example.com")
	invited.Status = directory.Invited
	create(t, s, ada, invited)
	stop := errors.New("seen enough")
	for _, r := range []struct {
		address string
		want    *directory.User
		admins  int
	}{
		{"ADA@example.com", &ada, 0}, // not counted if the user exists
		{"eve@example.com", nil, 2},
	} {
		_, err := s.CreateSession(t.Context(), arrival(person("", r.address), "one"), func(from directory.Applicant) (directory.User, []event.Event, error) {
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
	u := person("Ada", "ada@example.com")
	u.Status = directory.Suspended
	create(t, s, u, person("Bob", "bob@example.com"))
	held := mustSignIn(t, s, arrival(person("", "bob@example.com"), "bob's"))
	before := state(t, s, u)
	for address, want := range map[string]error{"ada@example.com": directory.ErrSuspended, "eve@example.com": directory.ErrNotListed} {
		a := arrival(person("", address), "refused")
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
		t.Errorf("the session that the browser held: %v", err)
	}
}

func testReplace(t *testing.T, s Store) {
	ada, bob := person("Ada", "ada@example.com"), person("Bob", "bob@example.com")
	create(t, s, ada, bob)
	first := mustSignIn(t, s, arrival(ada, "first"))
	other := mustSignIn(t, s, arrival(ada, "other browser"))
	for _, r := range []struct {
		name     string
		who      directory.User
		replaces session.Session
	}{
		{"of the same person", ada, first},
		{"of somebody else", bob, session.Session{TokenHash: session.Hash("of the same person"), StytchSessionID: "session-test-of the same person"}},
		{"that is not there", bob, session.Session{TokenHash: session.Hash("unknown")}},
	} {
		a := arrival(r.who, r.name)
		replace(&a, r.replaces.TokenHash)
		mustSignIn(t, s, a)
		if _, err := s.GetSession(t.Context(), a.Replaces); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%s: the old session: %v", r.name, err)
		}
		if _, err := s.GetSession(t.Context(), a.Session.TokenHash); err != nil {
			t.Errorf("%s: the new session: %v", r.name, err)
		}
	}
	var told []string
	for _, j := range append(jobs(t, s, ada), jobs(t, s, bob)...) {
		told = append(told, string(j.Kind)+" "+j.StytchID)
	}
	want := []string{
		string(outbox.RevokeSession) + " session-test-first",
		string(outbox.RevokeSession) + " session-test-of the same person",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("Stytch is told: -want +got\n%s", diff)
	}
	if _, err := s.GetSession(t.Context(), other.TokenHash); err != nil {
		t.Errorf("the session in another browser: %v", err)
	}
}

func testFiftyPeople(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	people := make([]directory.User, 50)
	for i := range people {
		people[i] = person("", fmt.Sprintf("p%d@example.com", i))
	}
	create(t, stores[0], people[:25]...) // the others are new
	for i, err := range atOnce(50, func(i int) error {
		_, err := signIn(t.Context(), stores[i%2], arrival(people[i], people[i].Email.Normalized))
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
	u := person("", "new@example.com")
	for i, err := range atOnce(50, func(i int) error {
		_, err := signIn(t.Context(), stores[i%2], arrival(u, fmt.Sprint(i)))
		return err
	}) {
		if err != nil {
			t.Errorf("browser %d: %v", i, err)
		}
	}
	page := list(t, stores[0], directory.Query{Sort: directory.ByName, Limit: 10})
	if len(page.Users) != 1 {
		t.Fatalf("%d people", len(page.Users))
	}
	if sessions, err := stores[0].ListSessions(t.Context(), page.Users[0].ID); len(sessions) != 50 || err != nil {
		t.Errorf("%d sessions, %v", len(sessions), err)
	}
}

func testFirstAdmin(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	for i := range 10 { // adjacent keys: otherwise MySQL's gap locks alone would separate the new users
		create(t, stores[0], person("", fmt.Sprintf("p%d-member@example.com", i)))
	}
	for i, err := range atOnce(10, func(i int) error {
		a := arrival(person("", fmt.Sprintf("p%d@example.com", i)), fmt.Sprint(i))
		_, err := stores[i%2].CreateSession(t.Context(), a, func(from directory.Applicant) (directory.User, []event.Event, error) {
			u, err := directory.AdmissionPolicy{Open: true, FirstAdmin: true}.Admit(from, "user-test-1", Now())
			return u, nil, err
		})
		return err
	}) {
		if err != nil {
			t.Errorf("person %d: %v", i, err)
		}
	}
	if n, err := stores[0].CountAdmins(t.Context()); n != 1 || err != nil {
		t.Errorf("%d administrators, %v", n, err)
	}
}

func testSuspendDuringSignIn(t *testing.T, open func() Store) {
	stores := []Store{open(), open()}
	for round := range 20 {
		u := person("", fmt.Sprintf("p%d@example.com", round))
		create(t, stores[0], u)
		a := arrival(u, u.Email.Normalized)
		errs := atOnce(2, func(i int) error {
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
		if told := len(after.Jobs) == 1; told != (errs[0] == nil) {
			t.Errorf("round %d: sign-in %v, Stytch is told %v", round, errs[0], told)
		}
	}
}
