package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestInstances_ApplyChangesAtOnce(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		here := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
		there := here.StartAnother()
		ada := here.NewPerson("ada@example.com")
		ada.SignIn()

		decisions := []struct {
			name          string
			role          string // of the person who is changed
			method, body  string
			path          string // the page they request
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
				grace := here.NewPerson(fmt.Sprintf("grace%d@example.com", i))
				ada.Invite(grace.Email, "role", d.role)
				grace.PressContinue(grace.OpenNextLink())
				id := harness.CurrentSession(grace).User.ID
				for _, s := range []*harness.Site{here, there} {
					if v := grace.At(s).CallAPI("GET", d.path, ""); v.Status != d.before {
						t.Fatalf("before: %d %s", v.Status, v.Body)
					}
				}
				if v := ada.CallAPI(d.method, "/api/users/"+id, d.body); v.Status != http.StatusOK {
					t.Fatalf("ada: %d %s", v.Status, v.Body)
				}
				for _, s := range []*harness.Site{there, here} {
					v := grace.At(s).CallAPI("GET", d.path, "")
					if v.Status != d.after {
						t.Errorf("after: %d %s", v.Status, v.Body)
					}
				}
				sessions := here.Count("SELECT COUNT(*) FROM sessions WHERE user_id = ?", id)
				if ended := sessions == 0; ended == d.cookieKept {
					t.Errorf("she has %d sessions", sessions)
				}
				if _, held := grace.SessionCookie(); held != d.cookieKept {
					t.Errorf("the browser holds a cookie: %v", held)
				}
			})
		}
	})
}

func TestInstances_LastAdminRemains(t *testing.T) {
	t.Parallel()
	weapons := []struct{ name, method, body string }{
		{"demoting", "PATCH", `{"role":"member"}`},
		{"suspending", "PATCH", `{"status":"suspended"}`},
		{"removing", "DELETE", ""},
	}
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		here := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off")
		there := here.StartAnother("--guestlist-local-stytch-limits=off")
		survivor := here.NewPerson("ada@example.com")
		survivor.SignIn()
		for round := range 4 {
			for _, weapon := range weapons {
				other := here.NewPerson(fmt.Sprintf("rival-%s-%d@example.com", weapon.name, round))
				survivor.Invite(other.Email, "role", "admin")
				other.PressContinue(other.OpenNextLink())
				pair := [2]*harness.Person{survivor, other.At(there)}
				ids := [2]string{harness.CurrentSession(pair[0]).User.ID, harness.CurrentSession(pair[1]).User.ID}

				answers := make([]harness.Outcome, 2)
				harness.Concurrently(2, func(i int) {
					r := pair[i].NewRequest(weapon.method, pair[i].Site.URL+"/api/users/"+ids[1-i], strings.NewReader(weapon.body))
					if weapon.body != "" {
						r.Header.Set("Content-Type", "application/json")
					}
					answers[i] = pair[i].TryOutcome(r)
				})
				if n := here.Count("SELECT COUNT(*) FROM users WHERE role = 'admin' AND status = 'active'"); n != 1 {
					t.Fatalf("%s: %d active administrators are left: %v", weapon.name, n, answers)
				}
				won := 0
				for i, a := range answers {
					switch a.Status {
					case http.StatusOK:
						won++
						survivor = pair[i].At(here)
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

func TestInstances_TenStartConcurrently(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		c := harness.NewClock(harness.Noon)
		var mu sync.Mutex
		var sites []*harness.Site
		harness.Concurrently(10, func(int) {
			s, err := harness.TryStart(t, databaseURL, c)
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
		if n := sites[0].Count("SELECT COUNT(*) - COUNT(DISTINCT version_id) FROM goose_db_version"); n != 0 {
			t.Errorf("%d migrations were applied twice", n)
		}
		// A session is valid at all instances.
		ada := sites[0].NewPerson("ada@example.com")
		ada.SignIn()
		for _, s := range sites {
			if v := harness.NewVisitor(s).Get("/readyz"); v.Status != http.StatusOK {
				t.Errorf("an instance is not ready: %d %s", v.Status, v.Body)
			}
			harness.WantPage(t, ada.At(s).Get("/users"), 200, "People")
		}
	})
}
