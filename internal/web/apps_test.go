package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/session"
)

// joinUser adds a user to a group.
func (f *fixture) joinUser(g directory.Group, userID string, until time.Time) {
	f.t.Helper()
	if err := f.server.opts.Groups.Join(f.t.Context(), event.Origin{}, g.ID, userID, until); err != nil {
		f.t.Fatal(err)
	}
}

// getApp reads an app.
func (f *fixture) getApp(id string) apps.App {
	f.t.Helper()
	a, err := f.server.opts.Apps.Get(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	return a
}

func TestNewApp_IsAddedAndShowsItsSnippets(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.Addr = "0.0.0.0:8080" })
	ada := f.signedIn(directory.Admin, "ada@example.com")
	family := f.addGroup("Family")
	if a := ada.get("/apps/new"); a.status != http.StatusOK || strings.Contains(a.body, " checked") {
		t.Errorf("a choice is made already: %d %s", a.status, a.body)
	}
	a := ada.form("/apps/new", "name", "Wiki", "url", "https://Wiki.example.com/", "audience", "groups", "groups", family.ID,
		"upstream", "http://127.0.0.1:3000", "public_paths", "/health\n/assets/*", "allow_requests", "yes")
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/apps/") {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	page := ada.get(a.header.Get("Location"))
	for _, want := range []string{
		"Wiki was added. Next, connect it.", "https://wiki.example.com", "forward_auth 127.0.0.1:8080", "auth_request /.guestlist-auth", "forwardAuth:",
		"No request has arrived since Guestlist started.", "Family",
	} {
		if !strings.Contains(page.Text(), want) {
			t.Errorf("no %q: %s", want, page.Text())
		}
	}
	got := f.getApp(strings.TrimPrefix(a.header.Get("Location"), "/apps/"))
	if got.Host != "wiki.example.com" || got.Audience != apps.Groups || !got.OpensTo(family.ID) || got.Upstream != "http://127.0.0.1:3000" ||
		strings.Join(got.PublicPaths, " ") != "/health /assets/*" || !got.AllowRequests {
		t.Errorf("%+v", got)
	}
}

func TestAppForm_RefusesBadInputAndKeepsIt(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	family := f.addGroup("Family")
	f.addApp("Taken", "https://taken.example.com")
	existing := f.addApp("Existing", "https://existing.example.com")
	good := url.Values{"name": {"Wiki"}, "url": {"https://wiki.example.com"}, "audience": {"everyone"}}
	for _, row := range []struct {
		name   string
		change url.Values
		status int
		want   string
	}{
		{"no name", url.Values{"name": {" "}}, 422, "Name the app."},
		{"a name that is taken", url.Values{"name": {"taken"}}, 409, "Another app has this name."},
		{"a path", url.Values{"url": {"https://wiki.example.com/start"}}, 422, "without a path"},
		{"no scheme", url.Values{"url": {"wiki.example.com"}}, 422, "Write the address as"},
		{"a script", url.Values{"url": {"javascript:alert(1)"}}, 422, "Write the address as"},
		{"an address that is taken", url.Values{"url": {"https://TAKEN.example.com."}}, 409, "Another app has this address."},
		{"Guestlist itself", url.Values{"url": {"http://localhost:8080"}}, 422, "Guestlist’s own address"},
		{"no choice", url.Values{"audience": {""}}, 422, "Choose who may open the app."},
		{"an unknown choice", url.Values{"audience": {"nobody"}}, 422, "Choose who may open the app."},
		{"no group", url.Values{"audience": {"groups"}}, 422, "Choose at least one group."},
		{"an unknown group", url.Values{"audience": {"groups"}, "groups": {"x"}}, 422, "One of these groups doesn’t exist any more."},
		{"an unknown name of a group", url.Values{"audience": {"groups"}, "groups": {family.ID}, "group_names": {"Friends"}}, 422, "There’s no group called “Friends”."},
		{"an upstream with a path", url.Values{"upstream": {"http://127.0.0.1:3000/wiki"}}, 422, "Leave out the path."},
		{"Guestlist as its own upstream", url.Values{"upstream": {"http://localhost:8080"}}, 422, "This is Guestlist itself"},
		{"a file as the upstream", url.Values{"upstream": {"file:///etc/passwd"}}, 422, "Write where the app listens"},
		{"a link with a password", url.Values{"home_url": {"https://ada:secret@example.com/"}}, 422, "Leave out the user name and password."},
		{"a link that is a script", url.Values{"home_url": {"javascript:alert(1)"}}, 422, "Write the link as https://example.com/grafana."},
		{"an upstream without an address", url.Values{"url": {""}, "upstream": {"http://127.0.0.1:3000"}}, 422, "Give the app an address first."},
		{"public paths without an address", url.Values{"url": {" "}, "public_paths": {"/health"}}, 422, "Give the app an address first."},
		{"a public path with a query", url.Values{"public_paths": {"/a?b"}}, 422, "A path has no query"},
	} {
		v := url.Values{}
		for field, values := range good {
			v[field] = values
		}
		for field, values := range row.change {
			v[field] = values
		}
		for _, path := range []string{"/apps/new", "/apps/" + existing.ID} {
			before := f.rows()
			a := ada.send("POST", path, v.Encode(), "Content-Type", "application/x-www-form-urlencoded")
			if a.status != row.status || !strings.Contains(a.Text(), row.want) {
				t.Errorf("%s at %s: %d, no %q: %s", row.name, path, a.status, row.want, a.Text())
			}
			for field, values := range v {
				if typed := strings.TrimSpace(values[0]); typed != "" && field != "audience" && field != "groups" && !strings.Contains(a.body, typed) {
					t.Errorf("%s at %s: %s is lost", row.name, path, field)
				}
			}
			if f.rows() != before {
				t.Errorf("%s at %s: something was saved", row.name, path)
			}
		}
	}
}

