package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// tokenClient returns a function that calls the API with a token and nothing else.
func tokenClient(s *harness.Site, secret string) func(method, path, body string) harness.View {
	visitor := harness.NewVisitor(s)
	return func(method, path, body string) harness.View {
		s.T.Helper()
		r, err := http.NewRequestWithContext(s.T.Context(), method, s.URL+path, strings.NewReader(body))
		if err != nil {
			s.T.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		v, err := visitor.Try(r, harness.NoRedirects)
		if err != nil {
			s.T.Fatal(err)
		}
		return v
	}
}

func TestToken_UntilItExpiresOrIsRevoked(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, start harness.StartFunc) {
		testdb.Each(t, func(t *testing.T, databaseURL string) {
			s := start(t, databaseURL, harness.NewClock(harness.Noon))
			ada, grace := s.NewPerson("ada@example.com"), s.NewPerson("grace@example.com")
			ada.SignIn()
			early := ada.Get("/profile")
			secret := ada.MakeToken("deploy", "write", "7")
			call, reads := tokenClient(s, secret), tokenClient(s, ada.MakeToken("statistics", "read", "30"))

			wantStatus := func(v harness.View, status int, text string) {
				t.Helper()
				if v.Status != status || !strings.Contains(v.Body, text) {
					t.Errorf("%s: %d %s, want %d %s", v.Path, v.Status, v.Body, status, text)
				}
			}
			wantStatus(call("POST", "/api/invite_user", `{"email":"grace@example.com","role":"admin"}`), 200, "magic link sent")
			var found struct{ Users []struct{ ID string } }
			if err := json.Unmarshal([]byte(reads("GET", "/api/users?q=grace", "").Body), &found); err != nil || len(found.Users) != 1 {
				t.Fatalf("grace is not found: %v, %v", found, err)
			}
			graces := found.Users[0].ID
			wantStatus(reads("POST", "/api/users", `{"email":"eve@example.com"}`), 403, "may only read")
			wantStatus(call("GET", "/api/events?kind=user_invited&by=ada@example.com", ""), 200, "grace@example.com")
			harness.WantPage(t, ada.Get("/activity"), 200, "Activity", "by ada@example.com · with the API token deploy")
			wantStatus(reads("GET", "/api/events?kind=action_refused", ""), 200, `"token":"statistics"`)
			wantStatus(call("GET", "/api/session", ""), 200, `"name":"deploy"`)
			wantStatus(call("POST", "/api/logout", ""), 403, "API tokens do not open this")
			wantStatus(call("GET", "/users", ""), 403, "API tokens are for programs")
			harness.WantPage(t, ada.Get("/profile"), 200, "ada@example.com", "last used just now")
			harness.WantPage(t, ada.Get("/activity"), 200, "Activity", "API token created: deploy (write, until 2026-03-08)")

			// The first expires after a week; ada revokes the other.
			s.Clock.Advance(7*24*time.Hour - time.Second)
			wantStatus(call("GET", "/api/users", ""), 200, "grace@example.com")
			s.Clock.Advance(time.Second)
			wantStatus(call("GET", "/api/users", ""), 401, "API token has expired")
			ada.SignIn()
			question := harness.FollowLink(t, ada, ada.Get("/profile"), "Revoke…")
			harness.WantPage(t, question, 200, "Revoke statistics?")
			harness.WantPage(t, ada.Submit(question, "Revoke statistics"), 200, "ada@example.com", "Revoked statistics", "deploy Expired")
			wantStatus(reads("GET", "/api/users", ""), 401, "API token is unknown or was revoked")

			// Others end when their owner is no longer an administrator, or are revoked by an operator.
			grace.SignIn()
			call = tokenClient(s, grace.MakeToken("backup", "read", "365"))
			wantStatus(call("GET", "/api/users", ""), 200, "grace@example.com")
			ada.CallAPI("PATCH", "/api/users/"+graces, `{"role":"member"}`)
			wantStatus(call("GET", "/api/users", ""), 401, "API token is unknown or was revoked")
			if v := grace.Get("/profile"); strings.Contains(v.Text(), "API tokens") {
				t.Errorf("a member has tokens: %s", v.Text())
			}
			call = tokenClient(s, ada.MakeTokenFrom(early, "cron", "read", "90")) // the last in the list, although its form was loaded first
			out, err := s.Command("tokens", "list", "--json")
			if err != nil {
				t.Fatal(err)
			}
			var list struct {
				Tokens []struct{ ID, Name, Email string }
			}
			if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Tokens) != 2 || list.Tokens[1].Email != "ada@example.com" {
				t.Fatalf("%v: %s", err, out)
			}
			if out, err := s.Command("tokens", "end", list.Tokens[1].ID); err != nil || !strings.HasSuffix(out, "Ended 1 API token.\n") {
				t.Errorf("%v: %s", err, out)
			}
			wantStatus(call("GET", "/api/users", ""), 401, "API token is unknown or was revoked")
			leaked := ada.MakeToken("leaked", "read", "7")
			if out, err := s.Command("tokens", "end", leaked); err != nil || !strings.HasSuffix(out, "Ended 1 API token.\n") {
				t.Errorf("%v: %s", err, out)
			}
			wantStatus(tokenClient(s, leaked)("GET", "/api/users", ""), 401, "API token is unknown or was revoked")
			if _, err := s.Command("tokens", "end", leaked); err == nil || strings.Contains(err.Error(), leaked) {
				t.Errorf("ended twice: %v", err)
			}
			if out, err := s.Command("tokens", "end", ada.Email); err != nil || s.Count("SELECT COUNT(*) FROM tokens") != 0 {
				t.Errorf("%v: %s", err, out)
			}
			harness.WantPage(t, ada.Get("/activity"), 200, "Activity", "API token revoked: backup: no longer an active administrator", "on the command line")
		})
	})
}
