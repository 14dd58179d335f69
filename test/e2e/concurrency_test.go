package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

const fifty = 50

func TestSignIn_FiftyPeopleConcurrently(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
		ada := s.NewPerson("ada@example.com")
		ada.SignIn()
		people := make([]*harness.Person, fifty)
		presses := make([]*http.Request, fifty)
		for i := range people {
			people[i] = s.NewPerson(fmt.Sprintf("person%d@example.com", i))
			ada.Invite(people[i].Email)
			presses[i] = people[i].ContinueRequest(people[i].NextLink())
		}

		answers := make([]harness.Outcome, fifty)
		harness.Concurrently(fifty, func(i int) { answers[i] = people[i].TryOutcome(presses[i]) })
		for i, p := range people {
			if answers[i] != (harness.Outcome{Status: http.StatusSeeOther, Location: "/apps"}) {
				t.Errorf("%s got %v", p.Email, answers[i])
			}
			var who struct{ User struct{ Email string } }
			if err := json.Unmarshal([]byte(p.Get("/api/session").Body), &who); err != nil || who.User.Email != p.Email {
				t.Errorf("%s is signed in as %q, %v", p.Email, who.User.Email, err)
			}
			if n := s.Count("SELECT COUNT(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.email_key = ?", p.Email); n != 1 {
				t.Errorf("%s has %d sessions", p.Email, n)
			}
		}
		if n := s.Count("SELECT COUNT(*) FROM stytch_sessions"); n != fifty+1 {
			t.Errorf("there are %d sessions at Stytch, want %d", n, fifty+1)
		}
	})
}

func TestSignIn_OneLinkConcurrently(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off")
		ada := s.NewPerson("ada@example.com")
		ada.RequestLink()
		link := ada.NextLink()
		browsers := make([]*harness.Person, fifty)
		presses := make([]*http.Request, fifty)
		for i := range browsers {
			browsers[i] = ada.InNewBrowser()
			presses[i] = browsers[i].ContinueRequest(link)
		}

		answers := make([]harness.Outcome, fifty)
		harness.Concurrently(fifty, func(i int) { answers[i] = browsers[i].TryOutcome(presses[i]) })
		want := map[harness.Outcome]int{{Status: http.StatusSeeOther, Location: "/apps"}: 1, {Status: http.StatusGone, Location: ""}: fifty - 1}
		if diff := cmp.Diff(want, harness.Tally(answers)); diff != "" {
			t.Error(diff)
		}
		if here, there := s.Count("SELECT COUNT(*) FROM sessions"), s.Count("SELECT COUNT(*) FROM stytch_sessions"); here != 1 || there != 1 {
			t.Errorf("there are %d sessions here and %d at Stytch", here, there)
		}
	})
}

func TestInvite_OneAddressConcurrently(t *testing.T) {
	t.Parallel()
	doors := []struct {
		name, path, contentType, body string
		want                          map[harness.Outcome]int
	}{
		{
			name: "by the page", path: "/users", contentType: "application/x-www-form-urlencoded", body: "email=%s",
			want: map[harness.Outcome]int{{Status: http.StatusSeeOther, Location: "/users"}: fifty}, // as if one administrator pressed the button again
		},
		{
			name: "by adding", path: "/api/users", contentType: "application/json", body: `{"email":"%s"}`,
			want: map[harness.Outcome]int{{Status: http.StatusCreated, Location: "/api/users/"}: 1, {Status: http.StatusConflict, Location: ""}: fifty - 1},
		},
		{
			name: "by inviting, which may be repeated", path: "/api/invite_user", contentType: "application/json", body: `{"email":"%s"}`,
			want: map[harness.Outcome]int{{Status: http.StatusOK, Location: ""}: fifty},
		},
	}
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off")
		ada := s.NewPerson("ada@example.com")
		ada.SignIn()
		for i, door := range doors {
			t.Run(door.name, func(t *testing.T) {
				address := fmt.Sprintf("grace%d@example.com", i)
				spellings := []string{address, strings.ToUpper(address), "Grace" + strings.TrimPrefix(address, "grace")}
				answers := make([]harness.Outcome, fifty)
				harness.Concurrently(fifty, func(i int) {
					spelling := url.QueryEscape(spellings[i%3])
					if door.contentType == "application/json" {
						spelling = spellings[i%3]
					}
					r := ada.NewRequest("POST", s.URL+door.path, strings.NewReader(fmt.Sprintf(door.body, spelling)))
					r.Header.Set("Content-Type", door.contentType)
					answers[i] = ada.TryOutcome(r)
					switch {
					case strings.HasPrefix(answers[i].Location, "/api/users/"):
						answers[i].Location = "/api/users/"
					case answers[i].Status == http.StatusAccepted: // the mail of a later request is still queued
						answers[i].Status = http.StatusOK
					}
				})
				if diff := cmp.Diff(door.want, harness.Tally(answers)); diff != "" {
					t.Error(diff)
				}
				if n := s.Count("SELECT COUNT(*) FROM users WHERE email_key = ?", address); n != 1 {
					t.Errorf("%d rows have the address", n)
				}
			})
		}
		harness.Eventually(t, "everything handed over", func() bool { return s.Count("SELECT COUNT(*) FROM outbox") == 0 })
		if n := s.Count("SELECT COUNT(*) FROM users WHERE invite_sent_at > 0"); n != 2 {
			t.Errorf("%d of the two people invited are shown as invited", n)
		}
	})
}
