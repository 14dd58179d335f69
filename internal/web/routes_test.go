package web

import (
	"crypto/rand"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
)

// wantAccess repeats who may use each route. A new route must be added here, too.
var wantAccess = map[string]access{
	"GET /{$}":                     public,
	"POST /signin":                 public,
	"GET /signin/sent":             public,
	"POST /signin/with/{provider}": public,

	"GET /oauth/authorize":                        public,
	"POST /oauth/authorize":                       public,
	"GET /oauth/continue":                         public,
	"GET /oauth/end-session":                      public,
	"POST /oauth/end-session":                     public,
	"POST /oauth/token":                           public,
	"GET /oauth/userinfo":                         public,
	"POST /oauth/userinfo":                        public,
	"POST /oauth/revoke":                          public,
	"POST /oauth/introspect":                      public,
	"OPTIONS /oauth/token":                        public,
	"OPTIONS /oauth/userinfo":                     public,
	"OPTIONS /oauth/revoke":                       public,
	"GET /.well-known/openid-configuration":       public,
	"GET /.well-known/oauth-authorization-server": public,
	"GET /.well-known/webfinger":                  public,
	"POST /oauth/device":                          public, // with the client's secret, unless it is public
	"OPTIONS /oauth/device":                       public,
	"POST /signin/sent":                           public,
	"GET /api/authenticate_magic_link":            public, "POST /api/authenticate_magic_link": public,
	"GET /signout":      signedIn | incomplete,
	"POST /signout":     public,
	"GET /enter":        public, // with a sealed ticket
	"GET /enter/report": public, // with a sealed report
	"POST /api/logout":  public,
	"GET /healthz":      public,
	"GET /readyz":       public,
	"GET /static/":      public,

	"GET /api/openapi.yaml": public,

	"GET /.well-known/jwks.json": public,

	"POST /webhooks/stytch": public, // the signature is checked

	"POST /signin/passkey/start": public, "POST /signin/passkey": public,
	"POST /profile/passkeys/start": signedIn | incomplete, "POST /profile/passkeys": signedIn | incomplete, // see factor.Policy.MaySetUp
	"POST /profile/passkeys/decline": signedIn, "POST /profile/passkeys/{id}": signedIn,
	"GET /profile/passkeys/{id}/remove": signedIn, "POST /profile/passkeys/{id}/remove": signedIn | fresh,

	"GET /apps":             signedIn,
	"GET /profile":          signedIn,
	"POST /profile/signout": signedIn,
	"GET /api/session":      signedIn | tokenAllowed,

	"GET /confirm": signedIn, "POST /confirm": signedIn, "POST /confirm/email": signedIn, "GET /confirm/continue": signedIn | fresh,
	"GET /second-factor": signedIn | incomplete, "POST /second-factor": signedIn | incomplete,

	"GET /profile/authenticator": signedIn, "POST /profile/authenticator": signedIn | incomplete,
	"POST /profile/authenticator/confirm": signedIn | incomplete, "POST /profile/authenticator/codes": signedIn,
	"GET /profile/authenticator/remove": signedIn, "POST /profile/authenticator/remove": signedIn | fresh,
	"GET /profile/authenticator/renew": signedIn, "POST /profile/authenticator/renew": signedIn | fresh,
	"GET /second-factor/setup": signedIn | incomplete,

	"GET /profile/tokens": admin, "POST /profile/tokens": admin | fresh,
	"GET /profile/tokens/{id}/revoke": admin, "POST /profile/tokens/{id}/revoke": admin,

	"GET /users": admin, "POST /users": admin, "GET /users/new": admin,
	"GET /users/{id}": admin, "POST /users/{id}": admin,
	"POST /users/{id}/invite": admin, "POST /users/{id}/signout": admin,
	"POST /users/{id}/suspend": admin, "POST /users/{id}/reinstate": admin,
	"GET /users/{id}/tokens/{token}/revoke": admin, "POST /users/{id}/tokens/{token}/revoke": admin,
	"GET /users/{id}/remove": admin, "POST /users/{id}/remove": admin,
	"GET /api/users": admin | tokenAllowed, "POST /api/users": admin | tokenAllowed,
	"GET /api/users/{id}": admin | tokenAllowed, "PATCH /api/users/{id}": admin | tokenAllowed, "DELETE /api/users/{id}": admin | tokenAllowed,
	"GET /api/users/{id}/groups": admin | tokenAllowed, "POST /api/invite_user": admin | tokenAllowed,

	"GET /api/groups": admin | tokenAllowed, "POST /api/groups": admin | tokenAllowed, "GET /api/groups/{id}": admin | tokenAllowed,
	"PATCH /api/groups/{id}": admin | tokenAllowed, "DELETE /api/groups/{id}": admin | tokenAllowed,
	"GET /api/groups/{id}/members": admin | tokenAllowed, "POST /api/groups/{id}/members": admin | tokenAllowed,
	"PUT /api/groups/{id}/members/{user}": admin | tokenAllowed, "DELETE /api/groups/{id}/members/{user}": admin | tokenAllowed,
	"GET /api/apps": admin | tokenAllowed, "POST /api/apps": admin | tokenAllowed | fresh, "GET /api/apps/{id}": admin | tokenAllowed,
	"PATCH /api/apps/{id}": admin | tokenAllowed | fresh, "DELETE /api/apps/{id}": admin | tokenAllowed | fresh,
	"GET /api/apps/{id}/tokens": admin | tokenAllowed, "POST /api/apps/{id}/tokens": admin | tokenAllowed | fresh,
	"DELETE /api/apps/{id}/tokens/{token}": admin | tokenAllowed,

	"GET /apps/{id}/request": signedIn, "POST /apps/{id}/request": signedIn,
	"GET /requests": admin, "POST /requests/{id}/approve": admin, "POST /requests/{id}/deny": admin,
	"GET /users/{id}/groups/{group}/renew": admin, "POST /users/{id}/groups/{group}/renew": admin,
	"GET /api/requests": admin | tokenAllowed, "POST /api/requests/{id}/approve": admin | tokenAllowed, "POST /api/requests/{id}/deny": admin | tokenAllowed,

	"GET /users/{id}/factors/remove": admin, "POST /users/{id}/factors/remove": admin | fresh,
	"DELETE /api/users/{id}/factors": admin | tokenAllowed | fresh,
	"POST /users/{id}/groups":        admin, "POST /users/{id}/groups/{group}": admin, "POST /users/{id}/groups/{group}/leave": admin,
	"GET /groups": admin, "POST /groups": admin, "GET /groups/{id}": admin, "POST /groups/{id}": admin,
	"POST /groups/{id}/members": admin, "POST /groups/{id}/members/{user}": admin, "POST /groups/{id}/members/{user}/remove": admin,
	"GET /groups/{id}/remove": admin, "POST /groups/{id}/remove": admin,
	"GET /apps/new": admin, "POST /apps/new": admin | fresh, "GET /apps/{id}": admin, "POST /apps/{id}": admin | fresh,
	"POST /apps/{id}/on": admin | fresh, "POST /apps/{id}/off": admin | fresh,
	"POST /apps/{id}/test": admin, "POST /apps/{id}/tokens": admin | fresh,
	"GET /apps/{id}/tokens/{token}/revoke": admin, "POST /apps/{id}/tokens/{token}/revoke": admin,
	"GET /apps/{id}/remove": admin, "POST /apps/{id}/remove": admin | fresh,
	"GET /apps/{id}/openid": admin, "POST /apps/{id}/openid": admin | fresh,
	"GET /apps/{id}/openid/remove": admin, "POST /apps/{id}/openid/remove": admin | fresh,
	"POST /apps/{id}/secrets": admin | fresh, "GET /apps/{id}/secrets/{secret}/revoke": admin, "POST /apps/{id}/secrets/{secret}/revoke": admin,
	"GET /api/apps/{id}/openid": admin | tokenAllowed, "PUT /api/apps/{id}/openid": admin | tokenAllowed | fresh,
	"DELETE /api/apps/{id}/openid":      admin | tokenAllowed | fresh,
	"GET /api/apps/{id}/openid/secrets": admin | tokenAllowed, "POST /api/apps/{id}/openid/secrets": admin | tokenAllowed | fresh,
	"DELETE /api/apps/{id}/openid/secrets/{secret}": admin | tokenAllowed,

	"GET /users/import": admin, "POST /users/import": admin, "GET /imports/{id}": admin, "POST /imports/{id}/start": admin,
	"POST /imports/{id}/stop": admin, "POST /imports/{id}/resume": admin, "POST /imports/{id}/discard": admin,
	"GET /imports/{id}/problems.csv": admin, "GET /users/export.csv": admin | fresh, "GET /users/export.json": admin | fresh,

	"GET /device": signedIn, "POST /device": signedIn,
	"GET /device/{id}": signedIn, "POST /device/{id}/allow": signedIn, "POST /device/{id}/cancel": signedIn,

	"GET /why": admin, "POST /why": admin, "GET /users/{id}/why": admin, "GET /api/why": admin | tokenAllowed,
	"GET /activity": admin, "GET /api/events": admin | tokenAllowed,
	"GET /waiting": admin, "POST /waiting/{id}/retry": admin, "POST /waiting/{id}/drop": admin,
}

