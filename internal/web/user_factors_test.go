package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
)

func TestUserFactors_AreRemovedByAnAdministrator(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, boss := f.signedIn(directory.Member, "ada@example.com"), f.signedIn(directory.Admin, "boss@example.com")
	page, path := "/users/"+ada.user.ID, "/users/"+ada.user.ID+"/factors/remove"
	if a := boss.get(page); !strings.Contains(a.Text(), "None. They sign in by email.") {
		t.Errorf("without any: %s", a.Text())
	}
	f.addFactor(ada, factor.Passkey)
	f.addFactor(ada, factor.TOTP)
	f.setSession(ada, factor.Proofs("").With(factor.EmailLink, f.clock.now()), true)
	if a := boss.get(page); !strings.Contains(a.Text(), "Mine Passkey") || !strings.Contains(a.Text(), "10 recovery codes left") {
		t.Errorf("with two: %s", a.Text())
	}
	if a := ada.get("/apps"); a.status == http.StatusOK {
		t.Errorf("the session needs no second factor: %d", a.status)
	}
	if a := boss.get(path); a.status != http.StatusOK || !strings.Contains(a.Text(), "This removes 1 passkey and an authenticator app.") {
		t.Errorf("it asks: %d %s", a.status, a.Text())
	}
	if a := boss.form(path); a.status != http.StatusSeeOther || a.header.Get("Location") != page {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	if a := boss.get(page); !strings.Contains(a.Text(), "Removed 1 passkey and an authenticator app of") || !strings.Contains(a.Text(), "None. They sign in by email.") {
		t.Errorf("afterwards: %s", a.Text())
	}
	if a := ada.get("/apps"); a.status != http.StatusOK {
		t.Errorf("the session still needs what is gone: %d %s", a.status, a.Text())
	}
	events, _, err := f.store.ListEvents(t.Context(), event.Query{Person: ada.user.ID, Limit: 3})
	if err != nil || len(events) != 3 || events[0].Kind != event.FactorsReset || events[1].Kind != event.FactorRemoved || events[0].Actor != "boss@example.com" {
		t.Errorf("audit log: %+v, %v", events, err)
	}
	if a := boss.form(path); a.status != http.StatusSeeOther {
		t.Errorf("again: %d", a.status)
	}
	if a := boss.get(page); !strings.Contains(a.Text(), "has no passkeys and no authenticator app.") {
		t.Errorf("again: %s", a.Text())
	}
}

func TestUserFactors_Refused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Member, "ada@example.com")
	f.addFactor(ada, factor.TOTP)
	boss, stale := f.signedIn(directory.Admin, "boss@example.com"), f.stale(directory.Admin, "stale@example.com")
	for name, row := range map[string]struct {
		caller       *caller
		method, path string
		want         int
	}{
		"a member":                         {ada, "POST", "/users/" + ada.user.ID + "/factors/remove", 403},
		"a member by API":                  {ada, "DELETE", "/api/users/" + ada.user.ID + "/factors", 403},
		"without a fresh sign-in":          {stale, "POST", "/users/" + ada.user.ID + "/factors/remove", 303},
		"without a fresh sign-in, by API":  {stale, "DELETE", "/api/users/" + ada.user.ID + "/factors", 403},
		"an administrator's own":           {boss, "POST", "/users/" + boss.user.ID + "/factors/remove", 409},
		"an administrator's own, the page": {boss, "GET", "/users/" + boss.user.ID + "/factors/remove", 409},
		"an administrator's own, by API":   {boss, "DELETE", "/api/users/" + boss.user.ID + "/factors", 409},
		"of a stranger":                    {boss, "DELETE", "/api/users/x/factors", 404},
	} {
		if a := row.caller.send(row.method, row.path, ""); a.status != row.want {
			t.Errorf("%s: %d %s, want %d", name, a.status, a.Text(), row.want)
		}
	}
	if have, err := f.store.ListFactors(t.Context(), ada.user.ID); len(have) != 1 || err != nil {
		t.Errorf("%v, %v", have, err)
	}
}

func TestUserFactors_AreRemovedByAPI(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, boss := f.signedIn(directory.Member, "ada@example.com"), f.signedIn(directory.Admin, "boss@example.com")
	f.addFactor(ada, factor.Passkey)
	for _, want := range []string{`{"removed":1}`, `{"removed":0}`} {
		if a := boss.send("DELETE", "/api/users/"+ada.user.ID+"/factors", ""); a.status != http.StatusOK || strings.TrimSpace(a.body) != want {
			t.Errorf("%d %s, want %s", a.status, a.body, want)
		}
	}
}
