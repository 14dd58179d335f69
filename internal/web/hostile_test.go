package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
)

// These attacks worked elsewhere and belong to no single file.

func TestIdentity_IgnoresHeaders(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	token, _ := f.server.opts.Cookies.Token(&http.Request{Header: http.Header{"Cookie": {"guestlist=" + ada.cookies["guestlist"].Value}}})
	headers := http.Header{"X-Session-Token": {token}, "Stytch_session": {token}}
	for _, name := range []string{
		"Remote-User", "Remote_User", "X-Remote-User", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Preferred-Username", "X-Auth-Request-Email",
		"X-Authenticated-User", "X-Webauth-User", "Tailscale-User-Login", "Cf-Access-Authenticated-User-Email", "X-Goog-Authenticated-User-Email", "X-User-Id", "X-Role",
	} {
		headers[name] = []string{ada.user.Email.Normalized, ada.user.ID, "admin"}
	}
	before := f.rows()
	for _, r := range f.server.routes {
		if r.access == public {
			continue
		}
		method, path := r.address(ada.user.ID)
		for i, query := range []string{"", "?guestlist=" + url.QueryEscape(ada.cookies["guestlist"].Value) + "&session_token=" + url.QueryEscape(token) + "&user=" + ada.user.ID} {
			req := httptest.NewRequestWithContext(t.Context(), method, "http://localhost:8080"+path+query, nil)
			req.Header = headers.Clone()
			shown := []string{"Basic YWRhQGV4YW1wbGUuY29tOg==", "Bearer " + token}
			if i == 0 { // a session token is no API token
				slices.Reverse(shown)
			}
			req.Header["Authorization"] = shown
			for _, cookie := range []string{"guestlist-signin", "guestlist-message", "__Host-guestlist", "stytch_session", "Guestlist"} {
				req.AddCookie(&http.Cookie{Name: cookie, Value: ada.cookies["guestlist"].Value})
			}
			w := httptest.NewRecorder()
			f.ServeHTTP(w, req)
			// On to the page where one signs in, or 401 below /api.
			if w.Code != http.StatusSeeOther && w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), ada.user.Email.Normalized) {
				t.Errorf("%s%s: %d", r.pattern, query, w.Code)
			}
		}
	}
	if diff := cmp.Diff(before, f.rows()); diff != "" {
		t.Errorf("the database has changed:\n%s", diff)
	}
}

func TestMethod_CannotBeOverridden(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}, Name: "Grace"})
	before := f.rows()
	for _, method := range []string{"GET", "POST"} {
		for _, query := range []string{"", "?_method=DELETE", "?_method=PATCH"} {
			ada.send(method, "/api/users/"+grace.ID+query, "_method=DELETE&name=Eve", "Content-Type", "application/x-www-form-urlencoded",
				"X-Http-Method-Override", "DELETE", "X-Http-Method", "DELETE", "X-Method-Override", "DELETE")
		}
	}
	for _, path := range []string{"/users/" + grace.ID + "/remove", "/users/" + grace.ID + "/suspend", "/signout", "/api/logout", "/waiting/x/drop"} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "TRACE"} {
			ada.send(method, path, "", "X-Http-Method-Override", "POST")
		}
	}
	if diff := cmp.Diff(before, f.rows()); diff != "" {
		t.Errorf("the database has changed:\n%s", diff)
	}
}

func TestForms_SetOnlyTheirFields(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	grace := f.add(directory.User{Email: directory.Email{Display: "grace@example.com"}, Name: "Grace"})
	more := []string{
		"id", "mine", "email_key", "eve@evil.example", "status", "active", "stytch_user_id", "user-test-x", "invited_by", "x", "created_at", "0", "last_seen_at", "0",
		"user[role]", "admin", "user.role", "admin", "Role", "admin", "name[999999999]", "x", "users.999999999.role", "admin",
	}
	a := ada.form("/users/"+grace.ID, append([]string{"name", "Grace Hopper", "role", "member", "email", "eve@evil.example"}, more...)...)
	if a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	got, err := f.store.GetUser(t.Context(), grace.ID)
	if err != nil {
		t.Fatal(err)
	}
	want := grace
	want.Name, want.UpdatedAt = "Grace Hopper", got.UpdatedAt
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("grace (-want +got):\n%s", diff)
	}
	if a := ada.form("/users", append([]string{"email", "joan@example.com", "name", "Joan"}, more...)...); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	email, _ := directory.ParseEmail("joan@example.com")
	joan, err := f.store.GetUserByEmail(t.Context(), email)
	if err != nil || joan.ID == "mine" || joan.Role != directory.Member || joan.Status != directory.Invited || joan.StytchUserID == "user-test-x" || joan.InvitedBy != ada.user.ID {
		t.Errorf("joan is %+v, %v", joan, err)
	}
}