func TestRoutes_Access(t *testing.T) {
	t.Parallel()
	got := map[string]access{}
	for _, r := range newFixture(t).server.routes {
		got[r.pattern] = r.access
	}
	if diff := cmp.Diff(wantAccess, got); diff != "" {
		t.Errorf("(-meant +table):\n%s", diff)
	}
}

// address returns a route's method and a path for it, with a user's ID.
func (r route) address(id string) (method, path string) {
	method, path, _ = strings.Cut(r.pattern, " ")
	return method, strings.ReplaceAll(strings.ReplaceAll(path, "{id}", id), "{$}", "")
}

func TestRoutes_RefuseWithoutSession(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.signedIn(directory.Admin, "ada@example.com")
	arrival := func() *caller { return f.signedIn(directory.Admin, rand.Text()+"@example.com") }
	outside := map[string]func() *caller{
		"a stranger": f.visitor,
		"somebody with a cookie that can't be opened": func() *caller {
			c := f.visitor()
			c.cookies["guestlist"] = &http.Cookie{Name: "guestlist", Value: "made-up"}
			return c
		},
		"somebody who has signed out": func() *caller {
			c := arrival()
			kept := c.cookies["guestlist"]
			c.send("POST", "/signout", "")
			c.cookies["guestlist"] = kept
			return c
		},
		"somebody suspended": func() *caller {
			c := arrival()
			suspended := string(directory.Suspended)
			if _, err := f.server.opts.Directory.Edit(t.Context(), directory.Actor{}, c.user.ID, directory.Edit{Status: &suspended}); err != nil {
				t.Fatal(err)
			}
			return c
		},
		"somebody suspended whose session was left behind": func() *caller {
			c := arrival()
			if _, err := f.store.ChangeUser(t.Context(), c.user.ID, func(s directory.RuleState) (directory.Change, error) {
				s.User.Status = directory.Suspended
				return directory.Change{User: s.User}, nil
			}); err != nil {
				t.Fatal(err)
			}
			return c
		},
		"somebody removed": func() *caller {
			c := arrival()
			if _, err := f.server.opts.Directory.Remove(t.Context(), directory.Actor{}, c.user.ID); err != nil {
				t.Fatal(err)
			}
			return c
		},
		"somebody whose session has expired": func() *caller {
			c := arrival()
			f.clock.advance(7 * 24 * time.Hour)
			return c
		},
	}
	target := f.add(directory.User{Email: directory.Email{Display: "target@example.com"}})
	for name, arrive := range outside {
		c := arrive()
		held := maps.Clone(c.cookies)
		for _, r := range f.server.routes {
			if r.access == public {
				continue
			}
			c.cookies = maps.Clone(held) // a refusal deletes the cookie
			before := f.rows()
			method, path := r.address(target.ID)
			a := c.send(method, path, "")
			switch {
			case strings.HasPrefix(path, "/api/"):
				if a.status != http.StatusUnauthorized || a.body != `{"error":"user unauthenticated"}`+"\n" {
					t.Errorf("%s, %s: %d %s", name, r.pattern, a.status, a.body)
				}
			case a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/?") && a.header.Get("Location") != "/":
				t.Errorf("%s, %s: %d, leads to %q", name, r.pattern, a.status, a.header.Get("Location"))
			}
			if diff := cmp.Diff(before, f.rows()); diff != "" {
				t.Errorf("%s, %s: the database has changed:\n%s", name, r.pattern, diff)
			}
		}
	}
}

