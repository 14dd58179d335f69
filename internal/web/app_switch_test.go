package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

func TestSwitchApp_OffAndOn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, grace := f.signedIn(directory.Admin, "ada@example.com"), f.signedIn(directory.Member, "grace@example.com")
	app := f.addApp("Wiki", "https://wiki.example.com")
	path := "/apps/" + app.ID
	if a := grace.form(path + "/off"); a.status != http.StatusForbidden || !f.getApp(app.ID).Enabled {
		t.Errorf("a member: %d", a.status)
	}
	if a := ada.form(path + "/off"); a.status != http.StatusSeeOther || a.header.Get("Location") != path || f.getApp(app.ID).Enabled {
		t.Fatalf("switched off: %d %s", a.status, a.Text())
	}
	page := ada.get(path)
	for _, want := range []string{"Wiki is switched off. No one can open it until you switch it on again.", "This app is switched off", "Switch on"} {
		if !strings.Contains(page.Text(), want) {
			t.Errorf("no %q: %s", want, page.Text())
		}
	}
	for _, never := range []string{"Open app", "Test it"} {
		if strings.Contains(page.Text(), never) {
			t.Errorf("the page of an app that is off has %q", never)
		}
	}
	if a := ada.form(path + "/off"); a.status != http.StatusSeeOther {
		t.Errorf("switched off twice: %d", a.status)
	}
	if a := ada.form(path + "/test"); a.status != http.StatusSeeOther || !strings.Contains(ada.get(path).Text(), "Switch the app on first, then test it.") {
		t.Errorf("tested: %d", a.status)
	}
	// Saving the form changes nothing about it.
	if a := ada.form(path, "name", "The wiki", "url", "https://wiki.example.com", "audience", "everyone"); a.status != http.StatusSeeOther || f.getApp(app.ID).Enabled {
		t.Errorf("edited: %d, %+v", a.status, f.getApp(app.ID))
	}
	if a := ada.form(path + "/on"); a.status != http.StatusSeeOther || !f.getApp(app.ID).Enabled {
		t.Errorf("switched on: %d %s", a.status, a.Text())
	}
	if page := ada.get(path); !strings.Contains(page.Text(), "The wiki is switched on.") || !strings.Contains(page.Text(), "Switch off") || !strings.Contains(page.Text(), "Open app") {
		t.Errorf("the page: %s", page.Text())
	}
	if a := ada.form("/apps/x/off"); a.status != http.StatusNotFound || a.Heading() != "This app was removed" {
		t.Errorf("an unknown app: %d %s", a.status, a.Heading())
	}
	trail, _, err := f.store.ListEvents(t.Context(), event.Query{Kind: event.AppEdited, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var changes [][]event.Change
	for _, e := range trail {
		changes = append(changes, e.Changes)
	}
	want := [][]event.Change{
		{{Field: "enabled", Old: "no", New: "yes"}},
		{{Field: "name", Old: "Wiki", New: "The wiki"}, {Field: "requests", Old: "yes", New: "no"}},
		{{Field: "enabled", Old: "yes", New: "no"}},
	}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("the audit log: -want +got\n%s", diff)
	}
}

func TestSwitchedOffApp_OnEveryPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, grace := f.signedIn(directory.Admin, "ada@example.com"), f.signedIn(directory.Member, "grace@example.com")
	staff := f.addGroup("Staff")
	wiki := f.switchOff(f.addApp("Wiki", "https://wiki.example.com"))
	hedy := f.signedIn(directory.Member, "hedy@example.com")
	vault := f.addApp("Vault", "https://vault.example.com", staff)
	if a := hedy.form("/apps/"+vault.ID+"/request", "note", "for a week"); a.status != http.StatusSeeOther {
		t.Fatalf("a request: %d", a.status)
	}
	vault = f.switchOff(vault)
	f.joinUser(staff, ada.user.ID, time.Time{})
	if page := grace.get("/apps"); !strings.Contains(page.Text(), "No apps yet") || strings.Contains(page.body, "Wiki") {
		t.Errorf("a member's apps: %s", page.Text())
	}
	if page := ada.get("/apps"); !strings.Contains(page.Text(), "or switch it on") || strings.Count(page.Text(), "Switched off") != 2 {
		t.Errorf("an administrator's apps: %s", page.Text())
	}
	if page := ada.get("/users/" + ada.user.ID); !strings.Contains(page.Text(), "Closed while the app is switched off") {
		t.Errorf("a person's page: %s", page.Text())
	}
	if page := ada.get("/groups/" + staff.ID); !strings.Contains(page.Text(), "https://vault.example.com · switched off") {
		t.Errorf("a group's page: %s", page.Text())
	}
	if page := ada.get("/users/" + grace.user.ID + "/why?app=" + wiki.ID); !strings.Contains(page.Text(), "can't open Wiki: it's switched off.Switch the app on.") {
		t.Errorf("the diagnosis: %s", page.Text())
	}
	a := ada.get("/api/why?email=grace@example.com&app=Wiki")
	if !strings.Contains(a.body, `"can_open":false,"decision":"switched_off"`) {
		t.Errorf("the diagnosis as JSON: %s", a.body)
	}
	path := "/apps/" + vault.ID + "/request"
	if a := grace.get(path); a.status != http.StatusOK || a.Heading() != "Vault is switched off" || strings.Contains(a.body, "<textarea") {
		t.Errorf("the form for a request: %d %s", a.status, a.Text())
	}
	if a := grace.form(path, "note", "please"); a.status != http.StatusSeeOther || a.header.Get("Location") != path {
		t.Errorf("a request: %d %s", a.status, a.Text())
	}
	if n, err := f.server.opts.Requests.CountPending(t.Context()); n != 1 || err != nil {
		t.Errorf("%d requests are pending, %v", n, err)
	}
	if a := hedy.get(path); a.Heading() != "Vault is switched off" || !strings.Contains(a.Text(), "You asked for access") {
		t.Errorf("the page of a request that was made before: %s", a.Text())
	}
	if a := ada.get("/requests"); !strings.Contains(a.Text(), "This app is switched off. If you approve, they can open it as soon as it’s switched on.") {
		t.Errorf("the requests: %s", a.Text())
	}
	f.joinUser(staff, hedy.user.ID, time.Time{})
	if a := ada.get("/requests"); !strings.Contains(a.Text(), "They can open this app as soon as it’s switched on, so there’s nothing to grant.") {
		t.Errorf("the requests of someone with access: %s", a.Text())
	}
}

