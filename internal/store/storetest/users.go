package storetest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/limit"
	"github.com/guestlist/guestlist/internal/outbox"
	"github.com/guestlist/guestlist/internal/session"
)

var userRows = []row{
	{"a user is read as written", single(testRoundTrip)},
	{"invisible characters that an earlier release stored are removed when read", single(testInvisible)},
	{"a time is read in UTC with its microseconds", single(testTimes)},
	{"a user is found by any spelling of their address", single(testGetByEmail)},
	{"an unknown user is not found", single(testNotFound)},
	{"an address is unique", single(testEmailTaken)},
	{"the jobs of a new user are written with them", single(testCreateWithJobs)},
	{"administrators are counted, except suspended ones", single(testCountAdmins)},
	{"a cancelled call returns the context's error and changes nothing", single(testCancelled)},
}

func testRoundTrip(t *testing.T, s Store) {
	for what, name := range map[string]string{
		"plain":           "Ada Lovelace",
		"no name":         "",
		"accents":         "Zoë Strauß-Őry",
		"other scripts":   "王小明 Ελένη Ольга محمد",
		"emoji":           "👩‍🚀 Sally 🚀",
		"composed and de": "é e\u0301",
		"quotes":          `Robert'); DROP TABLE users; -- "Bob" ` + "`x`",
		"pattern":         `100% _under_ \back\\slash\0`,
		"markup":          "<script>alert(1)</script> &amp; ?1 :v1",
		"100 characters":  strings.Repeat("ä", directory.MaxName),
		"400 bytes":       strings.Repeat("🚀", directory.MaxName),
		"unfolds":         strings.Repeat("ﬃ", directory.MaxName), // three characters each when folded
		"spaces inside":   "a  b",
	} {
		want := member(name, newID()+"@example.com")
		want.InvitedBy, want.InviteSentAt = newID(), ago(2*time.Hour)
		create(t, s, want)
		if diff := cmp.Diff(want, get(t, s, want.ID)); diff != "" {
			t.Errorf("%s: -want +got\n%s", what, diff)
		}
	}

	longest := member("", strings.Repeat("l", 64)+"@"+strings.Repeat("d", 63)+"."+strings.Repeat("e", 63)+"."+strings.Repeat("f", 57)+".com")
	if n := len(longest.Email.Normalized); n != directory.MaxEmail {
		t.Fatalf("the longest address has %d bytes", n)
	}
	create(t, s, longest)
	if diff := cmp.Diff(longest, get(t, s, longest.ID)); diff != "" {
		t.Errorf("the longest address: -want +got\n%s", diff)
	}
}

func testInvisible(t *testing.T, s Store) {
	for stored, want := range map[string]string{"\u202eevE": "evE", "\u200b\u2060": "", "\u3164": "", "A\u00adda\u2066": "Ada"} {
		u := member(stored, newID()+"@example.com")
		u.Email.Display = strings.ToUpper(u.Email.Display) + "\u200b"
		create(t, s, u)
		got := get(t, s, u.ID)
		if got.Name != want || got.Email.Display != strings.ToUpper(u.Email.Normalized) {
			t.Errorf("%+q came back as %+q of %+q", stored, got.Name, got.Email.Display)
		}
		e := event.New(event.UserEdited, Now(), u.ID, u.Email.Normalized, stored)
		e.Changes = []event.Change{{Field: "name", Old: stored + "x", New: "x" + stored}}
		if err := s.AddEvents(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		for _, e := range events(t, s, event.Query{Person: u.ID, Kind: event.UserEdited}) {
			if diff := cmp.Diff([]event.Change{{Field: "name", Old: want + "x", New: "x" + want}}, e.Changes); diff != "" || e.Reason != want {
				t.Errorf("%+q came back as %+q (-want +got)\n%s", stored, e.Reason, diff)
			}
		}
		created := mustSignIn(t, s, signInRequest(u, u.ID))
		held, err := s.GetSession(t.Context(), created.TokenHash)
		if err != nil || held.User.Name != want || held.User.Email.Display != strings.ToUpper(u.Email.Normalized) {
			t.Errorf("the session of %+q has %+q of %+q, %v", stored, held.User.Name, held.User.Email.Display, err)
		}
	}
}

func testTimes(t *testing.T, s Store) {
	zurich := time.FixedZone("Zürich", 2*60*60)
	u := member("Ada", "ada@example.com")
	u.CreatedAt = time.Date(2026, 7, 1, 1, 30, 0, 1999, zurich)               // a nanosecond less than two microseconds
	u.UpdatedAt = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)    // the maximum
	u.LastSeenAt, u.InviteSentAt = time.Time{}, time.Unix(0, 1000).In(zurich) // never, and the minimum
	create(t, s, u)

	want := u
	want.CreatedAt = time.Date(2026, 6, 30, 23, 30, 0, 1000, time.UTC)
	want.InviteSentAt = time.Unix(0, 1000).UTC()
	got := get(t, s, u.ID)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got.CreatedAt.Location() != time.UTC {
		t.Errorf("created at %v, want UTC", got.CreatedAt)
	}
	if !got.LastSeenAt.IsZero() {
		t.Errorf("last seen at %v, want never", got.LastSeenAt)
	}
}

