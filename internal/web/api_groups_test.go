package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/token"
)

// member makes a user a member until a time, zero for no end.
func (f *fixture) member(g directory.Group, u directory.User, until time.Time) {
	f.t.Helper()
	f.join(&caller{f: f, user: u}, g, until)
}

// decode parses a JSON response into v.
func (a answer) decode(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("%d %q: %v", a.status, a.body, err)
	}
}

// wantAnswer checks the status of a response and its body, in which id is replaced by ID and the like.
func wantAnswer(t *testing.T, name string, a answer, status int, body string, ids ...string) {
	t.Helper()
	if got := strings.NewReplacer(ids...).Replace(a.body); a.status != status || got != body+"\n" {
		t.Errorf("%s: %d %s\nwant %d %s", name, a.status, got, status, body)
	}
}

func TestAPIGroups_CreateRenameRemove(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	a := ada.json("POST", "/api/groups", `{"name":"  Staff & 李 "}`)
	var made directory.GroupJSON
	a.decode(t, &made)
	wantAnswer(t, "created", a, 201, `{"id":"ID","name":"Staff & 李","created_at":"2026-03-01T12:00:00.123456Z","members":0,"apps":0}`, made.ID, "ID")
	if got := a.header.Get("Location"); got != "/api/groups/"+made.ID {
		t.Errorf("Location %q", got)
	}
	wantAnswer(t, "read", ada.get("/api/groups/"+made.ID), 200, `{"id":"ID","name":"Staff & 李","created_at":"2026-03-01T12:00:00.123456Z","members":0,"apps":0}`, made.ID, "ID")
	for body, want := range map[string]string{
		`{"name":"staff & 李"}`: `{"error":"a group with this name exists already"}`,
		`{"name":"a,b"}`:       `{"error":"invalid input","fields":{"name":"A group’s name can’t contain a comma, because apps receive the names separated by commas."}}`,
		`{"name":null}`:        `{"error":"invalid input","fields":{"name":"This field can't be null. Leave it out instead."}}`,
		`{}`:                   `{"error":"invalid input","fields":{"name":"Name the group."}}`,
	} {
		if a := ada.json("POST", "/api/groups", body); a.body != want+"\n" || a.status != 409 && a.status != 422 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	wantAnswer(t, "renamed", ada.json("PATCH", "/api/groups/"+made.ID, `{"name":"Team"}`), 200, `{"id":"ID","name":"Team","created_at":"2026-03-01T12:00:00.123456Z","members":0,"apps":0}`, made.ID, "ID")
	wantAnswer(t, "removed", ada.json("DELETE", "/api/groups/"+made.ID, ""), 200, `{"message":"success"}`)
	for _, r := range [][2]string{{"GET", ""}, {"PATCH", `{"name":"x"}`}, {"DELETE", ""}} {
		wantAnswer(t, r[0]+" a removed group", ada.json(r[0], "/api/groups/"+made.ID, r[1]), 404, `{"error":"group not found"}`)
	}
	var kinds []event.Kind
	for _, e := range ada.get("/api/events?by=ada@example.com").events(t) {
		kinds = append(kinds, event.Kind(fmt.Sprint(e["kind"])))
	}
	if want := []event.Kind{event.GroupRemoved, event.GroupRenamed, event.GroupCreated}; !slices.Equal(kinds, want) {
		t.Errorf("events %v", kinds)
	}
}

func TestAPIGroups_Pages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	var groups []directory.Group
	for i := range 5 {
		groups = append(groups, f.addGroup(fmt.Sprint("Group ", i)))
	}
	f.addApp("Wiki", "https://wiki.example.com", groups[1])
	for i := range 3 {
		f.member(groups[1], f.add(directory.User{Email: directory.Email{Display: fmt.Sprintf("p%d@example.com", i)}}), time.Time{})
	}
	for name, a := range map[string]answer{
		"read": ada.get("/api/groups/" + groups[1].ID), "renamed": ada.json("PATCH", "/api/groups/"+groups[1].ID, `{"name":"Group 1"}`),
	} {
		wantAnswer(t, name, a, 200, `{"id":"ID","name":"Group 1","created_at":"2026-03-01T12:00:00.123456Z","members":3,"apps":1}`, groups[1].ID, "ID")
	}
	var names []string
	for path := "/api/groups?limit=2"; path != ""; {
		var page jsonGroups
		ada.get(path).decode(t, &page)
		for _, g := range page.Groups {
			names = append(names, fmt.Sprintf("%s: %d, %d", g.Name, g.Members, g.Apps))
		}
		path = ""
		if page.NextCursor != nil {
			path = "/api/groups?limit=2&cursor=" + *page.NextCursor
		}
	}
	if diff := cmp.Diff([]string{"Group 0: 0, 0", "Group 1: 3, 1", "Group 2: 0, 0", "Group 3: 0, 0", "Group 4: 0, 0"}, names); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	members, requests := 0, 0
	for path := "/api/groups/" + groups[1].ID + "/members?limit=2"; path != ""; requests++ {
		var page jsonMembers
		ada.get(path).decode(t, &page)
		members += len(page.Members)
		path = ""
		if page.NextCursor != nil {
			path = "/api/groups/" + groups[1].ID + "/members?limit=2&cursor=" + *page.NextCursor
		}
	}
	if members != 3 || requests != 2 {
		t.Errorf("%d members in %d requests", members, requests)
	}
	for _, path := range []string{"/api/groups", "/api/groups/" + groups[1].ID + "/members"} {
		for query, field := range map[string]string{"?limit=201": "limit", "?cursor=" + strings.Repeat("x", 37): "cursor"} {
			if a := ada.get(path + query); a.status != 422 || !strings.Contains(a.body, `"`+field+`":`) {
				t.Errorf("%s%s: %d %s", path, query, a.status, a.body)
			}
		}
	}
}

