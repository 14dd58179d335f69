package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stytchauth/stytch-go/v16/stytch/consumer/users"

	"github.com/guestlist/guestlist/internal/testdb"
)

// deletesAtStytch deletes somebody's account by the API of the local Stytch.
func deletesAtStytch(t *testing.T, s *site, address string) {
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

func TestSomebodyDeletedAtStytchIsOutOnTheNextRequestAndMayComeBack(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{nil, {"--guestlist-base-url=http://localhost:PORT/people"}} {
		testdb.Each(t, func(t *testing.T, databaseURL string) {
			s := start(t, databaseURL, newClock(noon), flags...)
			ada, grace := s.person("ada@example.com"), s.person("grace@example.com")
			ada.signsIn()
			ada.invites(grace.email)
			grace.continues(grace.opensMail())
			deletesAtStytch(t, s, grace.email)
			eventually(t, "the webhook's effect", func() bool {
				return s.count("SELECT COUNT(*) FROM webhooks") > 0 && grace.get("/profile").Heading() == "Sign in"
			})
			wants(t, ada.get("/users"), 200, "People") // who is as they were is in
			wants(t, grace.signsIn(), 200, "grace@example.com")
			if n := s.count("SELECT COUNT(*) FROM events WHERE kind = 'stytch_differs'"); n != 1 {
				t.Errorf("the trail tells of it %d times", n)
			}
		})
	}
}

// compared is what the command prints.
func compared(t *testing.T, s *site, apply bool) string {
	t.Helper()
	out, err := s.command("reconcile", "--apply="+strconv.FormatBool(apply))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheCommandPrintsWhatDiffersAndMendsItIfAsked(t *testing.T) {
	t.Parallel()
	c := newClock(noon)
	stytch := newRemote(t, c) // sends its webhooks elsewhere
	s := start(t, testdb.SQLite(t), c, stytch.flags()...)
	ada := stytch.person(s, "ada@example.com")
	ada.continues(ada.opensMail())
	ada.invites("grace@example.com")
	stranger := stytch.person(stytch.site, "stranger@example.com")
	stranger.signsIn() // into the other instance, with the same Stytch

	deletesAtStytch(t, stytch.site, "ada@example.com")
	const (
		who      = "stranger@example.com: at Stytch, not on the list ("
		gone     = "ada@example.com: account gone at Stytch ("
		signOut  = "signed out at Stytch; the account stays)\n"
		forget   = "signed out here; the next link makes another account)\n"
		counts   = "2 people compared with 2 accounts: 1 missing, 0 changed, 1 strangers; "
		leftOver = "1 people compared with 2 accounts: 0 missing, 0 changed, 1 strangers; 1 mended\n"
	)
	if diff := cmp.Diff(who+"would be "+signOut+gone+"would be "+forget+counts+"0 mended\n", compared(t, s, false)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	wants(t, ada.get("/users"), 200, "People")
	if diff := cmp.Diff(who+signOut+gone+forget+counts+"2 mended\n", compared(t, s, true)); diff != "" {
		t.Errorf("applied: -want +got\n%s", diff)
	}
	wants(t, ada.get("/users"), 200, "Sign in")
	if n := stytch.site.count("SELECT COUNT(*) FROM stytch_sessions"); n != 0 {
		t.Errorf("%d sessions are left at Stytch", n)
	}
	if diff := cmp.Diff(who+signOut+leftOver, compared(t, s, true)); diff != "" {
		t.Errorf("again: -want +got\n%s", diff)
	}
	if strings.Contains(s.log.String(), "level=ERROR") {
		t.Errorf("the log has an error:\n%s", s.log)
	}
}
