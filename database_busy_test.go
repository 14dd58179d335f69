package main

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
)

func TestWhileAnotherProgramWritesTheFilePeopleCanLookAndAreToldInTime(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.SQLite(t)
	s := start(t, databaseURL, newClock(noon), "--guestlist-local-stytch-limits=off")
	ada, grace := s.person("ada@example.com"), s.person("grace@example.com")
	ada.signsIn()
	ada.invites(grace.email)
	press := grace.press(grace.newMail())
	path := "/api/users/" + idOf(ada, grace.email)

	other, err := sql.Open("sqlite", strings.TrimPrefix(databaseURL, "sqlite:")+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	held, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer held.Rollback()

	requests := []struct {
		name string
		who  *person
		r    *http.Request
		want int
	}{
		{"looking at the list", ada, ada.request("GET", s.url+"/users", nil), 200},
		{"looking at the API", ada, ada.request("GET", s.url+"/api/users", nil), 200},
		{"the state", ada, ada.request("GET", s.url+"/readyz", nil), 200},
		{"a change", ada, ada.json("PATCH", path, `{"name":"Grace"}`), 503},
		{"another", ada, ada.form(strings.TrimPrefix(path, "/api"), "name=Hopper&role=member"), 503},
		{"inviting", ada, ada.form("/users", "email=joan@example.com"), 503},
		{"asking for a link", grace.elsewhere(), grace.form("/signin", "email=grace@example.com"), 503},
		{"following one", grace, press, 503},
		{"signing out", ada, ada.form("/signout", ""), 503},
		{"following none", grace.elsewhere(), grace.form(app.CallbackPath, "token=made-up"), 404},
	}
	atOnce(len(requests), func(i int) {
		r := requests[i]
		begin := time.Now()
		v, err := r.who.try(r.r, followNothing)
		took := time.Since(begin)
		if err != nil || v.status != r.want || took > 8*time.Second || r.want == http.StatusOK && took > 4*time.Second {
			t.Errorf("%s: %d after %v, %v", r.name, v.status, took, err)
		}
		if strings.Contains(v.body, "locked") || strings.Contains(v.body, "SQL") {
			t.Errorf("%s shows what the driver says: %s", r.name, v.body)
		}
	})

	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	if v := ada.calls("PATCH", path, `{"name":"Grace"}`); v.status != http.StatusOK {
		t.Errorf("afterwards: %d %s", v.status, v.body)
	}
	again, _ := press.GetBody()
	press.Body = again
	if got := grace.tries(press); got != (outcome{303, "/profile"}) {
		t.Errorf("the link, afterwards: %v", got)
	}
}