func TestSwitchedOffApp_WayIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	grace := f.signedIn(directory.Member, "grace@example.com")
	app := f.switchOff(f.addApp("Wiki", "https://wiki.example.com"))
	tickets := f.server.opts.Tickets
	for name, ticket := range map[string]apps.Ticket{
		"with a cookie":    tickets.New(app, "/page", apps.HashCredential("cookie")),
		"without a cookie": tickets.New(app, "/page", ""),
	} {
		for who, c := range map[string]*caller{"a member": grace, "a stranger": f.visitor()} {
			a := c.get("/enter?t=" + tickets.Seal(ticket))
			href, found := a.Link("Try again")
			if a.status != http.StatusForbidden || a.Heading() != "wiki.example.com is switched off" || !found || href != "https://wiki.example.com/page" || strings.Contains(a.body, "Wiki") {
				t.Errorf("%s, %s: %d, leads to %q: %s", who, name, a.status, href, a.Text())
			}
		}
	}
}

func TestAppWithoutAddress_OnEveryPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, grace := f.signedIn(directory.Admin, "ada@example.com"), f.signedIn(directory.Member, "grace@example.com")
	staff := f.addGroup("Staff")
	a := ada.form("/apps/new", "name", "Backup", "url", "", "audience", "groups", "groups", staff.ID, "allow_requests", "yes")
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	path := a.header.Get("Location")
	app := f.getApp(strings.TrimPrefix(path, "/apps/"))
	page := ada.get(path)
	if !strings.Contains(page.Text(), "Backup was added.") || !strings.Contains(page.Text(), "No address") {
		t.Errorf("its page: %s", page.Text())
	}
	for _, never := range []string{"Next, connect it", "Open app", "Test it", "forward_auth", "Create token", "No request has arrived"} {
		if strings.Contains(page.Text(), never) {
			t.Errorf("its page has %q", never)
		}
	}
	if a := ada.form(path + "/test"); a.status != http.StatusSeeOther || !strings.Contains(ada.get(path).Text(), "Give the app an address first, then test it.") {
		t.Errorf("tested: %d", a.status)
	}
	if a := ada.get(path + "/remove"); !strings.Contains(a.Text(), "No one will be able to sign in to it through Guestlist") || strings.Contains(a.Text(), "another proxy") {
		t.Errorf("before it is removed: %s", a.Text())
	}
	if a := grace.form(path+"/request", "note", "please"); a.status != http.StatusSeeOther {
		t.Errorf("a request: %d", a.status)
	}
	if a := ada.get("/requests"); a.status != http.StatusOK || !strings.Contains(a.Text(), "wants to open Backup") {
		t.Errorf("the requests: %s", a.Text())
	}
	f.joinUser(staff, grace.user.ID, time.Time{})
	if page := grace.get(path + "/request"); !strings.Contains(page.Text(), "Open it from its own program.") {
		t.Errorf("the page of someone with access: %s", page.Text())
	}
	page = grace.get("/apps")
	if href, found := page.Link("Backup"); found || !strings.Contains(page.Text(), "Open it from its own program") {
		t.Errorf("My apps: leads to %q: %s", href, page.Text())
	}
	if page := ada.get("/groups/" + staff.ID); !strings.Contains(page.Text(), "No address") {
		t.Errorf("the group's page: %s", page.Text())
	}

	seen := app.UpdatedAt.Format(time.RFC3339Nano)
	a = ada.form(path, "seen", seen, "name", "Backup", "home_url", "https://example.com/backup", "audience", "groups", "groups", staff.ID)
	if a.status != http.StatusSeeOther || f.getApp(app.ID).HomeURL != "https://example.com/backup" {
		t.Fatalf("given a link: %d %s", a.status, a.Text())
	}
	page = grace.get("/apps")
	if href, _ := page.Link("Backup"); href != "https://example.com/backup" || !strings.Contains(page.Text(), "example.com") {
		t.Errorf("My apps: leads to %q: %s", href, page.Text())
	}
	if href, _ := ada.get(path).Link("Open app"); href != "https://example.com/backup" {
		t.Errorf("its page leads to %q", href)
	}
	// No one is brought to an address that it doesn't have.
	for _, hash := range []string{"", apps.HashCredential("cookie")} {
		sealed := f.server.opts.Tickets.Seal(f.server.opts.Tickets.New(app, "/page", hash))
		if a := grace.get("/enter?t=" + sealed); a.status != http.StatusNotFound || a.Heading() != "This app has no address any more" {
			t.Errorf("the way in: %d to %q, %s", a.status, a.header.Get("Location"), a.Heading())
		}
	}
	if a := grace.get("/signout?app=" + app.ID); a.Heading() != "Sign out" {
		t.Errorf("signing out: %s", a.Heading())
	}
}