func TestRoutes_RefuseMembers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.signedIn(directory.Admin, "ada@example.com")
	member := f.signedIn(directory.Member, "grace@example.com")
	for _, r := range f.server.routes {
		if r.access&admin == 0 {
			continue
		}
		for _, id := range []string{boss.user.ID, member.user.ID, "nobody"} {
			before := f.rows()
			method, path := r.address(id)
			a := member.send(method, path, `{"role":"admin"}`, "Content-Type", "application/json")
			want := `{"error":"administrators only"}` + "\n"
			if a.status != http.StatusForbidden || strings.HasPrefix(path, "/api/") && a.body != want {
				t.Errorf("%s: %d %s", r.pattern, a.status, a.body)
			}
			if diff := cmp.Diff(before, f.rows()); diff != "" {
				t.Errorf("%s: the database has changed:\n%s", r.pattern, diff)
			}
		}
		// Else the test would also pass if every request were refused.
		method, path := r.address("nobody")
		if a := boss.send(method, path, ""); a.status == http.StatusForbidden || a.status == http.StatusUnauthorized {
			t.Errorf("%s refuses an administrator: %d", r.pattern, a.status)
		}
	}
}

func TestRoutes_OtherSpellingsOpenNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.signedIn(directory.Admin, "ada@example.com")
	for _, path := range []string{
		"//users", "///users", "/users/", "/./users", "/users/.", "/users/../users", "/%75sers", "/users%2f", "/users%00", "/users;a=b",
		"/USERS", "/Users", "//api/users", "/api//users", "/api/./users", "/api/users/", "/%61pi/users", "/API/users", "/healthz/../users",
		"/static/../users", "/static/..%2fusers", "/static/%2e%2e/users", "/api/authenticate_magic_link/../users", "/users?x=/healthz", "/users#/healthz",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "DELETE"} {
			a := f.visitor().send(method, strings.Split(path, "#")[0], "", "User-Agent", "kube-probe/1", "X-Original-URL", "/healthz", "X-Forwarded-Uri", "/healthz")
			if a.status < 300 || strings.Contains(a.body, "ada@example.com") {
				t.Errorf("%s %s: %d %s", method, path, a.status, a.body)
			}
		}
	}
}

