package web

import (
	"cmp"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/ids"
	"github.com/guestlist/guestlist/internal/session"
)

// stale is signedIn with a session whose factor was proven too long ago for dangerous actions.
func (f *fixture) stale(role directory.Role, address string) *caller {
	f.t.Helper()
	c := f.signedIn(role, address)
	f.setSession(c, factor.Proofs("").With(factor.EmailLink, f.clock.now().Add(-factor.FreshFor)), false)
	return c
}

// halfSignedIn is signedIn with a session that lacks its second factor, a code of the authenticator
// app that its user has set up.
func (f *fixture) halfSignedIn(role directory.Role, address string) *caller {
	f.t.Helper()
	c := f.signedIn(role, address)
	f.setSession(c, factor.Proofs("").With(factor.EmailLink, f.clock.now()), true)
	f.addFactor(c, factor.TOTP)
	return c
}

// setSession changes the factors of a caller's session.
func (f *fixture) setSession(c *caller, proofs factor.Proofs, needsSecond bool) {
	f.t.Helper()
	number := "0"
	if needsSecond {
		number = "1"
	}
	f.exec("UPDATE sessions SET factors = '" + string(proofs) + "', second_factor = " + number + " WHERE user_id = '" + c.user.ID + "'")
}

// addFactor adds a factor of a caller to the database.
func (f *fixture) addFactor(c *caller, kind factor.Kind) {
	f.t.Helper()
	sessions, err := f.store.ListSessions(f.t.Context(), c.user.ID)
	if err != nil || len(sessions) == 0 {
		f.t.Fatal(sessions, err)
	}
	now := f.clock.now()
	proofs := sessions[0].Proofs
	if err := f.store.AddFactor(f.t.Context(), factor.Addition{
		Factor:      factor.Factor{ID: ids.New(), UserID: c.user.ID, Kind: kind, ProviderID: string(kind) + "-" + c.user.ID, Name: "Mine", CodesLeft: 10, CreatedAt: now},
		SessionHash: sessions[0].TokenHash, Event: event.New(event.FactorAdded, now, c.user.ID, c.user.Email.Normalized, ""),
	}, func([]factor.Factor) error { return nil }); err != nil {
		f.t.Fatal(err)
	}
	f.setSession(c, proofs, sessions[0].HasSecondFactor)
}

// keepAction stores a draft with an action in a caller's browser.
func (c *caller) keepAction(d session.Draft, address string) {
	c.f.t.Helper()
	w := httptest.NewRecorder()
	if err := c.f.server.opts.Cookies.KeepAction(w, httptest.NewRequest("GET", "/", nil), d, address); err != nil {
		c.f.t.Fatal(err)
	}
	c.keep(w.Result())
}

func TestConfirm_SubmitsTheFormAgainOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.stale(directory.Admin, "boss@example.com")
	refused := boss.form("/apps/new", "name", "Wiki <b>", "public_paths", "/a\n/b")
	if refused.status != http.StatusSeeOther || refused.header.Get("Location") != "/confirm" {
		t.Fatalf("%d, leads to %q", refused.status, refused.header.Get("Location"))
	}
	wantsWords(t, boss.get("/confirm"), http.StatusOK, "Confirm it’s you", "You’re about to add an app.")
	if early := boss.get("/confirm/continue"); early.status != http.StatusSeeOther || !strings.HasPrefix(early.header.Get("Location"), "/confirm?") {
		t.Errorf("without a fresh factor: %d %s", early.status, early.Text())
	}
	f.setSession(boss, factor.Proofs("").With(factor.EmailCode, f.clock.now()), false)
	if a := boss.get("/confirm"); a.header.Get("Location") != "/confirm/continue" {
		t.Errorf("once confirmed: %d %q", a.status, a.header.Get("Location"))
	}
	page := boss.get("/confirm/continue")
	form, ok := page.Form("Continue")
	want := url.Values{"name": {"Wiki <b>"}, "public_paths": {"/a\n/b"}}
	if !ok || form.Action != "/apps/new" || form.Method != "POST" || !maps.EqualFunc(form.Values, want, slices.Equal) || !strings.Contains(page.body, `data-continue="auto"`) {
		t.Errorf("%+v in %s", form, page.body)
	}
	if again := boss.get("/confirm/continue"); again.header.Get("Location") != "/apps" {
		t.Errorf("a second time: %d %s", again.status, again.Text())
	}
}

