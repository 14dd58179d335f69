package cli_test

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/cli"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// These tests run commands while an instance is running. testdata/script has the commands'
// errors.

func TestUsersInvite_PersonSignsIn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
		ada := s.NewPerson("ada@example.com")
		got, err := s.Command("users", "invite", ada.Email, "--name", "Ada", "--role", "admin")
		if err != nil {
			t.Fatal(err)
		}
		if want := "Invitation sent to ada@example.com.\n"; got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
		harness.WantPage(t, ada.PressContinue(ada.OpenNextLink()), 200, "My apps", "People", "Ada")
		harness.WantPage(t, ada.Get("/activity"), 200, "Activity", "· by "+app.Operator().Actor+" ada@example.com")

		if got, err = s.Command("sessions", "end", ada.Email); err != nil {
			t.Fatal(err)
		}
		if want := "Ended 1 session of ada@example.com.\n"; got != want {
			t.Errorf("it says %q, want %q", got, want)
		}
		harness.WantPage(t, ada.Get("/users"), 200, "Sign in")
		if n := s.Count("SELECT COUNT(*) FROM stytch_sessions"); n != 0 {
			t.Errorf("%d sessions are left at Stytch", n)
		}
	})
}

func TestUsers_AuditTrailNamesTheOperator(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	operator := app.Operator().Actor
	if _, err := s.Command("users", "invite", "grace@example.com"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Command("users", "remove", "grace@example.com", "--yes"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Command("users", "remove", ada.Email, "--yes"); err == nil || !strings.Contains(err.Error(), "the list needs at least one active administrator") {
		t.Errorf("the last administrator: %v", err)
	}
	events, _, err := s.App.Store.ListEvents(t.Context(), event.Query{By: operator, Limit: event.MaxLimit})
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
	v := ada.CallAPI("GET", "/api/events?kind=user_removed&by="+strings.ReplaceAll(operator, " ", "+"), "")
	if want := `"actor":{"id":"","email":"","name":"` + operator + `"}`; v.Status != 200 || !strings.Contains(v.Body, want) {
		t.Errorf("%d %s, want %s", v.Status, v.Body, want)
	}
}

func TestUsersRemove_InstanceDeliversPendingJobs(t *testing.T) {
	t.Parallel()
	c := harness.NewClock(harness.Noon)
	stytch := harness.NewRemoteStytch(t, c)
	s := harness.Start(t, testdb.SQLite(t), c, stytch.Flags()...)
	ada := stytch.NewPerson(s, "ada@example.com")
	ada.PressContinue(ada.OpenNextLink())
	ada.Invite("grace@example.com")
	stytch.SetFault(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(http.StatusInternalServerError)
	})
	out, err := s.Command("users", "remove", "grace@example.com", "--yes")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out, "Removed grace@example.com and signed them out everywhere. The login service hasn't been told yet") {
		t.Errorf("it says %q", out)
	}
	stytch.SetFault(nil)
	harness.Eventually(t, "Stytch told", func() bool {
		c.Advance(15 * time.Minute)
		return s.Count("SELECT COUNT(*) FROM outbox") == 0
	})
}

func TestUsersRemove_AsksForConfirmation(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
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
		ada.Invite(row.address)
		var out, asked bytes.Buffer
		in := s.Invocation(&out, "users", "remove", row.address)
		in.Interactive, in.Stdin, in.Stderr = true, strings.NewReader(row.typed), &asked
		err := cli.Run(t.Context(), in)
		if removed := err == nil && strings.HasPrefix(out.String(), "Removed "+row.address); removed != row.removed {
			t.Errorf("%s: %v, %q", row.name, err, &out)
		}
		if want := "Remove " + row.address + "? They'll be signed out everywhere. [y/N] "; asked.String() != want {
			t.Errorf("%s: it asks %q, want %q", row.name, &asked, want)
		}
	}
	if n := s.Count("SELECT COUNT(*) FROM users"); n != 4 {
		t.Errorf("%d people are left, want 4", n)
	}
}

func TestUsersList_ManyPages(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	const people = directory.MaxLimit + 5
	for range people {
		u := directory.User{ID: event.New("", harness.Noon, "", "", "").ID, Role: directory.Member, Status: directory.Invited, CreatedAt: harness.Noon, UpdatedAt: harness.Noon}
		u.Email = directory.Email{Display: u.ID + "@example.com", Normalized: u.ID + "@example.com"}
		if err := s.App.Store.CreateUser(t.Context(), directory.NewUser{User: u, Event: event.New(event.UserAdded, harness.Noon, u.ID, u.Email.Normalized, "")}); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range []struct{ limit, want int }{{0, people}, {directory.MaxLimit + 1, directory.MaxLimit + 1}, {3, 3}} {
		for _, asJSON := range []bool{false, true} {
			out, err := s.Command("users", "list", "--limit", strconv.Itoa(row.limit), "--json="+strconv.FormatBool(asJSON))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(out, "@example.com"); n != row.want {
				t.Errorf("limit %d, json %v: %d people, want %d", row.limit, asJSON, n, row.want)
			}
		}
	}
}
