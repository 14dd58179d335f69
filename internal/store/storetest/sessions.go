package storetest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

var sessionRows = []row{
	{"a session is returned with its user", on(testGetSession)},
	{"a session that isn't there is not found", on(testNoSession)},
	{"a user's sessions are listed newest first", on(testListSessions)},
	{"a user agent is stored up to the column's width", on(testLongBrowser)},
	{"a verification is recorded on the session and the user", on(testSetVerified)},
	{"verifying an ended session doesn't restore it", on(testSetVerifiedAfterEnd)},
	{"ending sessions adds a job for each", on(testEndSessions)},
	{"expired sessions are deleted", on(testDeleteExpiredSessions)},
	{"the cookie key is made once", testCookieKey},
}

func testGetSession(t *testing.T, s Store) {
	u := person("Ada", "Ada@example.com")
	create(t, s, u)
	made := mustSignIn(t, s, arrival(u, "one"))
	want := arrival(u, "one").Session
	want.UserID, want.User = u.ID, get(t, s, u.ID)
	if diff := cmp.Diff(want, made); diff != "" {
		t.Errorf("made: -want +got\n%s", diff)
	}
	got, err := s.GetSession(t.Context(), want.TokenHash)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asFound(want), got); diff != "" {
		t.Errorf("got: -want +got\n%s", diff)
	}

	// A change of the user takes effect on the next read.
	if _, err := s.ChangeUser(t.Context(), u.ID, set(func(u *directory.User) { u.Role = directory.Admin })); err != nil {
		t.Fatal(err)
	}
	if got, err = s.GetSession(t.Context(), want.TokenHash); err != nil || got.User.Role != directory.Admin {
		t.Errorf("after a change of role: %v, %v", got.User.Role, err)
	}
	remove(t, s, u.ID)
	if _, err := s.GetSession(t.Context(), want.TokenHash); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("of somebody removed: %v", err)
	}
}

// asFound returns a session as GetSession returns it.
func asFound(s session.Session) session.Session {
	s.UserAgent, s.Address = "", ""
	s.User.InvitedBy, s.User.InviteSentAt, s.User.UpdatedAt = "", time.Time{}, time.Time{}
	return s
}

func testNoSession(t *testing.T, s Store) {
	u := person("Ada", "ada@example.com")
	create(t, s, u)
	held := mustSignIn(t, s, arrival(u, "one")).TokenHash
	for _, hash := range []string{"", held[:63], held + "0", strings.ToUpper(held), "%", session.Hash("two")} {
		if _, err := s.GetSession(t.Context(), hash); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%q: %v", hash, err)
		}
	}
	if sessions, err := s.ListSessions(t.Context(), newID()); len(sessions) > 0 || err != nil {
		t.Errorf("of nobody: %v, %v", sessions, err)
	}
	if n, err := s.EndSessions(t.Context(), newID(), ending("signed out", func(session.Session) bool { return true })); n != 0 || !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("ending those of nobody: %d, %v", n, err)
	}
}