func TestConfirm_KeepsNoOtherForms(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, row := range map[string]struct {
		draft session.Draft
		of    string
		age   time.Duration
		kept  bool
	}{
		"a form of the user":               {draft: session.Draft{Page: "/apps/new", Action: "/apps/new?x=1", Form: url.Values{"name": {"Wiki"}}}, kept: true},
		"a form without fields":            {draft: session.Draft{Page: "/users/x/remove", Action: "/users/x/remove"}, kept: true},
		"half an hour old":                 {draft: session.Draft{Page: "/apps/new", Action: "/apps/new"}, age: 30 * time.Minute},
		"of another user":                  {draft: session.Draft{Page: "/apps/new", Action: "/apps/new"}, of: "other@example.com"},
		"to another site":                  {draft: session.Draft{Page: "/apps/new", Action: "https://evil.example/apps/new"}},
		"to another site without a scheme": {draft: session.Draft{Page: "/apps/new", Action: "//evil.example/apps/new"}},
		"to a route that isn't dangerous":  {draft: session.Draft{Page: "/groups", Action: "/groups"}},
		"to a route of the API":            {draft: session.Draft{Page: "/apps", Action: "/api/apps"}},
		"to a route that can't be":         {draft: session.Draft{Page: "/apps", Action: "/apps/../apps/new"}},
	} {
		c := f.signedIn(directory.Admin, "boss@example.com")
		c.keepAction(row.draft, cmp.Or(row.of, "boss@example.com"))
		f.clock.advance(row.age)
		f.setSession(c, factor.Proofs("").With(factor.EmailCode, f.clock.now()), false)
		if kept := c.get("/confirm/continue").status == http.StatusOK; kept != row.kept {
			t.Errorf("%s: kept %t", name, kept)
		}
	}
}

func TestConfirm_IsNotAskedForByOtherSites(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.stale(directory.Admin, "boss@example.com")
	a := boss.send("POST", "/apps/new", "name=Wiki", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "cross-site")
	if a.status != http.StatusForbidden || boss.cookies["guestlist-draft"] != nil {
		t.Errorf("%d, kept %v", a.status, boss.cookies["guestlist-draft"])
	}
}

func TestConfirm_SaysThatAFileMustBeChosenAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.stale(directory.Admin, "boss@example.com")
	a := boss.send("POST", "/apps/new", "--x--", "Content-Type", "multipart/form-data; boundary=x")
	if a.status != http.StatusSeeOther || boss.cookies["guestlist-draft"] != nil {
		t.Fatalf("%d", a.status)
	}
	wantsWords(t, boss.get(a.header.Get("Location")), http.StatusOK, "You’ll have to choose the file again afterwards.")
}

func TestConfirm_KeepsTheFormIfTheSessionEnds(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.remembered("boss@example.com")
	f.setSession(boss, "", false)
	boss.form("/apps/new", "name", "Wiki")
	f.endSession(boss)
	for _, a := range []answer{boss.form("/confirm", "by", "email", "code", "123456"), boss.get("/confirm")} {
		if a.status != http.StatusSeeOther || strings.Contains(a.header.Get("Location"), "next") {
			t.Errorf("%d %q", a.status, a.header.Get("Location"))
		}
	}
	if page := boss.get("/"); !strings.Contains(page.body, `name="next" value="/apps/new"`) {
		t.Errorf("the sign-in page doesn't lead back: %s", page.body)
	}
	again := f.remembered("boss@example.com")
	again.cookies["guestlist-draft"] = boss.cookies["guestlist-draft"]
	if page := again.get("/apps/new"); !strings.Contains(page.body, `value="Wiki"`) {
		t.Errorf("the form is lost: %s", page.body)
	}
}

func TestConfirm_RecordsRefusedPrograms(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.stale(directory.Admin, "boss@example.com")
	boss.json("POST", "/api/users", `{"email":"new@example.com","role":"admin"}`)
	if n := f.count("SELECT COUNT(*) FROM events WHERE kind = 'action_refused' AND reason = ?", "POST /api/users: needs a fresh sign-in"); n != 1 {
		t.Errorf("%d events", n)
	}
}

func TestIdempotency_KeyCanBeUsedAfterAFreshSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.stale(directory.Admin, "boss@example.com")
	send := func() answer {
		return boss.send("POST", "/api/users", `{"email":"new@example.com","role":"admin"}`, "Content-Type", "application/json", "Idempotency-Key", "k1")
	}
	if a := send(); a.status != http.StatusForbidden {
		t.Fatalf("%d %s", a.status, a.body)
	}
	f.setSession(boss, factor.Proofs("").With(factor.EmailCode, f.clock.now()), false)
	if a := send(); a.status != http.StatusCreated {
		t.Errorf("%d %s", a.status, a.body)
	}
}