// Two administrators edit one app. The form of the second must not reopen what the first closed.
func TestEditApp_RefusesAFormFromBeforeAnotherChange(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	family := f.addGroup("Family")
	app := f.addApp("Wiki", "https://wiki.example.com")
	stale := ada.get("/apps/" + app.ID)
	seen := f.server.opts.Now().Format(time.RFC3339Nano)
	if !strings.Contains(stale.body, `name="seen" value="`+seen+`"`) {
		t.Fatalf("the form has no version %s: %s", seen, stale.body)
	}
	f.clock.advance(time.Minute)
	if a := ada.form("/apps/"+app.ID, "seen", seen, "name", "Wiki", "url", "https://wiki.example.com", "audience", "groups", "groups", family.ID); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	again := []string{"name", "The wiki", "url", "https://wiki.example.com", "audience", "everyone"}
	a := ada.form("/apps/"+app.ID, append([]string{"seen", seen}, again...)...)
	if a.status != http.StatusConflict || !strings.Contains(a.Text(), "Someone else changed this app") || !strings.Contains(a.body, `value="The wiki"`) {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if got := f.getApp(app.ID); got.Audience != apps.Groups || got.Name != "Wiki" {
		t.Errorf("it was saved: %+v", got)
	}
	current := f.clock.now().Format(time.RFC3339Nano)
	if !strings.Contains(a.body, `name="seen" value="`+current+`"`) {
		t.Errorf("the form can't be sent again: %s", a.body)
	}
	if a := ada.form("/apps/"+app.ID, append([]string{"seen", current}, again...)...); a.status != http.StatusSeeOther {
		t.Errorf("once more: %d %s", a.status, a.Text())
	}
	if a := ada.form("/apps/"+app.ID, append([]string{"seen", "yesterday"}, again...)...); a.status != http.StatusBadRequest {
		t.Errorf("a made-up version: %d", a.status)
	}
}

func TestAppPage_SaysWhenRequestsArrive(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	app := f.addApp("Wiki", "https://wiki.example.com")
	if _, err := f.server.opts.Apps.Check(t.Context(), app.Host, "", session.Browser{}); err != nil {
		t.Fatal(err)
	}
	f.clock.advance(4 * time.Minute)
	if a := ada.get("/apps/" + app.ID); !strings.Contains(a.Text(), "Connected") || !strings.Contains(a.Text(), "Last request 4 minutes ago.") {
		t.Errorf("%s", a.Text())
	}
	f.clock.advance(48 * time.Hour)
	ada = f.signedIn(directory.Admin, "ada@example.com")
	if a := ada.get("/apps/" + app.ID); strings.Contains(a.Text(), "Connected") || !strings.Contains(a.Text(), "Last request 2 days ago.") {
		t.Errorf("%s", a.Text())
	}
}

func TestTestApp_SaysWhetherGuestlistAnswered(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	connected := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Cookies()) > 0 {
			t.Errorf("the request has cookies: %v", r.Cookies())
		}
		w.Header().Set("X-Guestlist-Sign-In", "http://localhost:8080/enter?t=x")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer connected.Close()
	open := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("the secret of the app")) }))
	defer open.Close()
	for _, row := range []struct{ name, address, want string }{
		{"Connected", connected.URL, "Requests reach Guestlist."},
		{"Open", open.URL, "without asking Guestlist, so the app may be open to anyone"},
	} {
		app := f.addApp(row.name, row.address)
		a := ada.form("/apps/" + app.ID + "/test")
		if a.status != http.StatusSeeOther || a.header.Get("Location") != "/apps/"+app.ID {
			t.Errorf("%s: %d %s", row.name, a.status, a.Text())
		}
		if page := ada.get("/apps/" + app.ID); !strings.Contains(page.Text(), row.want) || strings.Contains(page.Text(), "secret") {
			t.Errorf("%s: no %q: %s", row.name, row.want, page.Text())
		}
	}
}