func testGetByEmail(t *testing.T, s Store) {
	u := member("Ada", "Ada.Lovelace@Bücher.Example")
	create(t, s, u, member("Ida", "ida.lovelace@bücher.example"))
	for _, address := range []string{"Ada.Lovelace@Bücher.Example", "ADA.LOVELACE@BÜCHER.EXAMPLE", "ada.lovelace@xn--bcher-kva.example"} {
		got, err := s.GetUserByEmail(t.Context(), mustParse(address))
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if diff := cmp.Diff(u, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", address, diff)
		}
	}
}

func testNotFound(t *testing.T, s Store) {
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	for _, id := range []string{newID(), ada.ID + " ", " " + ada.ID, ada.ID + "\t", strings.ToUpper(ada.ID), "", "%", "' OR '1'='1", "\x00"} {
		if _, err := s.GetUser(t.Context(), id); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("GetUser(%q): %v", id, err)
		}
		_, err := s.ChangeUser(t.Context(), id, func(directory.RuleState) (directory.Change, error) {
			t.Errorf("ChangeUser(%q) runs the rule", id)
			return directory.Change{}, nil
		})
		if !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("ChangeUser(%q): %v", id, err)
		}
	}
	for _, address := range []string{"ad@example.com", "ada@example.co", "ada+1@example.com", "_da@example.com"} {
		if _, err := s.GetUserByEmail(t.Context(), mustParse(address)); !errors.Is(err, directory.ErrNotFound) {
			t.Errorf("GetUserByEmail(%s): %v", address, err)
		}
	}
}

func testEmailTaken(t *testing.T, s Store) {
	create(t, s, member("Ada", "ada@example.com"))
	for _, address := range []string{"ada@example.com", "ADA@example.com", "Ada@Example.COM"} {
		again := member("Eve", address)
		job := outbox.New(outbox.Invite, again.Email.Normalized, again.ID, "", "", Now())
		if err := s.CreateUser(t.Context(), directory.NewUser{User: again, Event: event.New(event.UserAdded, again.CreatedAt, again.ID, again.Email.Normalized, ""), Jobs: []outbox.Job{job}}); !errors.Is(err, directory.ErrEmailTaken) {
			t.Errorf("%s: %v", address, err)
		}
		if left := jobs(t, s, again); len(left) > 0 {
			t.Errorf("%s leaves %v", address, left)
		}
	}
	create(t, s, member("Ada", "ada+2@example.com"), member("Ada", "a.da@example.com"))
}

