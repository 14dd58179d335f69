package main

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testdb"
)

// Commands beside an instance that serves; what each is misused for is in
// testdata/script.

func TestWhoIsInvitedOnTheCommandLineSignsInWhereItServes(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := start(t, databaseURL, newClock(noon))
		ada := s.person("ada@example.com")
		var out bytes.Buffer
		if err := invite(t.Context(), s.cfg, s.console(&out), directory.UserInput{Email: ada.email, Name: "Ada", Role: "admin"}, false, false); err != nil {
			t.Fatal(err)
		}
		if got, want := out.String(), "Invitation sent to ada@example.com.\n"; got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
		wants(t, ada.continues(ada.opensMail()), 200, "People", "Ada")
		wants(t, ada.get("/activity"), 200, "Activity", "· by "+event.OriginOf(withOperator(t.Context())).Actor+" ada@example.com")

		out.Reset()
		if err := endSessions(t.Context(), s.cfg, s.console(&out), ada.email, false); err != nil {
			t.Fatal(err)
		}
		if got, want := out.String(), "Ended 1 session of ada@example.com.\n"; got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
		wants(t, ada.get("/users"), 200, "Sign in")
		if n := s.count("SELECT COUNT(*) FROM stytch_sessions"); n != 0 {
			t.Errorf("%d sessions are left at Stytch", n)
		}
	})
}

func TestTheTrailSaysWhoDidItOnTheCommandLine(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon))
	ada := s.person("ada@example.com")
	ada.signsIn()
	operator := event.OriginOf(withOperator(t.Context())).Actor
	if err := invite(t.Context(), s.cfg, s.console(&bytes.Buffer{}), directory.UserInput{Email: "grace@example.com"}, false, false); err != nil {
		t.Fatal(err)
	}
	con := s.console(&bytes.Buffer{})
	if err := remove(t.Context(), s.cfg, con, "grace@example.com", true); err != nil {
		t.Fatal(err)
	}
	if err := remove(t.Context(), s.cfg, con, ada.email, true); err == nil || !strings.Contains(err.Error(), "somebody must be able to administer the list") {
		t.Errorf("the last administrator: %v", err)
	}
	events, _, err := s.app.store.ListEvents(t.Context(), event.Query{By: operator, Limit: event.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []event.Kind
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	if want := []event.Kind{event.ActionRefused, event.UserRemoved, event.UserInvited}; !slices.Equal(kinds, want) {
		t.Errorf("on record are %v, want %v", kinds, want)
	}
	v := ada.calls("GET", "/api/events?kind=user_removed&by="+strings.ReplaceAll(operator, " ", "+"), "")
	if want := `"actor":{"id":"","email":"","name":"` + operator + `"}`; v.status != 200 || !strings.Contains(v.body, want) {
		t.Errorf("%d %s, want %s", v.status, v.body, want)
	}
}

func TestWhatStytchCouldNotHearFromACommandItHearsFromTheInstanceThatServes(t *testing.T) {
	t.Parallel()
	c := newClock(noon)
	stytch := newRemote(t, c)
	s := start(t, testdb.SQLite(t), c, stytch.flags()...)
	ada := stytch.person(s, "ada@example.com")
	ada.continues(ada.opensMail())
	ada.invites("grace@example.com")
	stytch.fails(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(http.StatusInternalServerError)
	})
	var out bytes.Buffer
	if err := remove(t.Context(), s.cfg, s.console(&out), "grace@example.com", true); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "Removed grace@example.com: off the list, and signed out everywhere. Stytch has not heard of it yet") {
		t.Errorf("it says %q", &out)
	}
	stytch.fails(nil)
	eventually(t, "Stytch told", func() bool {
		c.advance(15 * time.Minute)
		return s.count("SELECT COUNT(*) FROM outbox") == 0
	})
}

func TestNobodyIsRemovedWithoutConsent(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon))
	ada := s.person("ada@example.com")
	ada.signsIn()
	for _, row := range []struct {
		name, address, typed string
		removed              bool
	}{
		{"no", "no@example.com", "n\n", false},
		{"nothing but the return key", "return@example.com", "\n", false},
		{"the end of the input", "end@example.com", "", false},
		{"yes", "yes@example.com", "yes\n", true},
		{"y", "y@example.com", "Y\n", true},
	} {
		ada.invites(row.address)
		var out, asked bytes.Buffer
		con := s.console(&out)
		con.interactive, con.in, con.err = true, strings.NewReader(row.typed), &asked
		err := remove(t.Context(), s.cfg, con, row.address, false)
		if removed := err == nil && strings.HasPrefix(out.String(), "Removed "+row.address); removed != row.removed {
			t.Errorf("%s: %v, %q", row.name, err, &out)
		}
		if want := "Remove " + row.address + "? They are signed out everywhere. [y/N] "; asked.String() != want {
			t.Errorf("%s: it asks %q, want %q", row.name, &asked, want)
		}
	}
	if n := s.count("SELECT COUNT(*) FROM users"); n != 4 {
		t.Errorf("%d people are left, want 4", n)
	}
}

func TestTheWholeListIsPrintedPageByPage(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon))
	const people = directory.MaxLimit + 5
	for range people {
		u := directory.User{ID: event.New("", noon, "", "", "").ID, Role: directory.Member, Status: directory.Invited, CreatedAt: noon, UpdatedAt: noon}
		u.Email = directory.Email{Display: u.ID + "@example.com", Normalized: u.ID + "@example.com"}
		if err := s.app.store.CreateUser(t.Context(), u, event.New(event.UserAdded, noon, u.ID, u.Email.Normalized, "")); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct{ limit, want int }{{0, people}, {directory.MaxLimit + 1, directory.MaxLimit + 1}, {3, 3}} {
		for _, asJSON := range []bool{false, true} {
			var out bytes.Buffer
			if err := listUsers(t.Context(), s.cfg, s.console(&out), listFlags{limit: row.limit, asJSON: asJSON}); err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(out.String(), "@example.com"); n != row.want {
				t.Errorf("limit %d, json %v: %d people, want %d", row.limit, asJSON, n, row.want)
			}
		}
	}
}
