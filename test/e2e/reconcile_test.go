package e2e

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// deletesAtStytch deletes an account through the API of the local Stytch.
func deletesAtStytch(t *testing.T, s *harness.Site, address string) {
	t.Helper()
	client := sdk(t, s)
	found, err := client.Users.Search(t.Context(), &users.SearchParams{Query: &users.SearchUsersQuery{
		Operator: users.SearchUsersQueryOperatorAND, Operands: []map[string]any{{"filter_name": "email_address", "filter_value": []string{address}}},
	}})
	if err != nil || len(found.Results) != 1 {
		t.Fatalf("%s is at Stytch %d times; %v", address, len(found.Results), err)
	}
	if _, err := client.Users.Delete(t.Context(), &users.DeleteParams{UserID: found.Results[0].UserID}); err != nil {
		t.Fatal(err)
	}
}

func TestReconcile_DeletedAtStytchEndsSessions(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{nil, {"--guestlist-base-url=http://localhost:PORT/people"}} {
		testdb.Each(t, func(t *testing.T, databaseURL string) {
			s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), flags...)
			ada, grace := s.NewPerson("ada@example.com"), s.NewPerson("grace@example.com")
			ada.SignIn()
			ada.Invite(grace.Email)
			grace.PressContinue(grace.OpenNextLink())
			deletesAtStytch(t, s, grace.Email)
			harness.Eventually(t, "the webhook's effect", func() bool {
				return s.Count("SELECT COUNT(*) FROM webhooks") > 0 && grace.Get("/profile").Heading() == "Sign in"
			})
			harness.WantPage(t, ada.Get("/users"), 200, "People") // unchanged people keep their session
			harness.WantPage(t, grace.SignIn(), 200, "My apps", "grace@example.com")
			if n := s.Count("SELECT COUNT(*) FROM events WHERE kind = 'stytch_differs'"); n != 1 {
				t.Errorf("the audit trail has %d events", n)
			}
		})
	}
}

// compared returns the output of guestlist reconcile.
func compared(t *testing.T, s *harness.Site, apply bool) string {
	t.Helper()
	out, err := s.Command("reconcile", "--apply="+strconv.FormatBool(apply))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReconcile_Command(t *testing.T) {
	t.Parallel()
	c := harness.NewClock(harness.Noon)
	stytch := harness.NewRemoteStytch(t, c) // does not send its webhooks to s
	s := harness.Start(t, testdb.SQLite(t), c, stytch.Flags()...)
	ada := stytch.NewPerson(s, "ada@example.com")
	ada.PressContinue(ada.OpenNextLink())
	ada.Invite("grace@example.com")
	unknown := stytch.NewPerson(stytch.Site, "stranger@example.com")
	unknown.SignIn() // into the other instance, with the same Stytch

	deletesAtStytch(t, stytch.Site, "ada@example.com")
	const (
		who      = "stranger@example.com: at Stytch, not on the list ("
		gone     = "ada@example.com: account gone at Stytch ("
		signOut  = "signed out at Stytch; the account stays)\n"
		forget   = "signed out here; the next link makes another account)\n"
		counts   = "2 people compared with 2 accounts: 1 missing, 0 changed, 1 strangers; "
		leftOver = "1 people compared with 2 accounts: 0 missing, 0 changed, 1 strangers; 1 fixed\n"
	)
	if diff := cmp.Diff(who+"would be "+signOut+gone+"would be "+forget+counts+"0 fixed\n", compared(t, s, false)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	harness.WantPage(t, ada.Get("/users"), 200, "People")
	if diff := cmp.Diff(who+signOut+gone+forget+counts+"2 fixed\n", compared(t, s, true)); diff != "" {
		t.Errorf("applied: -want +got\n%s", diff)
	}
	harness.WantPage(t, ada.Get("/users"), 200, "Sign in")
	if n := stytch.Site.Count("SELECT COUNT(*) FROM stytch_sessions"); n != 0 {
		t.Errorf("%d sessions are left at Stytch", n)
	}
	if diff := cmp.Diff(who+signOut+leftOver, compared(t, s, true)); diff != "" {
		t.Errorf("again: -want +got\n%s", diff)
	}
	if strings.Contains(s.Log.String(), "level=ERROR") {
		t.Errorf("the log has an error:\n%s", s.Log)
	}
}