func testCreateWithJobs(t *testing.T, s Store) {
	u := member("Ada", "Ada@example.com")
	want := outbox.New(outbox.Invite, u.Email.Normalized, u.ID, "", u.Name, Now())
	if err := s.CreateUser(t.Context(), directory.NewUser{User: u, Event: event.New(event.UserAdded, u.CreatedAt, u.ID, u.Email.Normalized, ""), Jobs: []outbox.Job{want}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]outbox.Job{want}, jobs(t, s, u)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func testCountAdmins(t *testing.T, s Store) {
	if n, err := s.CountAdmins(t.Context()); n != 0 || err != nil {
		t.Errorf("in an empty directory: %d, %v", n, err)
	}
	invited, suspended := admin("", "invited@example.com"), admin("", "suspended@example.com")
	invited.Status, suspended.Status = directory.Invited, directory.Suspended
	create(t, s, admin("", "active@example.com"), invited, suspended, member("", "member@example.com"))
	if n, err := s.CountAdmins(t.Context()); n != 2 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

func testCancelled(t *testing.T, s Store) {
	ada := member("Ada", "ada@example.com")
	create(t, s, ada)
	job := outbox.New(outbox.Invite, ada.Email.Normalized, ada.ID, "", "Ada", Now())
	if err := s.AddJob(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	held := mustSignIn(t, s, signInRequest(ada, "one"))
	before := state(t, s, ada)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls := map[string]func() error{
		"CreateUser": func() error {
			return s.CreateUser(ctx, directory.NewUser{User: member("Bob", "bob@example.com"), Event: event.Event{}})
		},
		"GetUser":        func() error { _, err := s.GetUser(ctx, ada.ID); return err },
		"GetUserByEmail": func() error { _, err := s.GetUserByEmail(ctx, ada.Email); return err },
		"CountAdmins":    func() error { _, err := s.CountAdmins(ctx); return err },
		"ListUsers": func() error {
			_, err := s.ListUsers(ctx, directory.Query{Sort: directory.ByName, Limit: 10})
			return err
		},
		"ListJobs": func() error { _, err := s.ListJobs(ctx, ada.Email); return err },
		"ChangeUser": func() error {
			_, err := s.ChangeUser(ctx, ada.ID, func(directory.RuleState) (directory.Change, error) {
				return directory.Change{User: ada, Remove: true, EndSession: endAll(ada, "removed")}, nil
			})
			return err
		},
		"CreateSession":    func() error { _, err := signIn(ctx, s, signInRequest(ada, "two")); return err },
		"GetSession":       func() error { _, err := s.GetSession(ctx, held.TokenHash); return err },
		"ListSessions":     func() error { _, err := s.ListSessions(ctx, ada.ID); return err },
		"SaveVerification": func() error { return s.SaveVerification(ctx, signInRequest(ada, "one").Session) },
		"EndSessions": func() error {
			_, err := s.EndSessions(ctx, ada.ID, ending("signed out", func(session.Session) bool { return true }))
			return err
		},
		"AddJob": func() error {
			return s.AddJob(ctx, outbox.New(outbox.RevokeInvite, ada.Email.Normalized, ada.ID, "", "", Now()))
		},
		"LeaseJob":       func() error { _, err := s.LeaseJob(ctx, "", Now(), Now().Add(time.Minute)); return err },
		"FinishJob":      func() error { return s.FinishJob(ctx, job.ID) },
		"FinishInvite":   func() error { return s.FinishInvite(ctx, job.Sent("user-test-1", Now())) },
		"RetryJob":       func() error { return s.RetryJob(ctx, job.ID, Now(), "no") },
		"ParkJob":        func() error { return s.ParkJob(ctx, job.Park(Now(), "no")) },
		"AddEvents":      func() error { return s.AddEvents(ctx, event.New(event.SignInRefused, Now(), "", "", "no")) },
		"ListEvents":     func() error { _, _, err := s.ListEvents(ctx, event.Query{Limit: 10}); return err },
		"DeleteEvents":   func() error { _, err := s.DeleteEvents(ctx, Now()); return err },
		"TakeLimits":     func() error { _, err := s.TakeLimits(ctx, Now(), nil, limit.NewBucket("x", "", rate)); return err },
		"ReadLimits":     func() error { _, err := s.ReadLimits(ctx, limit.NewBucket("x", "", rate)); return err },
		"DeleteLimits":   func() error { _, err := s.DeleteLimits(ctx, Now(), Now()); return err },
		"RecordSettings": func() error { return s.RecordSettings(ctx, map[string]string{"a": "b"}, nil, settingsChanged()) },
		"CookieKey":      func() error { _, err := s.CookieKey(ctx, keyCreated()); return err },
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if diff := cmp.Diff(before, state(t, s, ada)); diff != "" {
		t.Errorf("-before +after\n%s", diff)
	}
}

// userState is everything stored about a user.
type userState struct {
	User     directory.User
	Total    int
	Jobs     []outbox.Job
	Sessions []session.Session
}

// state returns the state of a user.
func state(t *testing.T, s Store, u directory.User) userState {
	t.Helper()
	page, err := s.ListUsers(t.Context(), directory.Query{Sort: directory.ByName, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := s.ListSessions(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	return userState{User: get(t, s, u.ID), Total: page.Total, Jobs: jobs(t, s, u), Sessions: sessions}
}
