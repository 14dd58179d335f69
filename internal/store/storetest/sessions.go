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
	{"a session is read with its user", single(testGetSession)},
	{"an unknown session is not found", single(testNoSession)},
	{"a user's sessions are listed newest first", single(testListSessions)},
	{"a long User-Agent is truncated", single(testLongUserAgent)},
	{"a verification is recorded on the session and on the user", single(testSaveVerification)},
	{"a verification doesn't restore an ended session", single(testSaveVerificationAfterEnd)},
	{"ending sessions writes a job for each", single(testEndSessions)},
	{"expired sessions are deleted", single(testDeleteExpiredSessions)},
	{"the cookie key is created once", testCookieKey},
}

func testGetSession(t *testing.T, s Store) {
	u := member("Ada", "Ada@example.com")
	create(t, s, u)
	created := mustSignIn(t, s, signInRequest(u, "one"))
	want := signInRequest(u, "one").Session
	want.UserID, want.User = u.ID, get(t, s, u.ID)
	if diff := cmp.Diff(want, created); diff != "" {
		t.Errorf("created: -want +got\n%s", diff)
	}
	got, err := s.GetSession(t.Context(), want.TokenHash)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asFound(want), got); diff != "" {
		t.Errorf("got: -want +got\n%s", diff)
	}

	// Changes of the user take effect immediately.
	if _, err := s.ChangeUser(t.Context(), u.ID, set(func(u *directory.User) { u.Role = directory.Admin })); err != nil {
		t.Fatal(err)
	}
	if got, err = s.GetSession(t.Context(), want.TokenHash); err != nil || got.User.Role != directory.Admin {
		t.Errorf("after a change of role: %v, %v", got.User.Role, err)
	}
	remove(t, s, u.ID)
	if _, err := s.GetSession(t.Context(), want.TokenHash); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("of a removed user: %v", err)
	}
}

// asFound returns s without the fields that GetSession leaves out.
func asFound(s session.Session) session.Session {
	s.UserAgent, s.Address = "", ""
	s.User.InvitedBy, s.User.InviteSentAt, s.User.UpdatedAt = "", time.Time{}, time.Time{}
	return s
}

func testNoSession(t *testing.T, s Store) {
	u := member("Ada", "ada@example.com")
	create(t, s, u)
	held := mustSignIn(t, s, signInRequest(u, "one")).TokenHash
	for _, hash := range []string{"", held[:63], held + "0", strings.ToUpper(held), "%", session.Hash("two")} {
		if _, err := s.GetSession(t.Context(), hash); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("%q: %v", hash, err)
		}
	}
	if sessions, err := s.ListSessions(t.Context(), newID()); len(sessions) > 0 || err != nil {
		t.Errorf("of an unknown user: %v, %v", sessions, err)
	}
	if n, err := s.EndSessions(t.Context(), newID(), ending("signed out", func(session.Session) bool { return true })); n != 0 || !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("ending those of an unknown user: %d, %v", n, err)
	}
}

func testListSessions(t *testing.T, s Store) {
	u, other := member("Ada", "ada@example.com"), member("Bob", "bob@example.com")
	create(t, s, u, other)
	mustSignIn(t, s, signInRequest(other, "his"))
	var want []string
	for i, token := range []string{"oldest", "middle", "newest"} {
		a := signInRequest(u, token)
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

func testLongUserAgent(t *testing.T, s Store) {
	u := member("Ada", "ada@example.com")
	create(t, s, u)
	for i, r := range []struct{ userAgent, want string }{
		{"", ""},
		{"Mozilla/5.0 (X11; Linux x86_64) 'quoted' \\ 100%", "Mozilla/5.0 (X11; Linux x86_64) 'quoted' \\ 100%"},
		{strings.Repeat("🚀", 500), strings.Repeat("🚀", 400)},
		{"M\xfcnchen/1.0", "M\uFFFDnchen/1.0"}, // Latin-1, which a header may contain
	} {
		a := signInRequest(u, string(rune('a'+i)))
		a.Session.UserAgent, a.Session.Address = r.userAgent, strings.Repeat("f", 70)
		mustSignIn(t, s, a)
		list, err := s.ListSessions(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		got := list[slices.IndexFunc(list, func(v session.Session) bool { return v.TokenHash == a.Session.TokenHash })]
		if got.UserAgent != r.want || got.Address != strings.Repeat("f", 64) {
			t.Errorf("%q is stored as %q, the address as %q", r.userAgent, got.UserAgent, got.Address)
		}
	}
}

func testSaveVerification(t *testing.T, s Store) {
	u := member("Ada", "ada@example.com")
	create(t, s, u)
	held := mustSignIn(t, s, signInRequest(u, "one"))
	want := held
	want.VerifiedAt, want.ExpiresAt = Now().Add(time.Hour), Now().Add(2*time.Hour)
	want.User.LastSeenAt = want.VerifiedAt
	for range 2 { // the second call changes nothing
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

	// An older verification doesn't move LastSeenAt back.
	if err := s.SaveVerification(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, u.ID).LastSeenAt; !got.Equal(want.VerifiedAt) {
		t.Errorf("LastSeenAt went back to %v", got)
	}
}

func testSaveVerificationAfterEnd(t *testing.T, s Store) {
	u := member("Ada", "ada@example.com")
	create(t, s, u)
	held := mustSignIn(t, s, signInRequest(u, "one"))
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
	u := member("Ada", "ada@example.com")
	create(t, s, u)
	for _, token := range []string{"one", "two", "three"} {
		mustSignIn(t, s, signInRequest(u, token))
	}
	for _, r := range []struct {
		name  string
		match func(session.Session) bool
		want  []string
	}{
		{"none", func(session.Session) bool { return false }, []string{}},
		{"all but one", func(v session.Session) bool { return v.TokenHash != session.Hash("two") }, []string{"session-test-one", "session-test-three"}},
		{"the rest", func(session.Session) bool { return true }, []string{"session-test-two"}},
		{"none are left", func(session.Session) bool { return true }, []string{}},
	} {
		n, err := s.EndSessions(t.Context(), u.ID, ending("signed out", r.match))
		if n != len(r.want) || err != nil {
			t.Errorf("%s: %d, %v", r.name, n, err)
		}
		stytchIDs := []string{}
		for _, j := range jobs(t, s, u) {
			if j.Kind != outbox.RevokeSession || j.UserID != u.ID || !j.DueAt.IsZero() {
				t.Errorf("%s: %+v", r.name, j)
			}
			stytchIDs = append(stytchIDs, j.StytchID)
			if err := s.FinishJob(t.Context(), j.ID); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(stytchIDs)
		if diff := cmp.Diff(r.want, stytchIDs); diff != "" {
			t.Errorf("%s: jobs: -want +got\n%s", r.name, diff)
		}
	}
}

func testDeleteExpiredSessions(t *testing.T, s Store) {
	u := member("Ada", "ada@example.com")
	create(t, s, u)
	for token, left := range map[string]time.Duration{"expired": -time.Hour, "expired now": 0, "good": time.Microsecond} {
		a := signInRequest(u, token)
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
	for _, err := range concurrently(len(keys), func(i int) (err error) {
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
