package main

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
)

func TestAStatementThatTheDatabaseRefuses(t *testing.T) {
	t.Parallel()
	wire := newWire(t, testdb.MySQL(t), nil)
	s := start(t, wire.dsn, newClock(noon))
	ada := s.person("ada@example.com")
	ada.signsIn()
	ada.invites("grace@example.com")
	id := idOf(ada, "grace@example.com")
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
				ada.form("/users/"+id, "name="+strings.ReplaceAll(r.name, " ", "+")+"&role=member"),
				ada.json("PATCH", "/api/users/"+id, `{"name":"`+r.name+`!"}`),
			} {
				wire.refuseAt(r.at, r.number, r.times)
				v := ada.only(change)
				wire.refuseAt("", 0, 0)
				if page := change.Method == "POST"; v.status != r.status && !(page && r.status == 200 && v.status == 303) {
					t.Errorf("%s: %d %s", change.Method, v.status, v.body)
				}
				for _, text := range []string{"mysql", "refused", "HY000", "UPDATE", "bad connection"} {
					if strings.Contains(v.body, text) {
						t.Errorf("%s shows %q: %s", change.Method, text, v.body)
					}
				}
			}
		})
	}
	if n := s.count("SELECT COUNT(*) FROM events WHERE kind = 'user_edited'"); n != 6 {
		t.Errorf("%d changes are on record, want 6", n)
	}
}

func TestAPersonWhoseRowAnotherProgramHolds(t *testing.T) {
	t.Parallel()
	dsn := testdb.MySQL(t)
	s := start(t, newWire(t, dsn, impatient).dsn, newClock(noon))
	ada := s.person("ada@example.com")
	ada.signsIn()
	ada.invites("grace@example.com")
	path := "/api/users/" + idOf(ada, "grace@example.com")
	held, err := openDSN(t, dsn).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Rollback()
	if _, err := held.Exec("UPDATE users SET last_seen_at = 1 WHERE email_key = 'grace@example.com'"); err != nil {
		t.Fatal(err)
	}
	atOnce(50, func(i int) { // more than there are connections
		begin := time.Now()
		got := ada.tries(ada.json("PATCH", path, `{"name":"Grace"}`))
		if took := time.Since(begin); got.status != http.StatusServiceUnavailable || took > 6*time.Second {
			t.Errorf("%v after %v", got, took)
		}
	})
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	if v := ada.calls("PATCH", path, `{"name":"Grace"}`); v.status != http.StatusOK {
		t.Errorf("when it is let go: %d %s", v.status, v.body)
	}
}

func TestMoreAskAtOnceThanTheDatabaseHasConnections(t *testing.T) {
	t.Parallel()
	s := start(t, withPassword(t, testdb.MySQL(t), "WITH MAX_USER_CONNECTIONS 6"), newClock(noon), "--guestlist-local-stytch-limits=off")
	ada := s.person("ada@example.com")
	ada.signsIn()
	path := "/api/users/" + whoHolds(ada).User.ID
	answers := make([]outcome, 200)
	atOnce(len(answers), func(i int) {
		r := ada.request("GET", s.url+"/api/users", nil)
		if i%2 == 1 {
			r = ada.json("PATCH", path, `{"name":"Ada"}`)
		}
		begin := time.Now()
		answers[i] = ada.tries(r)
		if took := time.Since(begin); took > 8*time.Second {
			t.Errorf("%v after %v", answers[i], took)
		}
	})
	all := tally(answers)
	if n := all[outcome{status: 200}]; n == 0 || n+all[outcome{status: 503}] != len(answers) {
		t.Errorf("got %v", all)
	}
	if v := ada.calls("GET", "/api/users", ""); v.status != http.StatusOK {
		t.Errorf("afterwards: %d %s", v.status, v.body)
	}
}

func openDSN(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}