func TestAPIGroups_Members(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.add(directory.User{Email: directory.Email{Display: "Grace@example.com"}, CreatedAt: noon})
	g := f.addGroup("Staff")
	members := "/api/groups/" + g.ID + "/members"
	hers := members + "/" + grace.ID
	member := func(until string, active bool) string {
		return fmt.Sprintf(`{"user":{"id":"USER","name":"","email":"Grace@example.com","role":"member","status":"invited","created_at":"2026-03-01T12:00:00.123456Z","last_seen_at":null},"until":%s,"active":%t,"added_at":"2026-03-01T12:00:00.123456Z"}`, until, active)
	}
	day := `"2026-03-06T00:00:00Z"`
	wantAnswer(t, "by address", ada.json("POST", members, `{"user":"GRACE@example.com","until":"2026-03-05"}`), 200, member(day, true), grace.ID, "USER")
	wantAnswer(t, "again", ada.json("POST", members, `{"user":"`+grace.ID+`","until":"2026-03-06T00:00:00Z"}`), 200, member(day, true), grace.ID, "USER")
	wantAnswer(t, "without an end", ada.json("PUT", hers, `{"until":null}`), 200, member("null", true), grace.ID, "USER")
	wantAnswer(t, "again", ada.json("PUT", hers, `{}`), 200, member("null", true), grace.ID, "USER")
	wantAnswer(t, "until a time", ada.json("PUT", hers, `{"until":"2026-03-01T12:31:00+00:30"}`), 200, member(`"2026-03-01T12:01:00Z"`, true), grace.ID, "USER")
	f.clock.advance(2 * time.Minute)
	wantAnswer(t, "the list after the end", ada.get(members), 200, `{"members":[`+member(`"2026-03-01T12:01:00Z"`, false)+`],"next_cursor":null}`, grace.ID, "USER")
	wantAnswer(t, "their groups", ada.get("/api/users/"+grace.ID+"/groups"), 200, `{"groups":[{"id":"GROUP","name":"Staff","until":"2026-03-01T12:01:00Z","active":false}]}`, g.ID, "GROUP")
	wantAnswer(t, "a stranger's groups", ada.get("/api/users/x/groups"), 404, `{"error":"user not found"}`)
	for _, r := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"a stranger's address", "POST", members, `{"user":"eve@example.com"}`, 422, `{"error":"invalid input","fields":{"user":"No one on the list has this address."}}`},
		{"an unknown id", "POST", members, `{"user":"x"}`, 422, `{"error":"invalid input","fields":{"user":"No one on the list has this id."}}`},
		{"no one", "POST", members, `{}`, 422, `{"error":"invalid input","fields":{"user":"Enter an address or id."}}`},
		{"the past", "PUT", hers, `{"until":"2026-02-28"}`, 422, `{"error":"invalid input","fields":{"until":"Choose a date in the future."}}`},
		{"no date", "PUT", hers, `{"until":"soon"}`, 422, `{"error":"invalid input","fields":{"until":"Write the date as YYYY-MM-DD."}}`},
		{"a stranger", "PUT", members + "/x", `{}`, 404, `{"error":"user not found"}`},
		{"another group", "PUT", "/api/groups/x/members/" + grace.ID, `{}`, 404, `{"error":"group not found"}`},
		{"removing", "DELETE", hers, "", 200, `{"message":"success"}`},
		{"removing again", "DELETE", hers, "", 404, `{"error":"not in this group"}`},
		{"removing a stranger", "DELETE", members + "/x", "", 404, `{"error":"user not found"}`},
	} {
		wantAnswer(t, r.name, ada.json(r.method, r.path, r.body), r.status, r.want)
	}
	wantAnswer(t, "afterwards", ada.get("/api/users/"+grace.ID+"/groups"), 200, `{"groups":[]}`)
}

