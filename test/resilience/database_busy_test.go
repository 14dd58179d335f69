package resilience

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestDatabaseBusy_ReadsWorkAndWritesFailInTime(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.SQLite(t)
	s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off")
	ada, grace := s.NewPerson("ada@example.com"), s.NewPerson("grace@example.com")
	ada.SignIn()
	ada.Invite(grace.Email)
	press := grace.ContinueRequest(grace.NextLink())
	path := "/api/users/" + harness.UserIDOf(ada, grace.Email)

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
		who  *harness.Person
		r    *http.Request
		want int
	}{
		{"looking at the list", ada, ada.NewRequest("GET", s.URL+"/users", nil), 200},
		{"looking at the API", ada, ada.NewRequest("GET", s.URL+"/api/users", nil), 200},
		{"the state", ada, ada.NewRequest("GET", s.URL+"/readyz", nil), 200},
		{"a change", ada, ada.JSONRequest("PATCH", path, `{"name":"Grace"}`), 503},
		{"another", ada, ada.FormRequest(strings.TrimPrefix(path, "/api"), "name=Hopper&role=member"), 503},
		{"inviting", ada, ada.FormRequest("/users", "email=joan@example.com"), 503},
		{"asking for a link", grace.InNewBrowser(), grace.FormRequest("/signin", "email=grace@example.com"), 503},
		{"following one", grace, press, 503},
		{"signing out", ada, ada.FormRequest("/signout", ""), 503},
		{"following none", grace.InNewBrowser(), grace.FormRequest(app.CallbackPath, "token=made-up"), 404},
	}
	harness.Concurrently(len(requests), func(i int) {
		r := requests[i]
		begin := time.Now()
		v, err := r.who.Try(r.r, harness.NoRedirects)
		took := time.Since(begin)
		if err != nil || v.Status != r.want || took > 8*time.Second || r.want == http.StatusOK && took > 4*time.Second {
			t.Errorf("%s: %d after %v, %v", r.name, v.Status, took, err)
		}
		if strings.Contains(v.Body, "locked") || strings.Contains(v.Body, "SQL") {
			t.Errorf("%s shows what the driver says: %s", r.name, v.Body)
		}
	})

	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	if v := ada.CallAPI("PATCH", path, `{"name":"Grace"}`); v.Status != http.StatusOK {
		t.Errorf("afterwards: %d %s", v.Status, v.Body)
	}
	again, _ := press.GetBody()
	press.Body = again
	if got := grace.TryOutcome(press); got != (harness.Outcome{Status: 303, Location: "/apps"}) {
		t.Errorf("the link, afterwards: %v", got)
	}
}
