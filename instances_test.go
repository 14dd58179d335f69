package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
)

func TestWhatAnAdministratorDecidesHoldsOnTheNextRequestOnEveryInstance(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		here := start(t, databaseURL, newClock(noon))
		there := here.another()
		ada := here.person("ada@example.com")
		ada.signsIn()

		decisions := []struct {
			name          string
			role          string // of whom it is about
			method, body  string
			path          string // what they look at
			before, after int
			cookieKept    bool
		}{
			{name: "removed", role: "member", method: "DELETE", path: "/api/session", before: 200, after: 401},
			{name: "suspended", role: "admin", method: "PATCH", body: `{"status":"suspended"}`, path: "/api/users", before: 200, after: 401},
			{name: "made administrator", role: "member", method: "PATCH", body: `{"role":"admin"}`, path: "/api/users", before: 403, after: 200, cookieKept: true},
			{name: "no longer administrator", role: "admin", method: "PATCH", body: `{"role":"member"}`, path: "/api/users", before: 200, after: 403, cookieKept: true},
			{name: "renamed", role: "member", method: "PATCH", body: `{"name":"Grace"}`, path: "/api/session", before: 200, after: 200, cookieKept: true},
		}
		for i, d := range decisions {
			t.Run(d.name, func(t *testing.T) {
				grace := here.person(fmt.Sprintf("grace%d@example.com", i))
				ada.invites(grace.email, "role", d.role)
				grace.continues(grace.opensMail())
				id := whoHolds(grace).User.ID
				for _, s := range []*site{here, there} {
					if v := grace.at(s).calls("GET", d.path, ""); v.status != d.before {
						t.Fatalf("before: %d %s", v.status, v.body)
					}
				}
				if v := ada.calls(d.method, "/api/users/"+id, d.body); v.status != http.StatusOK {
					t.Fatalf("ada: %d %s", v.status, v.body)
				}
				for _, s := range []*site{there, here} {
					v := grace.at(s).calls("GET", d.path, "")
					if v.status != d.after {
						t.Errorf("after: %d %s", v.status, v.body)
					}
				}
				sessions := here.count("SELECT COUNT(*) FROM sessions WHERE user_id = ?", id)
				if ended := sessions == 0; ended == d.cookieKept {
					t.Errorf("she has %d sessions", sessions)
				}
				if _, held := grace.cookie(); held != d.cookieKept {
					t.Errorf("the browser holds a cookie: %v", held)
				}
			})
		}
	})
}

func TestTwoAdministratorsWhoTurnOnEachOtherAtOnceLeaveOne(t *testing.T) {
	t.Parallel()
	weapons := []struct{ name, method, body string }{
		{"demoting", "PATCH", `{"role":"member"}`},
		{"suspending", "PATCH", `{"status":"suspended"}`},
		{"removing", "DELETE", ""},
	}
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		here := start(t, databaseURL, newClock(noon), "--guestlist-local-stytch-limits=off")
		there := here.another("--guestlist-local-stytch-limits=off")
		survivor := here.person("ada@example.com")
		survivor.signsIn()
		for round := range 4 {
			for _, weapon := range weapons {
				other := here.person(fmt.Sprintf("rival-%s-%d@example.com", weapon.name, round))
				survivor.invites(other.email, "role", "admin")
				other.continues(other.opensMail())
				pair := [2]*person{survivor, other.at(there)}
				ids := [2]string{whoHolds(pair[0]).User.ID, whoHolds(pair[1]).User.ID}

				answers := make([]outcome, 2)
				atOnce(2, func(i int) {
					r := pair[i].request(weapon.method, pair[i].site.url+"/api/users/"+ids[1-i], strings.NewReader(weapon.body))
					if weapon.body != "" {
						r.Header.Set("Content-Type", "application/json")
					}
					answers[i] = pair[i].tries(r)
				})
				if n := here.count("SELECT COUNT(*) FROM users WHERE role = 'admin' AND status = 'active'"); n != 1 {
					t.Fatalf("%s: %d active administrators are left: %v", weapon.name, n, answers)
				}
				won := 0
				for i, a := range answers {
					switch a.status {
					case http.StatusOK:
						won++
						survivor = pair[i].at(here)
					case http.StatusConflict, http.StatusForbidden, http.StatusUnauthorized:
					default:
						t.Errorf("%s: %v", weapon.name, a)
					}
				}
				if won != 1 {
					t.Fatalf("%s: %v", weapon.name, answers)
				}
			}
		}
	})
}

func TestTenInstancesStartingAtOnceOnAnEmptyDatabaseMigrateOnceAndAllServe(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		c := newClock(noon)
		var mu sync.Mutex
		var sites []*site
		atOnce(10, func(int) {
			s, err := tryStart(t, databaseURL, c)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			sites = append(sites, s)
		})
		if len(sites) != 10 {
			t.Fatalf("%d of ten started", len(sites))
		}
		if n := sites[0].count("SELECT COUNT(*) - COUNT(DISTINCT version_id) FROM goose_db_version"); n != 0 {
			t.Errorf("%d migrations were applied twice", n)
		}
		// They are one product: who is signed in at one is signed in at all.
		ada := sites[0].person("ada@example.com")
		ada.signsIn()
		for _, s := range sites {
			if v := newcomer(s).get("/readyz"); v.status != http.StatusOK {
				t.Errorf("an instance is not ready: %d %s", v.status, v.body)
			}
			wants(t, ada.at(s).get("/users"), 200, "People")
		}
	})
}

// holder is what /api/session says.
type holder struct {
	User    struct{ ID, Name, Email, Role, Status string }
	Session struct{ ID string }
}

// whoHolds asks who holds the browser's cookie.
func whoHolds(p *person) holder {
	p.t.Helper()
	var h holder
	if v := p.calls("GET", "/api/session", ""); json.Unmarshal([]byte(v.body), &h) != nil || v.status != http.StatusOK {
		p.t.Fatalf("nobody holds the cookie: %d %s", v.status, v.body)
	}
	return h
}
