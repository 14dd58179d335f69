package storetest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

var logoutRows = []row{
	{"whatever ends a session writes a job for each app to tell", single(testLogouts)},
	{"logouts are leased apart from other jobs, and not to busy apps", single(testLeaseLogout)},
}

// clientWithLogout makes an app a client with a back-channel logout URL, which may be empty.
func clientWithLogout(t *testing.T, s Store, name, url string) apps.App {
	t.Helper()
	a := appFor(name)
	createApps(t, s, a)
	if err := s.SaveClient(t.Context(), a.ID, func(*openid.Client) (openid.Client, event.Event, error) {
		c := openid.Client{ID: a.ID, Algorithm: "RS256", RedirectURIs: []string{"https://x.example"}, BackchannelLogout: url, CreatedAt: ago(time.Hour), UpdatedAt: ago(time.Hour)}
		e := event.New(event.ClientChanged, Now(), "", "", a.Name)
		e.Changes = []event.Change{{Field: "client", New: "confidential"}}
		return c, e, nil
	}); err != nil {
		t.Fatal(err)
	}
	return a
}

// grantTo creates a grant of a session to an app.
func grantTo(t *testing.T, s Store, v session.Session, a apps.App) {
	t.Helper()
	if err := s.CreateGrant(t.Context(), openid.Grant{
		ID: newID(), AppID: a.ID, UserID: v.UserID, SessionHash: v.TokenHash, Scope: "openid", AuthTime: Now(), RedirectURI: "https://x.example",
		CodeHash: session.Hash(newID()), CodeExpiresAt: Now(), CreatedAt: ago(time.Minute), ExpiresAt: v.ExpiresAt,
	}); err != nil {
		t.Fatal(err)
	}
}