func testListSessions(t *testing.T, s Store) {
	u, other := person("Ada", "ada@example.com"), person("Bob", "bob@example.com")
	create(t, s, u, other)
	mustSignIn(t, s, arrival(other, "his"))
	var want []string
	for i, token := range []string{"oldest", "middle", "newest"} {
		a := arrival(u, token)
		a.Session.CreatedAt = ago(time.Hour - time.Duration(i)*time.Microsecond)
		mustSignIn(t, s, a)
		want = append([]string{a.Session.StytchSessionID}, want...)
	}
	sessions, err := s.ListSessions(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, v := range sessions {
		got = append(got, v.StytchSessionID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func testLongBrowser(t *testing.T, s Store) {
	u := person("Ada", "ada@example.com")
	create(t, s, u)
	for i, r := range []struct{ said, want string }{
		{"", ""},
		{"Mozilla/5.0 (X11; Linux x86_64) 'quoted' \\ 100%", "Mozilla/5.0 (X11; Linux x86_64) 'quoted' \\ 100%"},
		{strings.Repeat("🚀", 500), strings.Repeat("🚀", 400)},
		{"M\xfcnchen/1.0", "M\uFFFDnchen/1.0"}, // a header may contain Latin-1
	} {
		a := arrival(u, string(rune('a'+i)))
		a.Session.UserAgent, a.Session.Address = r.said, strings.Repeat("f", 70)
		mustSignIn(t, s, a)
		list, err := s.ListSessions(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		got := list[slices.IndexFunc(list, func(v session.Session) bool { return v.TokenHash == a.Session.TokenHash })]
		if got.UserAgent != r.want || got.Address != strings.Repeat("f", 64) {
			t.Errorf("%q is kept as %q, the address as %q", r.said, got.UserAgent, got.Address)
		}
	}
}

func testSetVerified(t *testing.T, s Store) {
	u := person("Ada", "ada@example.com")
	create(t, s, u)
	held := mustSignIn(t, s, arrival(u, "one"))
	want := held
	want.VerifiedAt, want.ExpiresAt = Now().Add(time.Hour), Now().Add(2*time.Hour)
	want.User.LastSeenAt = want.VerifiedAt
	for range 2 { // a second time changes nothing
		if err := s.SaveVerification(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		got, err := s.GetSession(t.Context(), held.TokenHash)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(asFound(want), got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}

	// The user was seen in another browser since.
	if err := s.SaveVerification(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, u.ID).LastSeenAt; !got.Equal(want.VerifiedAt) {
		t.Errorf("an older check moves the person back to %v", got)
	}
}

func testSetVerifiedAfterEnd(t *testing.T, s Store) {
	u := person("Ada", "ada@example.com")
	create(t, s, u)
	held := mustSignIn(t, s, arrival(u, "one"))
	if _, err := s.EndSessions(t.Context(), u.ID, ending("signed out", func(session.Session) bool { return true })); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveVerification(t.Context(), held); err != nil {
		t.Error(err)
	}
	if _, err := s.GetSession(t.Context(), held.TokenHash); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("the session: %v", err)
	}
}

func testEndSessions(t *testing.T, s Store) {
	u := person("Ada", "ada@example.com")
	create(t, s, u)
	for _, token := range []string{"one", "two", "three"} {
		mustSignIn(t, s, arrival(u, token))
	}
	for _, r := range []struct {
		name  string
		which func(session.Session) bool
		want  []string
	}{
		{"none", func(session.Session) bool { return false }, []string{}},
		{"all but one", func(v session.Session) bool { return v.TokenHash != session.Hash("two") }, []string{"session-test-one", "session-test-three"}},
		{"the rest", func(session.Session) bool { return true }, []string{"session-test-two"}},
		{"none are left", func(session.Session) bool { return true }, []string{}},
	} {
		n, err := s.EndSessions(t.Context(), u.ID, ending("signed out", r.which))
		if n != len(r.want) || err != nil {
			t.Errorf("%s: %d, %v", r.name, n, err)
		}
		told := []string{}
		for _, j := range jobs(t, s, u) {
			if j.Kind != outbox.RevokeSession || j.UserID != u.ID || !j.DueAt.IsZero() {
				t.Errorf("%s: %+v", r.name, j)
			}
			told = append(told, j.StytchID)
			if err := s.FinishJob(t.Context(), j.ID); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(told)
		if diff := cmp.Diff(r.want, told); diff != "" {
			t.Errorf("%s: Stytch is told of: -want +got\n%s", r.name, diff)
		}
	}
}

func testDeleteExpiredSessions(t *testing.T, s Store) {
	u := person("Ada", "ada@example.com")
	create(t, s, u)
	for token, left := range map[string]time.Duration{"over": -time.Hour, "over now": 0, "good": time.Microsecond} {
		a := arrival(u, token)
		a.Session.ExpiresAt = Now().Add(left)
		mustSignIn(t, s, a)
	}
	for _, want := range []int{2, 0} {
		if n, err := s.DeleteExpiredSessions(t.Context(), Now()); n != want || err != nil {
			t.Errorf("%d deleted, want %d; %v", n, want, err)
		}
	}
	if _, err := s.GetSession(t.Context(), session.Hash("good")); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func testCookieKey(t *testing.T, open func() Store) {
	stores := []Store{open(), open(), open()}
	keys := make([]string, 30)
	for _, err := range atOnce(len(keys), func(i int) (err error) {
		keys[i], err = stores[i%len(stores)].CookieKey(t.Context(), keyCreated())
		return err
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	if all := slices.Compact(keys); len(all) != 1 || len(all[0]) < 52 {
		t.Errorf("%d keys, the first of %d characters", len(all), len(all[0]))
	}
}