func TestAPIUsers_InGroups(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	staff, board := f.addGroup("Staff"), f.addGroup("Board")
	groupsOf := func(address string) (list []string) {
		u, err := f.store.GetUserByEmail(t.Context(), directory.Email{Normalized: address})
		if err != nil {
			t.Fatal(err)
		}
		memberships, err := f.store.ListMemberships(t.Context(), u.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range memberships {
			end := ""
			if !m.Until.IsZero() {
				end = " until " + m.Until.Format(time.DateOnly)
			}
			list = append(list, m.GroupName+end)
		}
		return list
	}
	for i, r := range []struct {
		groups, until string
		want          []string
	}{
		{`["staff","` + board.ID + `"," STAFF "]`, `"2026-03-05"`, []string{"Board until 2026-03-06", "Staff until 2026-03-06"}},
		{`["Staff"]`, `null`, []string{"Staff"}},
		{`[]`, `null`, nil},
	} {
		for _, path := range []string{"/api/users", "/api/invite_user"} {
			address := fmt.Sprintf("p%d.%d@example.com", i, len(path))
			a := ada.json("POST", path, `{"email":"`+address+`","groups":`+r.groups+`,"until":`+r.until+`}`)
			if diff := cmp.Diff(r.want, groupsOf(address)); diff != "" || a.status > 202 {
				t.Errorf("%s with %s: %d %s, -want +got\n%s", path, r.groups, a.status, a.body, diff)
			}
		}
	}
	before := f.rows()
	for body, want := range map[string]string{
		`"groups":["Gone"]`:                       `"groups":"There is no group “Gone”."`,
		`"groups":null`:                           `"groups":"This field can't be null. Leave it out instead."`,
		`"until":"2026-03-05"`:                    `"until":"Choose a group too: the date is when they leave it."`,
		`"groups":["Staff"],"until":"1999-01-01"`: `"until":"Choose a date in the future."`,
	} {
		for _, path := range []string{"/api/users", "/api/invite_user"} {
			if a := ada.json("POST", path, `{"email":"eve@example.com",`+body+`}`); a.status != 422 || !strings.Contains(a.body, want) {
				t.Errorf("%s with %s: %d %s", path, body, a.status, a.body)
			}
		}
	}
	if diff := cmp.Diff(before, f.rows()); diff != "" {
		t.Errorf("refused input has changed something:\n%s", diff)
	}
	// Someone on the list keeps their memberships and joins the other groups; one that has ended begins again.
	bob := f.add(directory.User{Email: directory.Email{Display: "bob@example.com"}})
	f.member(staff, bob, time.Time{})
	f.member(board, bob, f.clock.now().Add(time.Minute))
	f.clock.advance(2 * time.Minute)
	if a := ada.json("POST", "/api/invite_user", `{"email":"bob@example.com","groups":["Staff","Board"],"until":"2026-03-09"}`); a.status > 202 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if diff := cmp.Diff([]string{"Board until 2026-03-10", "Staff"}, groupsOf("bob@example.com")); diff != "" {
		t.Errorf("an existing person: -want +got\n%s", diff)
	}
}

func TestAPIApps_CreateEditRemove(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	staff := f.addGroup("Staff")
	body := `{"name":"Wiki","url":"https://Wiki.example.com:443/","audience":"groups","groups":["sTAFF"],"upstream":"http://127.0.0.1:3000","public_paths":["/health","/assets/*"],"allow_requests":true}`
	a := ada.json("POST", "/api/apps", body)
	var made apps.AppJSON
	a.decode(t, &made)
	ids := []string{made.ID, "ID", staff.ID, "STAFF"}
	app := func(changes ...string) string {
		return strings.NewReplacer(changes...).Replace(`{"id":"ID","name":"Wiki","url":"https://wiki.example.com","home_url":"","audience":"groups","groups":[{"id":"STAFF","name":"Staff"}],"upstream":"http://127.0.0.1:3000","public_paths":["/health","/assets/*"],"allow_requests":true,"enabled":true,"created_at":"2026-03-01T12:00:00.123456Z","updated_at":"2026-03-01T12:00:00.123456Z"}`)
	}
	wantAnswer(t, "created", a, 201, app(), ids...)
	if got := a.header.Get("Location"); got != "/api/apps/"+made.ID {
		t.Errorf("Location %q", got)
	}
	path := "/api/apps/" + made.ID
	wantAnswer(t, "read", ada.get(path), 200, app(), ids...)
	wantAnswer(t, "listed", ada.get("/api/apps"), 200, `{"apps":[`+app()+`]}`, ids...)
	for _, r := range []struct {
		name, body, field string
		status            int
	}{
		{"a name that is taken", `{"name":"wiki","url":"https://x.example.com","audience":"everyone"}`, "an app with this name exists already", 409},
		{"an address that is taken", `{"name":"x","url":"https://wiki.example.com","audience":"everyone"}`, "an app with this address exists already", 409},
		{"no audience", `{"name":"x","url":"https://x.example.com"}`, `"audience":"Choose who may open the app."`, 422},
		{"no group", `{"name":"x","url":"https://x.example.com","audience":"groups"}`, `"groups":"Choose at least one group."`, 422},
		{"groups for everyone", `{"name":"x","url":"https://x.example.com","audience":"everyone","groups":["Staff"]}`, `"groups":"Groups open the app only`, 422},
		{"an unknown group", `{"name":"x","url":"https://x.example.com","audience":"groups","groups":["Gone"]}`, `"groups":"There is no group “Gone”."`, 422},
		{"our own address", `{"name":"x","url":"http://localhost:8080","audience":"everyone"}`, `"url":"This is Guestlist’s own address.`, 422},
		{"an upstream without a scheme", `{"name":"x","url":"https://x.example.com","audience":"everyone","upstream":"127.0.0.1:3000"}`, `"upstream":`, 422},
		{"a public path with a query", `{"name":"x","url":"https://x.example.com","audience":"everyone","public_paths":["/a?b"]}`, `"public_paths":`, 422},
		{"null for a list", `{"name":"x","url":"https://x.example.com","audience":"everyone","public_paths":null}`, `"public_paths":"This field can't be null.`, 422},
		{"an upstream without an address", `{"name":"x","audience":"everyone","upstream":"http://127.0.0.1:3000"}`, `"upstream":"Give the app an address first."`, 422},
		{"public paths without an address", `{"name":"x","url":null,"audience":"everyone","public_paths":["/health"]}`, `"public_paths":"Give the app an address first."`, 422},
		{"a link that isn't one", `{"name":"x","audience":"everyone","home_url":"javascript:alert(1)"}`, `"home_url":"Write the link as https://`, 422},
		{"null for the switch", `{"name":"x","audience":"everyone","enabled":null}`, `"enabled":"This field can't be null.`, 422},
		{"a text for the switch", `{"name":"x","audience":"everyone","enabled":"no"}`, "body must be one JSON object", 400},
		{"null for a flag", `{"name":"x","url":"https://x.example.com","audience":"everyone","allow_requests":null}`, `"allow_requests":"This field can't be null.`, 422},
		{"a text for a list", `{"name":"x","url":"https://x.example.com","audience":"groups","groups":"Staff"}`, "body must be one JSON object", 400},
	} {
		if a := ada.json("POST", "/api/apps", r.body); a.status != r.status || !strings.Contains(a.body, r.field) {
			t.Errorf("%s: %d %s", r.name, a.status, a.body)
		}
	}
	f.clock.advance(time.Second)
	const later = `"updated_at":"2026-03-01T12:00:01.123456Z"`
	const was = `"updated_at":"2026-03-01T12:00:00.123456Z"`
	wantAnswer(t, "nothing changed", ada.json("PATCH", path, `{}`), 200, app(), ids...)
	wantAnswer(t, "one field", ada.json("PATCH", path, `{"name":"Docs"}`), 200, app("Wiki", "Docs", was, later), ids...)
	wantAnswer(t, "no upstream", ada.json("PATCH", path, `{"upstream":null,"name":"Wiki","public_paths":[],"allow_requests":false}`), 200,
		app(`"http://127.0.0.1:3000"`, `""`, `["/health","/assets/*"]`, `[]`, `"allow_requests":true`, `"allow_requests":false`, was, later), ids...)
	wantAnswer(t, "everyone", ada.json("PATCH", path, `{"audience":"everyone","upstream":"http://127.0.0.1:3000","public_paths":["/health","/assets/*"],"allow_requests":true}`), 200,
		app(`"audience":"groups"`, `"audience":"everyone"`, `[{"id":"STAFF","name":"Staff"}]`, `[]`, was, later), ids...)
	if a := ada.json("PATCH", path, `{"groups":["Staff"]}`); a.status != 422 || !strings.Contains(a.body, `"groups":"Groups open`) {
		t.Errorf("groups for everyone: %d %s", a.status, a.body)
	}
	wantAnswer(t, "groups again", ada.json("PATCH", path, `{"audience":"groups","groups":["Staff"]}`), 200, app(was, later), ids...)
	wantAnswer(t, "switched off", ada.json("PATCH", path, `{"enabled":false}`), 200, app(`"enabled":true`, `"enabled":false`, was, later), ids...)
	wantAnswer(t, "edited while it is off", ada.json("PATCH", path, `{"name":"Docs"}`), 200, app(`"enabled":true`, `"enabled":false`, "Wiki", "Docs", was, later), ids...)
	wantAnswer(t, "switched on", ada.json("PATCH", path, `{"name":"Wiki","enabled":true}`), 200, app(was, later), ids...)
	wantAnswer(t, "without an address", ada.json("PATCH", path, `{"url":null,"home_url":"https://example.com/wiki","upstream":"","public_paths":[]}`), 200,
		app(`"url":"https://wiki.example.com","home_url":""`, `"url":"","home_url":"https://example.com/wiki"`, `"http://127.0.0.1:3000"`, `""`, `["/health","/assets/*"]`, `[]`, was, later), ids...)
	wantAnswer(t, "removed", ada.json("DELETE", path, ""), 200, `{"message":"success"}`)
	for _, r := range [][2]string{{"GET", ""}, {"PATCH", `{"name":"x"}`}, {"DELETE", ""}} {
		wantAnswer(t, r[0]+" a removed app", ada.json(r[0], path, r[1]), 404, `{"error":"app not found"}`)
	}
}

func TestAPIApps_Tokens(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	wiki, shop := f.addApp("Wiki", "https://wiki.example.com"), f.addApp("Shop", "https://shop.example.com")
	path := "/api/apps/" + wiki.ID + "/tokens"
	var service, hers jsonCreatedToken
	a := ada.json("POST", path, `{"name":"Backup","days":30}`)
	a.decode(t, &service)
	wantAnswer(t, "a service", a, 201, `{"id":"ID","name":"Backup","user":null,"created_at":"2026-03-01T12:00:00.123456Z","expires_at":"2026-03-31T12:00:00.123456Z","token":"SECRET"}`, service.ID, "ID", service.Secret, "SECRET")
	if !strings.HasPrefix(service.Secret, apps.TokenPrefix) || len(service.Secret) != len(apps.TokenPrefix)+52 || a.header.Get("Content-Encoding") != "" {
		t.Errorf("the token is %q, %v", service.Secret, a.header)
	}
	f.clock.advance(time.Second)
	a = ada.json("POST", path, `{"name":"Deploy","user":"ADA@example.com","days":7}`)
	a.decode(t, &hers)
	wantAnswer(t, "a user's", a, 201, `{"id":"ID","name":"Deploy","user":{"id":"USER","email":"ada@example.com"},"created_at":"2026-03-01T12:00:01.123456Z","expires_at":"2026-03-08T12:00:01.123456Z","token":"SECRET"}`,
		hers.ID, "ID", ada.user.ID, "USER", hers.Secret, "SECRET")
	if access, err := f.server.opts.Apps.CheckToken(t.Context(), wiki.Host, hers.Secret); err != nil || access.Decision != apps.Allowed || access.User.ID != ada.user.ID {
		t.Errorf("%+v, %v", access, err)
	}
	wantAnswer(t, "the list", ada.get(path), 200, `{"tokens":[{"id":"TWO","name":"Deploy","user":{"id":"USER","email":"ada@example.com"},"created_at":"2026-03-01T12:00:01.123456Z","expires_at":"2026-03-08T12:00:01.123456Z"},{"id":"ONE","name":"Backup","user":null,"created_at":"2026-03-01T12:00:00.123456Z","expires_at":"2026-03-31T12:00:00.123456Z"}]}`,
		service.ID, "ONE", hers.ID, "TWO", ada.user.ID, "USER")
	for body, want := range map[string]string{
		`{"name":"","days":30}`:                           `"name":"Name it by what will use it."`,
		`{"name":"x"}`:                                    `"days":"Choose one of these times."`,
		`{"name":"x","days":31}`:                          `"days":"Choose one of these times."`,
		`{"name":"x","days":30,"user":"eve@example.com"}`: `"user":"No one on the list has this address."`,
		`{"name":null,"days":30}`:                         `"name":"This field can't be null.`,
	} {
		if a := ada.json("POST", path, body); a.status != 422 || !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	wantAnswer(t, "a token of another app", ada.json("DELETE", "/api/apps/"+shop.ID+"/tokens/"+hers.ID, ""), 404, `{"error":"app token not found"}`)
	wantAnswer(t, "revoked", ada.json("DELETE", path+"/"+hers.ID, ""), 200, `{"message":"success"}`)
	wantAnswer(t, "revoked again", ada.json("DELETE", path+"/"+hers.ID, ""), 404, `{"error":"app token not found"}`)
	wantAnswer(t, "of an unknown app", ada.get("/api/apps/x/tokens"), 404, `{"error":"app not found"}`)
	if access, err := f.server.opts.Apps.CheckToken(t.Context(), wiki.Host, hers.Secret); err != nil || access.Decision != apps.NotSignedIn {
		t.Errorf("after revoking: %+v, %v", access, err)
	}
}

func TestAPIApps_IdempotencyKey(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for path, body := range map[string]string{
		"/api/groups": `{"name":"Staff"}`, "/api/apps": `{"name":"Wiki","url":"https://wiki.example.com","audience":"everyone"}`,
	} {
		first := ada.sendWithKey(path, "one", body)
		again := ada.sendWithKey(path, "one", body)
		if first.status != 201 || again.status != 201 || first.body != again.body || first.header.Get("Location") != again.header.Get("Location") {
			t.Errorf("%s: %d %s, then %d %s", path, first.status, first.body, again.status, again.body)
		}
		if other := ada.sendWithKey(path, "one", strings.Replace(body, `"name":"`, `"name":"Other `, 1)); other.status != 422 {
			t.Errorf("%s with another body: %d %s", path, other.status, other.body)
		}
		if other := ada.sendWithKey(path, "two", body); other.status != http.StatusConflict {
			t.Errorf("%s with another key: %d %s", path, other.status, other.body)
		}
		// The work is done, but the response was lost.
		f.exec("UPDATE idempotency_keys SET status = 0, location = '', answer = '', leased_until = 0 WHERE status = 201")
		after := ada.sendWithKey(path, "one", body)
		if after.status != 201 || after.body != first.body {
			t.Errorf("%s after a crash: %d %s", path, after.status, after.body)
		}
		f.exec("DELETE FROM idempotency_keys")
	}
	if got := f.count("SELECT COUNT(*) FROM apps") + f.count("SELECT COUNT(*) FROM user_groups"); got != 2 {
		t.Errorf("%d were created", got)
	}
}

func TestAPIApps_ReadToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	read, write := ada.newToken(token.Read), ada.newToken(token.Write)
	if a := f.visitor().sendWithToken(read, "GET", "/api/apps", ""); a.status != 200 {
		t.Errorf("reading: %d %s", a.status, a.body)
	}
	const body = `{"name":"Wiki","url":"https://wiki.example.com","audience":"everyone"}`
	if a := f.visitor().sendWithToken(read, "POST", "/api/apps", body); a.status != 403 {
		t.Errorf("writing with a token that may read: %d %s", a.status, a.body)
	}
	if a := f.visitor().sendWithToken(write, "POST", "/api/apps", body); a.status != 201 {
		t.Errorf("writing: %d %s", a.status, a.body)
	}
}

func TestWhy_ExplainsAccessToAnApp(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	staff := f.addGroup("Staff")
	wiki := f.addApp("Wiki", "https://wiki.example.com", staff)
	grace := f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}, Name: "Grace"})
	closed := "Grace can't open Wiki: it opens to Staff, and they aren't in it."
	check := func(name, text, action string, blocked bool) {
		t.Helper()
		for _, app := range []string{"wiki", wiki.ID, "https://wiki.example.com", "wiki.example.com"} {
			var got apps.DiagnosisJSON
			ada.get("/api/why?email=grace@example.com&app="+app).decode(t, &got)
			if got.App == nil || got.App.Text != text || got.App.Action != action || got.App.CanOpen == blocked || len(got.Findings) == 0 {
				t.Errorf("%s, %s: %+v", name, app, got.App)
			}
		}
		for _, a := range []answer{ada.form("/why", "email", "grace@example.com", "app", wiki.ID), ada.get("/users/" + grace.ID + "/why?app=" + wiki.ID)} {
			if page := a.Text(); a.status != 200 || !strings.Contains(page, text) || !strings.Contains(page, action) || strings.Contains(page, "No access") != blocked {
				t.Errorf("%s: %d %s", name, a.status, page)
			}
		}
	}
	check("in no group", closed, "Add them to Staff.", true)
	f.member(staff, grace, time.Date(2026, 3, 6, 0, 0, 0, 0, time.UTC))
	check("a guest", "Grace can open Wiki: they're in Staff until 5 March 2026.", "", false)
	if a := ada.get("/api/why?email=grace@example.com"); strings.Contains(a.body, `"app"`) {
		t.Errorf("without an app: %s", a.body)
	}
	wantAnswer(t, "an unknown app", ada.get("/api/why?email=grace@example.com&app=x"), 422, `{"error":"invalid input","fields":{"app":"There is no such app."}}`)
	a := ada.form("/why", "email", "grace@example.com", "app", "gone")
	if a.status != 422 || !strings.Contains(a.Text(), "There is no such app.") || !strings.Contains(a.body, `value="grace@example.com"`) {
		t.Errorf("an app that was removed: %d %s", a.status, a.Text())
	}
	a = ada.form("/why", "email", "x", "app", wiki.ID)
	if a.status != 422 || !strings.Contains(a.body, `value="`+wiki.ID+`" selected`) {
		t.Errorf("an invalid address: %d %s", a.status, a.Text())
	}
}