// takeLogouts returns the pending logouts as text, sorted, and deletes them.
func takeLogouts(t *testing.T, s Store) []string {
	t.Helper()
	list := []string{}
	for {
		j, err := s.LeaseLogout(t.Context(), nil, Now(), Now().Add(time.Minute))
		if errors.Is(err, outbox.ErrNoJob) {
			slices.Sort(list)
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, strings.Join([]string{j.Name, j.AppID, j.UserID, j.About(), j.StytchID}, " "))
		if err := s.FinishJob(t.Context(), j.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func testLogouts(t *testing.T, s Store) {
	wiki, notes, silent := clientWithLogout(t, s, "Wiki", "https://wiki.example.com/logout"), clientWithLogout(t, s, "Notes", "http://notes.example.com/logout"), clientWithLogout(t, s, "Silent", "")
	clientWithLogout(t, s, "Unused", "https://unused.example.com/logout")
	all := func(session.Session) bool { return true }
	change := func(end func(directory.RuleState) directory.Change) func(directory.User, session.Session) error {
		return func(u directory.User, _ session.Session) error {
			_, err := s.ChangeUser(t.Context(), u.ID, func(state directory.RuleState) (directory.Change, error) { return end(state), nil })
			return err
		}
	}
	for name, end := range map[string]func(u directory.User, v session.Session) error{
		"sign-out": func(u directory.User, v session.Session) error {
			_, err := s.EndSessions(t.Context(), u.ID, ending("signed out", func(o session.Session) bool { return o.TokenHash == v.TokenHash }))
			return err
		},
		"sign-out everywhere": func(u directory.User, _ session.Session) error {
			_, err := s.EndSessions(t.Context(), u.ID, ending("signed out everywhere", all))
			return err
		},
		"suspension": change(func(s directory.RuleState) directory.Change {
			s.User.Status = directory.Suspended
			return directory.Change{User: s.User, EndSession: endAll(s.User, "suspended")}
		}),
		"removal": change(func(s directory.RuleState) directory.Change {
			return directory.Change{User: s.User, Remove: true, EndSession: endAll(s.User, "removed")}
		}),
		"a replaced session": func(u directory.User, v session.Session) error {
			a := signInRequest(u, newID())
			replace(&a, v.TokenHash)
			_, err := signIn(t.Context(), s, a)
			return err
		},
		"expiry": func(_ directory.User, v session.Session) error {
			_, err := s.DeleteExpiredSessions(t.Context(), v.ExpiresAt)
			return err
		},
	} {
		u := member("Ada", newID()+"@example.com")
		create(t, s, u)
		a := signInRequest(u, newID())
		if name == "expiry" {
			a.Session.ExpiresAt = Now().Add(time.Minute) // before the others
		}
		v := mustSignIn(t, s, a)
		for _, app := range []apps.App{wiki, wiki, notes, silent} { // twice to one
			grantTo(t, s, v, app)
		}
		if err := end(u, v); err != nil {
			t.Fatal(name, err)
		}
		want := []string{}
		for _, app := range []apps.App{notes, wiki} {
			want = append(want, strings.Join([]string{app.Name, app.ID, u.ID, u.Email.Normalized, v.StytchSessionID}, " "))
		}
		if diff := cmp.Diff(want, takeLogouts(t, s)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
		if _, err := s.EndSessions(t.Context(), u.ID, ending("signed out", all)); err != nil && !errors.Is(err, directory.ErrNotFound) {
			t.Fatal(err)
		}
		if again := takeLogouts(t, s); len(again) > 0 {
			t.Errorf("%s: again: %v", name, again)
		}
	}
	// Two sessions, only one of which has a grant; and an app that was removed.
	u := member("Bob", "bob@example.com")
	create(t, s, u)
	one := mustSignIn(t, s, signInRequest(u, "one"))
	mustSignIn(t, s, signInRequest(u, "two"))
	grantTo(t, s, one, wiki)
	grantTo(t, s, one, notes)
	if err := s.RemoveClient(t.Context(), notes.ID, event.New(event.ClientRemoved, Now(), "", "", notes.Name)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.EndSessions(t.Context(), u.ID, ending("signed out everywhere", all)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{strings.Join([]string{"Wiki", wiki.ID, u.ID, "bob@example.com", one.StytchSessionID}, " ")}, takeLogouts(t, s)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func testLeaseLogout(t *testing.T, s Store) {
	add := func(appID string) outbox.Job {
		j := outbox.NewLogout(appID, "Wiki", "ada@example.com", "ada", "session-1", Now())
		if err := s.AddJob(t.Context(), j); err != nil {
			t.Fatal(err)
		}
		return j
	}
	first, second, other := add("a"), add("a"), add("b")
	call := outbox.New(outbox.RevokeSession, "ada@example.com", "ada", "session-1", "", Now())
	if err := s.AddJob(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	lease := func(want outbox.Job, busy ...string) {
		t.Helper()
		got, err := s.LeaseLogout(t.Context(), busy, Now(), Now().Add(time.Minute))
		if want.ID == "" {
			if !errors.Is(err, outbox.ErrNoJob) {
				t.Errorf("leased %+v, %v", got, err)
			}
			return
		}
		if err != nil || got.ID != want.ID || got.AppID != want.AppID || got.Attempts != 1 {
			t.Errorf("leased %+v, %v, want %+v", got, err, want)
		}
	}
	lease(outbox.Job{}, "a", "b")
	lease(first)
	lease(other, "a")
	lease(second)
	lease(outbox.Job{})
	if got, err := s.LeaseJob(t.Context(), "", Now(), Now().Add(time.Minute)); err != nil || got.ID != call.ID {
		t.Errorf("leased %+v, %v, want the call", got, err)
	}
	if got, err := s.LeaseJob(t.Context(), "", Now().Add(time.Hour), Now().Add(2*time.Hour)); err != nil || got.ID != call.ID {
		t.Errorf("leased %+v, %v, want the call", got, err)
	}
	if list, err := s.ListJobs(t.Context(), mustParse("ada@example.com")); err != nil || len(list) != 1 {
		t.Errorf("the user's jobs are %v, %v", list, err)
	}
}
