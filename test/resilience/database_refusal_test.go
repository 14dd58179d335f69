package resilience

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestDatabaseRefusal_Statement(t *testing.T) {
	t.Parallel()
	wire := harness.NewMySQLProxy(t, testdb.MySQL(t), nil)
	s := harness.Start(t, wire.DSN, harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	ada.Invite("grace@example.com")
	id := harness.UserIDOf(ada, "grace@example.com")
	const always = 1000
	for _, r := range []struct {
		name   string
		number uint16
		times  int
		at     string
		status int
	}{
		{"for a deadlock is made good", 1213, 1, "UPDATE settings", 200},
		{"for another's lock is made good", 1205, 2, "INSERT INTO events", 200},
		{"since the server is a copy now is made good at the new one", 1290, 1, "UPDATE settings", 200},
		{"since all are copies now is told", 1290, always, "UPDATE settings", 503},
		{"for a deadlock again and again is told", 1213, always, "UPDATE settings", 503},
		{"for a full disk is told", 1021, always, "INSERT INTO events", 503},
		{"when it reads is told", 1317, always, "FROM sessions s JOIN users", 503},
	} {
		t.Run(r.name, func(t *testing.T) {
			for _, change := range []*http.Request{
				ada.FormRequest("/users/"+id, "name="+strings.ReplaceAll(r.name, " ", "+")+"&role=member"),
				ada.JSONRequest("PATCH", "/api/users/"+id, `{"name":"`+r.name+`!"}`),
			} {
				wire.RefuseAt(r.at, r.number, r.times)
				v := ada.DoOnce(change)
				wire.RefuseAt("", 0, 0)
				if page := change.Method == "POST"; v.Status != r.status && !(page && r.status == 200 && v.Status == 303) {
					t.Errorf("%s: %d %s", change.Method, v.Status, v.Body)
				}
				for _, text := range []string{"mysql", "refused", "HY000", "UPDATE", "bad connection"} {
					if strings.Contains(v.Body, text) {
						t.Errorf("%s shows %q: %s", change.Method, text, v.Body)
					}
				}
			}
		})
	}
	if n := s.Count("SELECT COUNT(*) FROM events WHERE kind = 'user_edited'"); n != 6 {
		t.Errorf("%d changes are on record, want 6", n)
	}
}

func TestDatabaseRefusal_LockedRow(t *testing.T) {
	t.Parallel()
	dsn := testdb.MySQL(t)
	s := harness.Start(t, harness.NewMySQLProxy(t, dsn, impatient).DSN, harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	ada.Invite("grace@example.com")
	path := "/api/users/" + harness.UserIDOf(ada, "grace@example.com")
	held, err := harness.OpenMySQL(t, dsn).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Rollback()
	if _, err := held.Exec("UPDATE users SET last_seen_at = 1 WHERE email_key = 'grace@example.com'"); err != nil {
		t.Fatal(err)
	}
	harness.Concurrently(50, func(i int) { // more than there are connections
		begin := time.Now()
		got := ada.TryOutcome(ada.JSONRequest("PATCH", path, `{"name":"Grace"}`))
		if took := time.Since(begin); got.Status != http.StatusServiceUnavailable || took > 6*time.Second {
			t.Errorf("%v after %v", got, took)
		}
	})
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	if v := ada.CallAPI("PATCH", path, `{"name":"Grace"}`); v.Status != http.StatusOK {
		t.Errorf("when it is let go: %d %s", v.Status, v.Body)
	}
}

func TestDatabaseRefusal_TooManyConnections(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.WithPassword(t, testdb.MySQL(t), "WITH MAX_USER_CONNECTIONS 10"), harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off")
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	path := "/api/users/" + harness.CurrentSession(ada).User.ID
	answers := make([]harness.Outcome, 200)
	harness.Concurrently(len(answers), func(i int) {
		r := ada.NewRequest("GET", s.URL+"/api/users", nil)
		if i%2 == 1 {
			r = ada.JSONRequest("PATCH", path, `{"name":"Ada"}`)
		}
		begin := time.Now()
		answers[i] = ada.TryOutcome(r)
		if took := time.Since(begin); took > 8*time.Second {
			t.Errorf("%v after %v", answers[i], took)
		}
	})
	all := harness.Tally(answers)
	if n := all[harness.Outcome{Status: 200}]; n == 0 || n+all[harness.Outcome{Status: 503}] != len(answers) {
		t.Errorf("got %v", all)
	}
	if v := ada.CallAPI("GET", "/api/users", ""); v.Status != http.StatusOK {
		t.Errorf("afterwards: %d %s", v.Status, v.Body)
	}
}
