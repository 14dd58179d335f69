package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
)

// makesToken makes an API token on the profile and returns it, as it stands there.
func (p *person) makesToken(name, scope, days string) string {
	p.t.Helper()
	return p.makesTokenFrom(p.get("/profile"), name, scope, days)
}

// makesTokenFrom does so on a profile that may have been open for a while.
func (p *person) makesTokenFrom(profile view, name, scope, days string) string {
	p.t.Helper()
	v := p.submits(profile, "Create token", "Token name", name, "Access", scope, "Expires in", days)
	_, rest, _ := strings.Cut(v.body, `value="guestlist_`)
	secret, _, ok := strings.Cut("guestlist_"+rest, `"`)
	if !ok || !strings.Contains(v.Text(), "Made the token "+name) {
		p.t.Fatalf("no token is shown: %d %s", v.status, v.Text())
	}
	p.site.log.secret(secret)
	return secret
}

// script is a program that has nothing but a token.
func (s *site) script(secret string) func(method, path, body string) view {
	nobody := newcomer(s)
	return func(method, path, body string) view {
		s.t.Helper()
		r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		v, err := nobody.try(r, followNothing)
		if err != nil {
			s.t.Fatal(err)
		}
		return v
	}
}

func TestAProgramWorksByATokenUntilItEnds(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, start starter) {
		testdb.Each(t, func(t *testing.T, databaseURL string) {
			s := start(t, databaseURL, newClock(noon))
			ada, grace := s.person("ada@example.com"), s.person("grace@example.com")
			ada.signsIn()
			early := ada.get("/profile")
			secret := ada.makesToken("deploy", "write", "7")
			call, reads := s.script(secret), s.script(ada.makesToken("statistics", "read", "30"))

			wantStatus := func(v view, status int, text string) {
				t.Helper()
				if v.status != status || !strings.Contains(v.body, text) {
					t.Errorf("%s: %d %s, want %d %s", v.path, v.status, v.body, status, text)
				}
			}
			wantStatus(call("POST", "/api/invite_user", `{"email":"grace@example.com","role":"admin"}`), 200, "magic link sent")
			var found struct{ Users []struct{ ID string } }
			if err := json.Unmarshal([]byte(reads("GET", "/api/users?q=grace", "").body), &found); err != nil || len(found.Users) != 1 {
				t.Fatalf("grace is not found: %v, %v", found, err)
			}
			graces := found.Users[0].ID
			wantStatus(reads("POST", "/api/users", `{"email":"eve@example.com"}`), 403, "may only read")
			wantStatus(call("GET", "/api/events?kind=user_invited&by=ada@example.com", ""), 200, "grace@example.com")
			wants(t, ada.get("/activity"), 200, "Activity", "by ada@example.com · with the API token deploy")
			wantStatus(reads("GET", "/api/events?kind=action_refused", ""), 200, `"token":"statistics"`)
			wantStatus(call("GET", "/api/session", ""), 200, `"name":"deploy"`)
			wantStatus(call("POST", "/api/logout", ""), 403, "API tokens do not open this")
			wantStatus(call("GET", "/users", ""), 403, "API tokens are for programs")
			wants(t, ada.get("/profile"), 200, "ada@example.com", "last used just now")
			wants(t, ada.get("/activity"), 200, "Activity", "API token made: deploy (write, until 2026-03-08)")

			// It ends with its week, the other in ada's hands.
			s.clock.advance(7*24*time.Hour - time.Second)
			wantStatus(call("GET", "/api/users", ""), 200, "grace@example.com")
			s.clock.advance(time.Second)
			wantStatus(call("GET", "/api/users", ""), 401, "API token has expired")
			ada.signsIn()
			question := follows(t, ada, ada.get("/profile"), "Revoke…")
			wants(t, question, 200, "Revoke statistics?")
			wants(t, ada.submits(question, "Revoke statistics"), 200, "ada@example.com", "Revoked statistics", "deploy Expired")
			wantStatus(reads("GET", "/api/users", ""), 401, "API token is unknown or was revoked")

			// Another ends when its person is an administrator no more, or by an operator.
			grace.signsIn()
			call = s.script(grace.makesToken("backup", "read", "365"))
			wantStatus(call("GET", "/api/users", ""), 200, "grace@example.com")
			ada.calls("PATCH", "/api/users/"+graces, `{"role":"member"}`)
			wantStatus(call("GET", "/api/users", ""), 401, "API token is unknown or was revoked")
			if v := grace.get("/profile"); strings.Contains(v.Text(), "API tokens") {
				t.Errorf("a member has tokens: %s", v.Text())
			}
			call = s.script(ada.makesTokenFrom(early, "cron", "read", "90")) // the last in the list, though its form is the oldest
			out, err := s.command("tokens", "list", "--json")
			if err != nil {
				t.Fatal(err)
			}
			var list struct {
				Tokens []struct{ ID, Name, Email string }
			}
			if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Tokens) != 2 || list.Tokens[1].Email != "ada@example.com" {
				t.Fatalf("%v: %s", err, out)
			}
			if out, err := s.command("tokens", "end", list.Tokens[1].ID); err != nil || !strings.HasSuffix(out, "Ended 1 API token.\n") {
				t.Errorf("%v: %s", err, out)
			}
			wantStatus(call("GET", "/api/users", ""), 401, "API token is unknown or was revoked")
			leaked := ada.makesToken("leaked", "read", "7")
			if out, err := s.command("tokens", "end", leaked); err != nil || !strings.HasSuffix(out, "Ended 1 API token.\n") {
				t.Errorf("%v: %s", err, out)
			}
			wantStatus(s.script(leaked)("GET", "/api/users", ""), 401, "API token is unknown or was revoked")
			if _, err := s.command("tokens", "end", leaked); err == nil || strings.Contains(err.Error(), leaked) {
				t.Errorf("ended twice: %v", err)
			}
			if out, err := s.command("tokens", "end", ada.email); err != nil || s.count("SELECT COUNT(*) FROM tokens") != 0 {
				t.Errorf("%v: %s", err, out)
			}
			wants(t, ada.get("/activity"), 200, "Activity", "API token revoked: backup: no longer an active administrator", "on the command line")
		})
	})
}