func TestRoutes_UnmatchedRequestsGetOurErrors(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, row := range []struct {
		method, path string
		status       int
		allow, json  string // json is empty for a page
	}{
		{"GET", "/nothing", 404, "", ""},
		{"GET", "/users/x/y/z", 404, "", ""},
		{"POST", "/nothing", 404, "", ""},
		{"GET", "/api", 404, "", "not found"},
		{"GET", "/api/nothing", 404, "", "not found"},
		{"GET", "/api/users/x/y", 404, "", "not found"},
		{"PUT", "/users", 405, "GET, HEAD, POST", ""},
		{"POST", "/", 405, "GET, HEAD", ""},
		{"PUT", "/api/users", 405, "GET, HEAD, POST", "method not allowed"},
		{"POST", "/api/users/x", 405, "DELETE, GET, HEAD, PATCH", "method not allowed"},
		{"GET", "/api/invite_user", 405, "POST", "method not allowed"},
		{"GET", "/api/logout", 405, "POST", "method not allowed"},
		{"POST", "/healthz", 405, "GET, HEAD", "method not allowed"},
		{"TRACE", "/", 405, "GET, HEAD", ""},
		{"OPTIONS", "/api/users", 405, "GET, HEAD, POST", "method not allowed"},
	} {
		a := f.visitor().send(row.method, row.path, "")
		if a.status != row.status || a.header.Get("Allow") != row.allow {
			t.Errorf("%s %s: %d, Allow %q; want %d, %q", row.method, row.path, a.status, a.header.Get("Allow"), row.status, row.allow)
		}
		if row.json != "" {
			if a.body != `{"error":"`+row.json+`"}`+"\n" {
				t.Errorf("%s %s: %s", row.method, row.path, a.body)
			}
		} else if !slices.Contains([]string{"Page not found", "That doesn’t work here"}, a.Heading()) {
			t.Errorf("%s %s: %s", row.method, row.path, a.Text())
		}
	}
}

