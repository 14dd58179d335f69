package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/token"
)

// requestAccess requests access to an app and returns the request's ID.
func (c *caller) requestAccess(appID, note string) string {
	c.f.t.Helper()
	if a := c.form("/apps/"+appID+"/request", "note", note); a.status != http.StatusSeeOther {
		c.f.t.Fatalf("request: %d %s", a.status, a.Text())
	}
	standing, err := c.f.server.opts.Requests.Standing(c.f.t.Context(), appID, c.user.ID)
	if err != nil || standing.Request == nil {
		c.f.t.Fatalf("request: %+v, %v", standing, err)
	}
	return standing.Request.ID
}

// joinUntil adds a user to a group until a time, thirty days ago.
func (f *fixture) joinUntil(g directory.Group, u directory.User, until time.Time) {
	f.t.Helper()
	err := f.store.ChangeMembership(f.t.Context(), g.ID, u.ID, func(g directory.Group, u directory.User, old *directory.Membership) (*directory.Membership, event.Event, error) {
		return directory.Join(event.Origin{}, g, u, old, until, f.clock.now().AddDate(0, 0, -30))
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) memberships(u directory.User) []directory.Membership {
	f.t.Helper()
	list, err := f.store.ListMemberships(f.t.Context(), u.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}

// accessScene is an app that a group opens, with an administrator and a member without access.
type accessScene struct {
	*fixture
	app        apps.App
	group      directory.Group
	ada, grace *caller
}

func newAccess(t *testing.T, changes ...func(*Options)) accessScene {
	t.Helper()
	f := newFixture(t, changes...)
	x := accessScene{fixture: f, ada: f.signedIn(directory.Admin, "ada@example.com"), grace: f.signedIn(directory.Member, "grace@example.com")}
	x.group = f.addGroup("Staff")
	x.app = f.addApp("Wiki", "https://wiki.example.com", x.group)
	return x
}

func (x accessScene) askPath() string { return askPath(x.app.ID) }

func TestAsk_ThenApproved(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	if a := x.grace.get(x.askPath()); a.status != http.StatusOK || a.Heading() != "Request access to Wiki" {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	id := x.grace.requestAccess(x.app.ID, "for the handover")
	if a := x.grace.get(x.askPath()); !strings.Contains(a.Text(), "waiting for an administrator") || !strings.Contains(a.Text(), "for the handover") || strings.Contains(a.Text(), "email you") {
		t.Errorf("pending: %s", a.Text())
	}
	a := x.ada.get("/requests")
	for _, want := range []string{"Requests 1", "grace@example.com wants to open Wiki", "for the handover", "just now"} {
		if !strings.Contains(a.Text(), want) {
			t.Errorf("the queue doesn't say %q: %s", want, a.Text())
		}
	}
	a = x.ada.form("/requests/"+id+"/approve", "days", "7", "date", "")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/requests" {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	a = x.ada.get("/requests")
	if !strings.Contains(a.Text(), "grace@example.com can open Wiki until 8 March 2026, 12:00 UTC. Let them know: no email is sent.") || !strings.Contains(a.Text(), "No requests waiting") {
		t.Errorf("approved: %s", a.Text())
	}
	want := []directory.Membership{{GroupID: x.group.ID, GroupName: "Staff", UserID: x.grace.user.ID, Until: noon.AddDate(0, 0, 7), AddedBy: x.ada.user.ID, CreatedAt: noon}}
	if diff := cmp.Diff(want, x.memberships(x.grace.user)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	x.clock.advance(-time.Hour) // until the end is more than a week away
	if a := x.grace.get(x.askPath()); !strings.Contains(a.Text(), "You can open Wiki until 8 March 2026") || strings.Contains(a.Text(), "Request access") {
		t.Errorf("with access: %s", a.Text())
	}
	x.clock.advance(8 * 24 * time.Hour)
	x.grace = x.signedIn(directory.Member, "grace@example.com")
	if a := x.grace.get(x.askPath()); a.Heading() != "Request access to Wiki" || strings.Contains(a.Text(), "until 8 March") {
		t.Errorf("after it has ended: %s", a.Text())
	}
}

func TestAsk_RevealsNoApps(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	hidden := x.addApp("Payroll", "https://payroll.example.com", x.group)
	if _, err := x.store.ChangeApp(t.Context(), hidden.ID, func(a apps.App) (apps.App, event.Event, error) {
		a.AllowRequests = false
		return a, event.Event{Kind: event.AppEdited, ID: token.NewID(), At: noon, Changes: []event.Change{{Field: "requests"}}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	unknown := x.grace.get("/apps/0199f3a1-44a0-7c3b-9f10-0c5e7a9d2b31/request")
	for name, a := range map[string]answer{
		"the page": x.grace.get("/apps/" + hidden.ID + "/request"), "the form": x.grace.form("/apps/"+hidden.ID+"/request", "note", "x"),
	} {
		if a.status != http.StatusNotFound || a.Text() != unknown.Text() {
			t.Errorf("%s of an app without requests: %d %s", name, a.status, a.Text())
		}
	}
	if n, err := x.store.CountPendingRequests(t.Context(), 9); n != 0 || err != nil {
		t.Errorf("%d requests, %v", n, err)
	}
	x.joinUntil(x.group, x.grace.user, time.Time{})
	if a := x.grace.get("/apps/" + hidden.ID + "/request"); a.status != http.StatusOK || !strings.Contains(a.Text(), "You can open Payroll.") {
		t.Errorf("with access: %d %s", a.status, a.Text())
	}
}

func TestAsk_DeniedMustWait(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	id := x.grace.requestAccess(x.app.ID, "")
	a := x.ada.form("/requests/"+id+"/deny", "reason", "Use the \u202eread-only\ncopy.")
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	a = x.grace.get(x.askPath())
	if !strings.Contains(a.Text(), "denied your request") || !strings.Contains(a.Text(), "Use the read-only copy.") || !strings.Contains(a.Text(), "ask again from 2 March 2026, 12:00 UTC") || strings.Contains(a.body, "<form method=\"post\" action=\"/apps/") {
		t.Errorf("denied: %s", a.Text())
	}
	x.clock.advance(24*time.Hour - time.Microsecond)
	x.grace = x.signedIn(directory.Member, "grace@example.com")
	if a := x.grace.form(x.askPath(), "note", "please"); a.header.Get("Location") != x.askPath() {
		t.Errorf("too early: %d %s", a.status, a.Text())
	}
	if n, _ := x.store.CountPendingRequests(t.Context(), 9); n != 0 {
		t.Errorf("%d requests are pending", n)
	}
	x.clock.advance(time.Microsecond)
	x.grace.requestAccess(x.app.ID, "please")
	if a := x.grace.get(x.askPath()); !strings.Contains(a.Text(), "You asked for access just now") {
		t.Errorf("asked again: %s", a.Text())
	}
}

func TestAsk_LimitPerDay(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	for i := range 10 {
		x.grace.requestAccess(x.addApp(fmt.Sprint("App ", i), fmt.Sprintf("https://app%d.example.com", i), x.group).ID, "")
	}
	a := x.grace.form(x.askPath(), "note", "what I typed")
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "7200" || !strings.Contains(a.Text(), "Try again in 2 hours") || !strings.Contains(a.body, "what I typed") {
		t.Errorf("%d %q %s", a.status, a.header.Get("Retry-After"), a.Text())
	}
	x.signedIn(directory.Member, "joan@example.com").requestAccess(x.app.ID, "") // another's limit
	x.clock.advance(2 * time.Hour)
	x.signedIn(directory.Member, "grace@example.com").requestAccess(x.app.ID, "")
}

func TestAsk_InvalidNoteIsKept(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	long := strings.Repeat("ä", 401)
	a := x.grace.form(x.askPath(), "note", long)
	if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), "Use at most 400 characters.") || !strings.Contains(a.body, long) {
		t.Errorf("%d %s", a.status, a.Text())
	}
	x.grace.requestAccess(x.app.ID, long[:800])
}

func TestRequests_OwnCannotBeDecided(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	id := x.ada.requestAccess(x.app.ID, "for me")
	if a := x.ada.get("/requests"); !strings.Contains(a.Text(), "Another administrator has to decide it.") || strings.Contains(a.body, "/requests/"+id+"/approve") {
		t.Errorf("the queue: %s", a.Text())
	}
	secret := x.ada.newToken(token.Write)
	for name, a := range map[string]answer{
		"approve":             x.ada.form("/requests/" + id + "/approve"),
		"deny":                x.ada.form("/requests/" + id + "/deny"),
		"approve by API":      x.ada.json("POST", "/api/requests/"+id+"/approve", "{}"),
		"approve by token":    x.visitor().sendWithToken(secret, "POST", "/api/requests/"+id+"/approve", "{}"),
		"deny by token":       x.visitor().sendWithToken(secret, "POST", "/api/requests/"+id+"/deny", "{}"),
		"approve by 2nd tab":  x.ada.form("/requests/"+id+"/approve", "days", "1"),
		"approve with groups": x.ada.form("/requests/"+id+"/approve", "group", x.group.ID),
	} {
		if a.status != http.StatusForbidden || !strings.Contains(a.body, "own request") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if m := x.memberships(x.ada.user); len(m) != 0 {
		t.Errorf("memberships %+v", m)
	}
	if a := x.signedIn(directory.Admin, "joan@example.com").form("/requests/" + id + "/approve"); a.status != http.StatusSeeOther || len(x.memberships(x.ada.user)) != 1 {
		t.Errorf("another administrator: %d %s", a.status, a.Text())
	}
}

func TestRequests_DecidedOnce(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	joan := x.signedIn(directory.Admin, "joan@example.com")
	id := x.grace.requestAccess(x.app.ID, "")
	x.ada.form("/requests/" + id + "/approve")
	for _, decision := range []string{"approve", "deny"} {
		a := joan.form("/requests/" + id + "/" + decision)
		if a.status != http.StatusSeeOther || a.header.Get("Location") != "/requests" {
			t.Errorf("%s: %d %s", decision, a.status, a.Text())
		}
		if a := joan.get("/requests"); !strings.Contains(a.Text(), "grace@example.com’s request for Wiki was already approved by ada@example.com. Nothing was changed.") {
			t.Errorf("%s: %s", decision, a.Text())
		}
		if a := joan.json("POST", "/api/requests/"+id+"/"+decision, "{}"); a.status != http.StatusConflict {
			t.Errorf("%s by API: %d %s", decision, a.status, a.body)
		}
	}
	if a := joan.form("/requests/nothing/approve"); a.status != http.StatusNotFound || a.Heading() != "Request not found" {
		t.Errorf("unknown: %d %s", a.status, a.Text())
	}
}

func TestRequests_InvalidApprovalIsShownAgain(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	guests := x.addGroup("Guests")
	app := x.addApp("Board", "https://board.example.com", x.group, guests)
	id := x.grace.requestAccess(app.ID, "")
	for _, r := range []struct{ group, days, date, says string }{
		{"", "7", "", "Choose one of the app’s groups."},
		{"somebody's", "", "", "Choose one of the app’s groups."},
		{guests.ID, "", "2026-02-28", "Choose a date in the future."},
		{guests.ID, "", "soon", "Write the date as YYYY-MM-DD."},
		{guests.ID, "5", "", "Choose one of these times."},
	} {
		a := x.ada.form("/requests/"+id+"/approve", "group", r.group, "days", r.days, "date", r.date)
		if a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), r.says) {
			t.Errorf("%+v: %d %s", r, a.status, a.Text())
		}
		if r.group == guests.ID && !strings.Contains(a.body, `value="`+guests.ID+`" selected`) || r.date != "" && !strings.Contains(a.body, `value="`+r.date+`"`) {
			t.Errorf("%+v: what was typed is lost: %s", r, a.body)
		}
	}
	long := strings.Repeat("x", 401)
	if a := x.ada.form("/requests/"+id+"/deny", "reason", long); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, long) || !strings.Contains(a.body, "<details class=\"deny\" open>") {
		t.Errorf("a long reason: %d %s", a.status, a.Text())
	}
	if len(x.memberships(x.grace.user)) != 0 {
		t.Error("a membership was added")
	}
	a := x.ada.form("/requests/"+id+"/approve", "group", guests.ID, "days", "7", "date", "2026-03-31")
	if m := x.memberships(x.grace.user); a.status != http.StatusSeeOther || len(m) != 1 || m[0].GroupName != "Guests" || !m[0].Until.Equal(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("with a date: %d %+v", a.status, m)
	}
}

func TestRequests_MootOnesSaySo(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	edit := func(change func(*apps.App)) func(string) {
		return func(string) {
			if _, err := x.store.ChangeApp(t.Context(), x.app.ID, func(a apps.App) (apps.App, event.Event, error) {
				change(&a)
				return a, event.Event{Kind: event.AppEdited, ID: token.NewID(), At: noon, Changes: []event.Change{{Field: "opens to"}}}, nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	suspend := func(id string) {
		suspended := string(directory.Suspended)
		if _, err := x.server.opts.Directory.Edit(t.Context(), directory.Actor{}, id, directory.Edit{Status: &suspended}); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range []struct {
		name    string
		happens func(userID string)
		says    string
		status  int // of an approval
	}{
		{"suspended", suspend, "This person is suspended.", http.StatusConflict},
		{"no groups", edit(func(a *apps.App) { a.Groups = nil }), "No group opens this app.", http.StatusConflict},
		{"open to everyone", edit(func(a *apps.App) { a.Audience = apps.Everyone }), "Everyone on the list can open this app now", http.StatusSeeOther},
	} {
		edit(func(a *apps.App) { a.Audience, a.Groups = apps.Groups, []directory.Group{x.group} })("")
		c := x.signedIn(directory.Member, fmt.Sprintf("u%d@example.com", i))
		id := c.requestAccess(x.app.ID, "")
		r.happens(c.user.ID)
		if a := x.ada.get("/requests"); !strings.Contains(a.Text(), r.says) {
			t.Errorf("%s: the queue says %s", r.name, a.Text())
		}
		if a := x.ada.form("/requests/" + id + "/approve"); a.status != r.status {
			t.Errorf("%s: %d %s", r.name, a.status, a.Text())
		}
		if m := x.memberships(c.user); len(m) != 0 {
			t.Errorf("%s: memberships %+v", r.name, m)
		}
		x.ada.form("/requests/" + id + "/deny")
	}
	edit(func(a *apps.App) { a.Audience = apps.Groups })("")
	id := x.grace.requestAccess(x.app.ID, "")
	if _, err := x.server.opts.Directory.Remove(t.Context(), directory.Actor{}, x.grace.user.ID); err != nil {
		t.Fatal(err)
	}
	if a := x.ada.get("/requests"); !strings.Contains(a.Text(), "No requests waiting") {
		t.Errorf("of a removed user: %s", a.Text())
	}
	if a := x.ada.form("/requests/" + id + "/approve"); a.status != http.StatusNotFound {
		t.Errorf("of a removed user: %d %s", a.status, a.Text())
	}
}

func TestRequests_MembersSeeNoCount(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	x.grace.requestAccess(x.app.ID, "")
	counted := 0
	x.store.Watch(watching("CountRequests", &counted))
	x.grace.get("/profile")
	if x.ada.get("/profile"); counted != 1 {
		t.Errorf("counted %d times for a member and an administrator", counted)
	}
	if a := x.grace.get("/requests"); a.status != http.StatusForbidden {
		t.Errorf("a member: %d", a.status)
	}
}

func TestRequests_EmailsAreAnnouncedIfPossible(t *testing.T) {
	t.Parallel()
	x := newAccess(t, func(o *Options) { o.MailsNotices = true })
	id := x.grace.requestAccess(x.app.ID, "")
	if a := x.grace.get(x.askPath()); !strings.Contains(a.Text(), "We’ll email you when an administrator decides.") {
		t.Errorf("the page says %s", a.Text())
	}
	x.ada.form("/requests/"+id+"/deny", "reason", "")
	if a := x.ada.get("/requests"); !strings.Contains(a.Text(), "Denied grace@example.com’s request for Wiki. We’ll email them.") {
		t.Errorf("the queue says %s", a.Text())
	}
}

func TestRenew_ExtendsOnce(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	end := noon.Add(48 * time.Hour)
	x.joinUntil(x.group, x.grace.user, end)
	path := "/users/" + x.grace.user.ID + "/groups/" + x.group.ID + "/renew"
	before := x.memberships(x.grace.user)
	a := x.ada.get(path)
	if a.status != http.StatusOK || !strings.Contains(a.Text(), "ends on 3 March 2026, 12:00 UTC. It opens Wiki.") || !cmp.Equal(before, x.memberships(x.grace.user)) {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if a := x.ada.get("/requests"); !strings.Contains(a.Text(), "Access that ends soon") || !strings.Contains(a.Text(), "grace@example.com in Staff ends 3 March 2026, 12:00 UTC") {
		t.Errorf("the queue: %s", a.Text())
	}
	ends := end.Format(time.RFC3339Nano)
	if a := x.ada.form(path, "ends", ends, "days", "31"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), "Choose one of these times.") {
		t.Errorf("31 days: %d %s", a.status, a.Text())
	}
	if a := x.ada.form(path, "ends", "soon"); a.status != http.StatusBadRequest {
		t.Errorf("a damaged form: %d", a.status)
	}
	for i, want := range []string{"grace@example.com stays in Staff until 2 April 2026.", "was already changed. It ends on 2 April 2026."} {
		if a := x.ada.form(path, "ends", ends); a.status != http.StatusSeeOther {
			t.Errorf("time %d: %d %s", i, a.status, a.Text())
		}
		if a := x.ada.get("/requests"); !strings.Contains(a.Text(), want) {
			t.Errorf("time %d: %s", i, a.Text())
		}
	}
	if a := x.grace.form(path, "ends", ends); a.status != http.StatusForbidden {
		t.Errorf("a member: %d", a.status)
	}
	if a := x.ada.get("/users/" + x.ada.user.ID + "/groups/" + x.group.ID + "/renew"); a.status != http.StatusNotFound {
		t.Errorf("not in the group: %d %s", a.status, a.Text())
	}
}

func TestAsk_BeforeAccessEnds(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	x.joinUntil(x.group, x.grace.user, noon.Add(48*time.Hour))
	if a := x.grace.get(x.askPath()); !strings.Contains(a.Text(), "You can open Wiki until 3 March 2026, 12:00 UTC. Ask an administrator if you need it for longer.") {
		t.Errorf("the page says %s", a.Text())
	}
	id := x.grace.requestAccess(x.app.ID, "")
	if a := x.ada.get("/requests"); !strings.Contains(a.Text(), "They can open it until 3 March 2026, 12:00 UTC, and ask to keep it.") {
		t.Errorf("the queue says %s", a.Text())
	}
	if a := x.ada.form("/requests/"+id+"/approve", "days", "1"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), "Choose a later date.") {
		t.Errorf("a shorter time: %d %s", a.status, a.Text())
	}
	x.ada.form("/requests/"+id+"/approve", "days", "30")
	if m := x.memberships(x.grace.user); len(m) != 1 || !m[0].Until.Equal(noon.AddDate(0, 0, 30)) {
		t.Errorf("memberships %+v", m)
	}
}

func TestRequestsAPI_ListsAndDecides(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	joan := x.signedIn(directory.Member, "joan@example.com")
	first := x.grace.requestAccess(x.app.ID, "first")
	x.clock.advance(time.Minute)
	second := joan.requestAccess(x.app.ID, "second")
	page := x.ada.get("/api/requests?limit=1").object(t)
	cursor, _ := page["next_cursor"].(string)
	rest := x.ada.get("/api/requests?limit=1&cursor=" + cursor).object(t)
	for i, list := range []any{page["requests"], rest["requests"]} {
		r := list.([]any)[0].(map[string]any)
		if r["id"] != []string{first, second}[i] || r["note"] != []string{"first", "second"}[i] || r["state"] != "pending" || r["decided_at"] != nil {
			t.Errorf("page %d: %v", i, r)
		}
	}
	if rest["next_cursor"] != nil {
		t.Errorf("after the last: %v", rest["next_cursor"])
	}
	secret := x.ada.newToken(token.Write)
	a := x.visitor().sendWithToken(secret, "POST", "/api/requests/"+first+"/approve", `{"group":"staff","until":"2026-03-31"}`)
	if o := a.object(t); a.status != http.StatusOK || o["state"] != "approved" || o["decided_by"] != x.ada.user.ID {
		t.Errorf("%d %s", a.status, a.body)
	}
	if m := x.memberships(x.grace.user); len(m) != 1 || !m[0].Until.Equal(time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("memberships %+v", m)
	}
	if a := x.visitor().sendWithToken(secret, "POST", "/api/requests/"+second+"/deny", `{"reason":"no"}`); a.status != http.StatusOK || a.object(t)["reason"] != "no" {
		t.Errorf("%d %s", a.status, a.body)
	}
	for state, want := range map[string]int{"": 0, "pending": 0, "approved": 1, "denied": 1} {
		if list := x.ada.get("/api/requests?state=" + state).object(t)["requests"].([]any); len(list) != want {
			t.Errorf("%q: %v", state, list)
		}
	}
	for _, query := range []string{"cursor=x", "cursor=2026-03-01T12:00:00Z", "limit=0", "state=gone"} {
		if a := x.ada.get("/api/requests?" + query); a.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
	if a := x.ada.get("/api/events?kind=access_approved"); !strings.Contains(a.body, `"reason":"Wiki"`) || !strings.Contains(a.body, `"token":"deploy"`) {
		t.Errorf("on record: %s", a.body)
	}
}

// watching returns an observer of queries that counts those with a name.
func watching(name string, n *int) func(context.Context, string) func(error) {
	return func(_ context.Context, query string) func(error) {
		if query == name {
			*n++
		}
		return func(error) {}
	}
}

func TestWhy_SaysThatAccessWasRequested(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	askedAt := x.clock.now()
	x.grace.requestAccess(x.app.ID, "")
	const says, action = "and no one has decided yet.", "Approve or deny their request."
	var got apps.DiagnosisJSON
	x.ada.get("/api/why?email=grace@example.com&app=wiki").decode(t, &got)
	if got.App == nil || !strings.Contains(got.App.Text, says) || got.App.Action != action || got.App.RequestedAt == nil || !got.App.RequestedAt.Equal(askedAt.Truncate(time.Microsecond)) {
		t.Errorf("the API says %+v", got.App)
	}
	for _, a := range []answer{x.ada.form("/why", "email", "grace@example.com", "app", x.app.ID), x.ada.get("/users/" + x.grace.user.ID + "/why?app=" + x.app.ID)} {
		if page := a.Text(); a.status != http.StatusOK || !strings.Contains(page, says) || !strings.Contains(page, action) || !strings.Contains(a.body, `href="/requests">See requests`) {
			t.Errorf("the page says %d %s", a.status, page)
		}
	}
	x.ada.get("/api/why?email=ada@example.com&app=wiki").decode(t, &got)
	if strings.Contains(got.App.Text, says) {
		t.Errorf("about another person: %+v", got.App)
	}
}

func TestAccess_EndsOnItsLastDayOnEveryPage(t *testing.T) {
	t.Parallel()
	x := newAccess(t)
	x.joinUntil(x.group, x.grace.user, time.Date(2026, 3, 6, 0, 0, 0, 0, time.UTC))
	want := func(c *caller, path, says string) {
		t.Helper()
		if a := c.get(path); a.status != http.StatusOK || !strings.Contains(a.Text(), says) || strings.Contains(a.Text(), "00:00") {
			t.Errorf("%s: %d %s", path, a.status, a.Text())
		}
	}
	want(x.ada, "/requests", "grace@example.com in Staff ends 5 March 2026")
	want(x.ada, "/users/"+x.grace.user.ID+"/groups/"+x.group.ID+"/renew", "ends on 5 March 2026.")
	want(x.ada, "/users/"+x.grace.user.ID, "until 5 March 2026")
	want(x.grace, x.askPath(), "You can open Wiki until 5 March 2026.")
	id := x.grace.requestAccess(x.app.ID, "")
	want(x.ada, "/requests", "They can open it until 5 March 2026, and ask to keep it.")
	if a := x.ada.form("/requests/"+id+"/approve", "date", "2026-03-01"); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), "They have access until 5 March 2026 already. Choose a later date.") {
		t.Errorf("an earlier day: %d %s", a.status, a.Text())
	}
	if a := x.ada.form("/requests/"+id+"/approve", "date", "2026-03-31"); a.status != http.StatusSeeOther {
		t.Errorf("approve: %d %s", a.status, a.Text())
	}
	want(x.ada, "/requests", "grace@example.com can open Wiki until 31 March 2026.")
}