// Two parsers that read a request differently can be played off against each other. Here the first
// of two values counts everywhere.
func TestForms_FirstValueCounts(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	if a := ada.send("POST", "/users?email=eve@evil.example&role=admin", "email=joan@example.com&email=eve@evil.example&role=member&role=admin",
		"Content-Type", "application/x-www-form-urlencoded"); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.Text())
	}
	list := ada.get("/api/users?role=member&role=admin&limit=1&limit=200").object(t)
	if list["total"] != 1.0 || strings.Contains(ada.get("/api/users").body, "eve@") {
		t.Errorf("the list is %v", list)
	}
	if a := ada.get("/api/users?role=owner&role=admin"); a.status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong role in front of a good one: %d %s", a.status, a.body)
	}
}

func TestSessions_OfOthersCannotBeEnded(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada, grace, joan := f.signedIn(directory.Admin, "ada@example.com"), f.signedIn(directory.Member, "grace@example.com"), f.signedIn(directory.Member, "joan@example.com")
	id := func(c *caller) string { return c.get("/api/session").object(t)["session"].(object)["id"].(string) }
	grace.form("/profile/signout", "session", id(joan))
	grace.form("/profile/signout", "session", "others")
	grace.form("/profile/signout", "session", "")
	ada.form("/users/"+grace.user.ID+"/signout", "session", id(joan)) // allowed, but not on this page
	for _, c := range []*caller{ada, grace, joan} {
		if a := c.get("/api/session"); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", c.user.Email.Normalized, a.status, a.body)
		}
	}
	grace.form("/profile/signout", "session", "all")
	if joan.get("/api/session").status != http.StatusOK || grace.get("/api/session").status != http.StatusUnauthorized {
		t.Error("all of grace's sessions are not all of them, or not hers alone")
	}
}

func TestSignInPage_DeletesTheCookieOfAnEndedSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.signedIn(directory.Admin, "boss@example.com")
	for n, row := range []struct {
		name string
		end  func(c *caller)
	}{
		{"of somebody removed", func(c *caller) { f.server.opts.Directory.Remove(t.Context(), directory.Actor{}, c.user.ID) }},
		{"of a session that has expired", func(*caller) { f.clock.advance(7 * 24 * time.Hour) }},
	} {
		c := f.signedIn(directory.Member, fmt.Sprintf("grace%d@example.com", n)) // a removed user can't come back
		row.end(c)
		if a := c.get("/"); a.status != http.StatusOK || a.Heading() != "Sign in" {
			t.Errorf("a cookie %s: %d %s", row.name, a.status, a.Text())
		}
		if _, held := c.cookies["guestlist"]; held {
			t.Errorf("a cookie %s stays", row.name)
		}
	}
}

func TestUnreadableCookie_IsKeptOnEveryRoute(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.signedIn(directory.Admin, "boss@example.com")
	other := newFixture(t) // with another key
	foreign := other.signedIn(directory.Admin, "boss@example.com").cookies["guestlist"].Value
	names := []string{"guestlist", "guestlist-signin", "guestlist-message", "guestlist-known", "guestlist-draft"}
	for _, value := range []string{foreign, "made-up", ""} {
		var cookies []string
		for _, name := range names {
			cookies = append(cookies, name+"="+value)
		}
		for _, r := range f.server.routes {
			method, path := r.address(boss.user.ID)
			a := f.visitor().send(method, path, "", "Cookie", strings.Join(cookies, "; "))
			for _, line := range a.header.Values("Set-Cookie") {
				if strings.Contains(line, "Max-Age=0") || strings.HasPrefix(line, "guestlist=") {
					t.Errorf("%s with %q: %d, Set-Cookie: %s", r.pattern, value, a.status, line)
				}
			}
		}
	}
}

func TestUnreadableCookie_SignOutFails(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.signedIn(directory.Admin, "boss@example.com")
	if a := f.visitor().send("POST", "/signout", "", "Cookie", "guestlist=made-up"); a.status != http.StatusConflict || a.Heading() != "You weren’t signed out" {
		t.Errorf("%d %s", a.status, a.Text())
	}
	if a := f.visitor().send("POST", "/api/logout", "", "Cookie", "guestlist=made-up"); a.status != http.StatusConflict || strings.Contains(a.body, "logged out") {
		t.Errorf("%d %s", a.status, a.body)
	}
}