func TestRoutes_OpeningAFormAddressLeadsToItsPage(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.signedIn(directory.Admin, "boss@example.com")
	for path, page := range map[string]string{
		"/signin": "/", "/profile/signout": "/profile",
		"/users/x/invite": "/users/x", "/users/x/signout": "/users/x", "/users/x/suspend": "/users/x", "/users/x/reinstate": "/users/x",
		"/imports/x/start": "/imports/x", "/imports/x/stop": "/imports/x", "/imports/x/resume": "/imports/x", "/imports/x/discard": "/imports/x",
		"/device/x/allow": "/device/x", "/device/x/cancel": "/device/x",
		"/waiting/x/retry": "/waiting", "/waiting/x/drop": "/waiting",
	} {
		for _, c := range []*caller{f.visitor(), boss} {
			for _, method := range []string{"GET", "HEAD"} {
				a := c.send(method, path, "")
				if a.status != http.StatusSeeOther || a.header.Get("Location") != page || a.header.Get("Allow") != "" {
					t.Errorf("%s %s: %d, leads to %q", method, path, a.status, a.header.Get("Location"))
				}
			}
		}
	}
	// Each route that is only posted to is among them.
	reads := map[string]bool{}
	for _, r := range f.server.routes {
		if path, ok := strings.CutPrefix(r.pattern, "GET "); ok {
			reads[path] = true
		}
	}
	for _, r := range f.server.routes {
		path, ok := strings.CutPrefix(r.pattern, "POST ")
		if !ok || reads[path] || strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/webhooks/") {
			continue
		}
		_, address := r.address(boss.user.ID)
		a := boss.get(address)
		if a.status != http.StatusSeeOther {
			t.Errorf("%s: %d", r.pattern, a.status)
			continue
		}
		if next := boss.get(a.header.Get("Location")); next.status == http.StatusMethodNotAllowed {
			t.Errorf("%s leads to %s, which is no page", r.pattern, a.header.Get("Location"))
		}
	}
}

func TestNotFoundPage_HasTheNavigationWhenSignedIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, c := range []struct {
		who  *caller
		want []string
	}{
		{f.signedIn(directory.Admin, "boss@example.com"), []string{"People", "Activity", "Profile", "Sign out"}},
		{f.signedIn(directory.Member, "grace@example.com"), []string{"Profile", "Sign out"}},
		{f.visitor(), nil},
	} {
		for _, r := range []struct {
			method, path string
			status       int
		}{{"GET", "/nothing", 404}, {"GET", "/users/x/nothing", 404}, {"PUT", "/users", 405}} {
			a := c.who.send(r.method, r.path, "")
			if a.status != r.status {
				t.Errorf("%s: %d", r.path, a.status)
			}
			for _, word := range c.want {
				if !strings.Contains(a.Text(), word) {
					t.Errorf("%s: no %q: %s", r.path, word, a.Text())
				}
			}
			if len(c.want) == 0 && strings.Contains(a.Text(), "Sign out") {
				t.Errorf("%s: a stranger can sign out", r.path)
			}
		}
	}
}