func TestRemoveApp_AsksAndRemoves(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	app := f.addApp("Wiki", "https://wiki.example.com")
	if a := ada.get("/apps/" + app.ID + "/remove"); a.Heading() != "Remove Wiki?" || !strings.Contains(a.Text(), "https://wiki.example.com") {
		t.Errorf("%s", a.Text())
	}
	if a := ada.form("/apps/" + app.ID + "/remove"); a.status != http.StatusSeeOther || a.header.Get("Location") != "/apps" {
		t.Errorf("%d %s", a.status, a.Text())
	}
	for _, request := range [][2]string{{"GET", ""}, {"POST", ""}, {"GET", "/remove"}, {"POST", "/remove"}, {"POST", "/test"}, {"POST", "/tokens"}, {"GET", "/tokens/x/revoke"}} {
		if a := ada.send(request[0], "/apps/"+app.ID+request[1], "", "Content-Type", "application/x-www-form-urlencoded"); a.status != http.StatusNotFound && a.status != http.StatusUnprocessableEntity || a.status == http.StatusNotFound && a.Heading() != "This app was removed" {
			t.Errorf("%s %s: %d %s", request[0], request[1], a.status, a.Heading())
		}
	}
	if a := ada.get("/activity"); !strings.Contains(a.Text(), "App removed: Wiki") {
		t.Errorf("the audit log: %s", a.Text())
	}
}

func TestAppToken_IsShownOnceAndRevoked(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	app := f.addApp("Wiki", "https://wiki.example.com")
	path := "/apps/" + app.ID
	id := apps.NewTokenID()
	a := ada.form(path+"/tokens", "id", id, "name", "Backup", "email", "ADA@example.com", "days", "30")
	if a.status != http.StatusOK || !strings.Contains(a.body, apps.TokenPrefix) || !strings.Contains(a.Text(), "You won’t be able to see it again.") {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	if a := ada.form(path+"/tokens", "id", id, "name", "Backup", "days", "30"); a.status != http.StatusSeeOther || a.header.Get("Location") != path {
		t.Errorf("sent again: %d %s", a.status, a.Text())
	}
	if a := ada.get(path + "/tokens"); a.status != http.StatusSeeOther || a.header.Get("Location") != path {
		t.Errorf("reloaded: %d, leads to %s", a.status, a.header.Get("Location"))
	}
	page := ada.get(path)
	if strings.Contains(page.body, apps.TokenPrefix) || !strings.Contains(page.Text(), "Backup") {
		t.Errorf("the page: %s", page.Text())
	}
	for _, row := range []struct {
		values []string
		want   string
	}{
		{[]string{"id", apps.NewTokenID(), "name", " ", "days", "30"}, "Name it by what will use it."},
		{[]string{"id", apps.NewTokenID(), "name", "x", "days", "31"}, "Choose one of these times."},
		{[]string{"id", apps.NewTokenID(), "name", "x", "days", "30", "email", "ada@"}, "Enter one email address"},
		{[]string{"id", apps.NewTokenID(), "name", "x", "days", "30", "email", "nobody@example.com"}, "nobody@example.com isn’t on the list."},
	} {
		if a := ada.form(path+"/tokens", row.values...); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.Text(), row.want) {
			t.Errorf("%v: %d, no %q: %s", row.values, a.status, row.want, a.Text())
		}
	}
	if a := ada.form(path+"/tokens", "id", "x", "name", "x", "days", "30"); a.status != http.StatusBadRequest {
		t.Errorf("a damaged form: %d", a.status)
	}
	other := f.addApp("Other", "https://other.example.com")
	if a := ada.form("/apps/" + other.ID + "/tokens/" + id + "/revoke"); a.status != http.StatusNotFound {
		t.Errorf("as a token of another app: %d", a.status)
	}
	if a := ada.get(path + "/tokens/" + id + "/revoke"); a.Heading() != "Revoke Backup?" {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if a := ada.form(path + "/tokens/" + id + "/revoke"); a.status != http.StatusSeeOther {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if a := ada.form(path + "/tokens/" + id + "/revoke"); a.status != http.StatusNotFound || a.Heading() != "Token not found" {
		t.Errorf("revoked twice: %d %s", a.status, a.Text())
	}
}

// With more groups than boxes, the form has a field for names.
func TestAppForm_ManyGroupsAreChosenByName(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for range maxGroupChoices + 1 {
		f.addGroup("Group " + apps.NewTokenID())
	}
	family, friends := f.addGroup("Family"), f.addGroup("Friends")
	app := f.addApp("Wiki", "https://wiki.example.com", family)
	page := ada.get("/apps/" + app.ID)
	if got := strings.Count(page.body, `name="groups"`); got != 1 || !strings.Contains(page.body, `name="group_names"`) {
		t.Errorf("%d boxes", got)
	}
	a := ada.form("/apps/"+app.ID, "name", "Wiki", "url", "https://wiki.example.com", "audience", "groups", "groups", family.ID, "group_names", " friends, FAMILY,")
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	if got := f.getApp(app.ID); len(got.Groups) != 2 || !got.OpensTo(friends.ID) {
		t.Errorf("%+v", got.Groups)
	}
}
