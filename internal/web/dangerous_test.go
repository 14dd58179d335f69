package web

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/token"
)

// danger says whether a route does something that a stolen session must not be enough for.
type danger struct {
	harmless string                             // why it doesn't; empty if it does
	path     func(w *dangerWorld) string        // a path of the route for which it does
	input    func(w *dangerWorld) []string      // fields of a form, or one JSON body; nil for none
	then     func(t *testing.T, w *dangerWorld) // checks that it was done with a fresh session; may be nil
	script   bool                               // a script asks, and then posts a form to another route
	provider bool                               // it needs a session at the login service, which sessions here don't have
}

// dangerWorld is what the requests are about. Every request has its own.
type dangerWorld struct {
	f                        *fixture
	admin, suspended, member directory.User
	app, off                 apps.App // switched on, and off
	tool                     apps.App // with an OpenID Connect client
	ready, stopped           string   // imports with an administrator
}

func newDangerWorld(t *testing.T) *dangerWorld {
	w := &dangerWorld{f: newFixture(t)}
	f := w.f
	w.admin = f.add(directory.User{Email: directory.Email{Display: "admin@example.com"}, Role: directory.Admin, Status: directory.Active})
	w.suspended = f.add(directory.User{Email: directory.Email{Display: "suspended@example.com"}, Role: directory.Admin, Status: directory.Suspended})
	w.member = f.add(directory.User{Email: directory.Email{Display: "member@example.com"}, Status: directory.Active})
	w.app = f.addApp("Wiki", "https://wiki.example.com", f.addGroup("Staff"))
	w.tool = f.addApp("Tool", "https://tool.example.com")
	f.saveClient(w.tool, openid.ClientInput{RedirectURIs: "https://tool.example.com/callback"})
	w.off = f.switchOff(f.addApp("Notes", "https://notes.example.com"))
	upload := func(name string) string {
		i, err := f.server.opts.Importer.Upload(t.Context(), name, strings.NewReader("email,role\nnew@example.com,admin\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		return i.ID
	}
	w.ready, w.stopped = upload("ready.csv"), upload("stopped.csv")
	if err := f.server.opts.Importer.Start(t.Context(), directory.Actor{}, w.stopped, "member", false); err != nil {
		t.Fatal(err)
	}
	if err := f.server.opts.Importer.Stop(t.Context(), event.Origin{}, w.stopped); err != nil {
		t.Fatal(err)
	}
	return w
}

// Reasons why a route does no harm.
const (
	noSession  = "it needs no session"
	proves     = "it proves a factor, which a thief can't"
	takesAway  = "it only takes access away"
	groupsOnly = "it changes groups, which open apps and not the directory"
)

// dangers classifies every route that changes something, and every export. A new one must be added.
var dangers = map[string]danger{
	"POST /signin":                      {harmless: noSession},
	"POST /api/authenticate_magic_link": {harmless: noSession},
	"POST /signin/sent":                 {harmless: noSession},
	"POST /signout":                     {harmless: takesAway},
	"POST /api/logout":                  {harmless: takesAway},
	"POST /webhooks/stytch":             {harmless: noSession},
	"POST /profile/signout":             {harmless: takesAway},
	"POST /oauth/authorize":             {harmless: "it becomes a GET, which signs in to an app that the user may open"},
	"POST /oauth/end-session":           {harmless: "it becomes a GET, which only takes access away"},
	"POST /oauth/token":                 {harmless: noSession},
	"POST /oauth/userinfo":              {harmless: noSession},
	"POST /oauth/revoke":                {harmless: noSession},
	"POST /oauth/introspect":            {harmless: noSession},
	"POST /oauth/device":                {harmless: noSession},
	"POST /device":                      {harmless: "it only finds what another page asks about"},
	"POST /device/{id}/allow":           {harmless: "it signs in to an app that the user may open, no longer than the session"},
	"POST /device/{id}/cancel":          {harmless: takesAway},
	"POST /confirm":                     {harmless: proves},
	"POST /confirm/email":               {harmless: "it emails a code to the session's user"},
	"POST /second-factor":               {harmless: proves},

	"POST /profile/authenticator":         {path: func(*dangerWorld) string { return "/profile/authenticator" }, provider: true},
	"POST /profile/authenticator/remove":  {path: func(*dangerWorld) string { return "/profile/authenticator/remove" }, provider: true},
	"POST /profile/authenticator/renew":   {path: func(*dangerWorld) string { return "/profile/authenticator/renew" }, provider: true},
	"POST /profile/authenticator/confirm": {harmless: "it needs the sealed answer of POST /profile/authenticator"},
	"POST /profile/authenticator/codes":   {harmless: "it returns the codes that are in the form"},

	"POST /signin/with/{provider}":       {harmless: noSession},
	"POST /signin/passkey":               {harmless: noSession},
	"POST /signin/passkey/start":         {harmless: noSession},
	"POST /profile/passkeys/start":       {path: func(*dangerWorld) string { return "/profile/passkeys/start" }, script: true, provider: true},
	"POST /profile/passkeys":             {path: func(*dangerWorld) string { return "/profile/passkeys" }, provider: true},
	"POST /profile/passkeys/{id}/remove": {path: func(*dangerWorld) string { return "/profile/passkeys/x/remove" }, provider: true},
	"POST /profile/passkeys/{id}":        {harmless: "it only renames a passkey"},
	"POST /profile/passkeys/decline":     {harmless: "it only ends an offer"},

	"POST /users/{id}/factors/remove": {path: func(w *dangerWorld) string { return "/users/" + w.member.ID + "/factors/remove" }, provider: true},
	"DELETE /api/users/{id}/factors":  {path: func(w *dangerWorld) string { return "/api/users/" + w.member.ID + "/factors" }, provider: true},

	"POST /profile/tokens": {
		path: func(*dangerWorld) string { return "/profile/tokens" },
		input: func(*dangerWorld) []string {
			return []string{"id", token.NewID(), "name", "script", "scope", "write", "days", "7"}
		},
	},
	"POST /profile/tokens/{id}/revoke":              {harmless: takesAway},
	"POST /users/{id}/tokens/{token}/revoke":        {harmless: takesAway},
	"POST /apps/{id}/tokens/{token}/revoke":         {harmless: takesAway},
	"DELETE /api/apps/{id}/tokens/{token}":          {harmless: takesAway},
	"DELETE /api/apps/{id}/openid/secrets/{secret}": {harmless: takesAway},
	"POST /apps/{id}/secrets/{secret}/revoke":       {harmless: takesAway},
	"POST /users/{id}/signout":                      {harmless: takesAway},
	"POST /users/{id}/invite":                       {harmless: "it invites a user again, whose role stays as it is"},
	"POST /why":                                     {harmless: "it only reads"},
	"POST /apps/{id}/test":                          {harmless: "it only sends a request to the app"},
	"POST /waiting/{id}/retry":                      {harmless: "what it tells the login service was decided before"},
	"POST /waiting/{id}/drop":                       {harmless: "what was decided holds all the same"},
	"POST /users/import":                            {harmless: "it only reads the file"},
	"POST /imports/{id}/stop":                       {harmless: takesAway},
	"POST /imports/{id}/discard":                    {harmless: "it only deletes the file"},
	"POST /apps/{id}/request":                       {harmless: "an administrator decides"},
	"POST /requests/{id}/approve":                   {harmless: groupsOnly},
	"POST /requests/{id}/deny":                      {harmless: takesAway},
	"POST /api/requests/{id}/approve":               {harmless: groupsOnly},
	"POST /api/requests/{id}/deny":                  {harmless: takesAway},
	"POST /users/{id}/groups":                       {harmless: groupsOnly},
	"POST /users/{id}/groups/{group}":               {harmless: groupsOnly},
	"POST /users/{id}/groups/{group}/leave":         {harmless: groupsOnly},
	"POST /users/{id}/groups/{group}/renew":         {harmless: groupsOnly},
	"POST /groups":                                  {harmless: groupsOnly},
	"POST /groups/{id}":                             {harmless: groupsOnly},
	"POST /groups/{id}/members":                     {harmless: groupsOnly},
	"POST /groups/{id}/members/{user}":              {harmless: groupsOnly},
	"POST /groups/{id}/members/{user}/remove":       {harmless: groupsOnly},
	"POST /groups/{id}/remove":                      {harmless: groupsOnly},
	"POST /api/groups":                              {harmless: groupsOnly},
	"PATCH /api/groups/{id}":                        {harmless: groupsOnly},
	"DELETE /api/groups/{id}":                       {harmless: groupsOnly},
	"POST /api/groups/{id}/members":                 {harmless: groupsOnly},
	"PUT /api/groups/{id}/members/{user}":           {harmless: groupsOnly},
	"DELETE /api/groups/{id}/members/{user}":        {harmless: groupsOnly},

	"GET /users/export.csv":  {path: func(*dangerWorld) string { return "/users/export.csv?q=a" }},
	"GET /users/export.json": {path: func(*dangerWorld) string { return "/users/export.json" }},

	"POST /users": {
		path:  func(*dangerWorld) string { return "/users" },
		input: func(*dangerWorld) []string { return []string{"email", "new@example.com", "role", "admin"} },
	},
	"POST /users/{id}": {
		path:  func(w *dangerWorld) string { return "/users/" + w.member.ID + "?list=q%3Da" },
		input: func(*dangerWorld) []string { return []string{"name", "New", "role", "admin"} },
		then: func(t *testing.T, w *dangerWorld) {
			if u, err := w.f.server.opts.Directory.GetUser(t.Context(), w.member.ID); err != nil || u.Role != directory.Admin || u.Name != "New" {
				t.Errorf("%+v, %v", u, err)
			}
		},
	},
	"POST /users/{id}/suspend":   {path: func(w *dangerWorld) string { return "/users/" + w.admin.ID + "/suspend" }},
	"POST /users/{id}/reinstate": {path: func(w *dangerWorld) string { return "/users/" + w.suspended.ID + "/reinstate" }},
	"POST /users/{id}/remove":    {path: func(w *dangerWorld) string { return "/users/" + w.admin.ID + "/remove" }},
	"POST /imports/{id}/start": {
		path:  func(w *dangerWorld) string { return "/imports/" + w.ready + "/start" },
		input: func(*dangerWorld) []string { return []string{"role", "member"} },
	},
	"POST /imports/{id}/resume": {path: func(w *dangerWorld) string { return "/imports/" + w.stopped + "/resume" }},
	"POST /api/users": {
		path:  func(*dangerWorld) string { return "/api/users" },
		input: func(*dangerWorld) []string { return []string{`{"email":"new@example.com","role":"admin"}`} },
	},
	"POST /api/invite_user": {
		path:  func(*dangerWorld) string { return "/api/invite_user" },
		input: func(*dangerWorld) []string { return []string{`{"email":"new@example.com","role":"admin"}`} },
	},
	"PATCH /api/users/{id}": {
		path:  func(w *dangerWorld) string { return "/api/users/" + w.admin.ID },
		input: func(*dangerWorld) []string { return []string{`{"status":"suspended"}`} },
	},
	"DELETE /api/users/{id}": {path: func(w *dangerWorld) string { return "/api/users/" + w.admin.ID }},

	"POST /apps/new": {
		path: func(*dangerWorld) string { return "/apps/new" },
		input: func(*dangerWorld) []string {
			return []string{"name", "Photos", "url", "https://photos.example.com", "audience", "everyone"}
		},
	},
	"POST /apps/{id}": {
		path: func(w *dangerWorld) string { return "/apps/" + w.app.ID },
		input: func(w *dangerWorld) []string {
			return []string{"name", "Wiki", "url", w.app.URL(), "audience", "everyone", "seen", w.app.UpdatedAt.Format(time.RFC3339Nano)}
		},
		then: func(t *testing.T, w *dangerWorld) {
			if a := w.f.getApp(w.app.ID); a.Audience != apps.Everyone {
				t.Errorf("%+v", a)
			}
		},
	},
	"POST /apps/{id}/on": {
		path: func(w *dangerWorld) string { return "/apps/" + w.off.ID + "/on" },
		then: func(t *testing.T, w *dangerWorld) {
			if a := w.f.getApp(w.off.ID); !a.Enabled {
				t.Errorf("%+v", a)
			}
		},
	},
	"POST /apps/{id}/off": {
		path: func(w *dangerWorld) string { return "/apps/" + w.app.ID + "/off" },
		then: func(t *testing.T, w *dangerWorld) {
			if a := w.f.getApp(w.app.ID); a.Enabled {
				t.Errorf("%+v", a)
			}
		},
	},
	"POST /apps/{id}/remove": {path: func(w *dangerWorld) string { return "/apps/" + w.app.ID + "/remove" }},
	"POST /apps/{id}/tokens": {
		path:  func(w *dangerWorld) string { return "/apps/" + w.app.ID + "/tokens" },
		input: func(*dangerWorld) []string { return []string{"id", apps.NewTokenID(), "name", "script", "days", "7"} },
	},
	"POST /apps/{id}/openid": {
		path: func(w *dangerWorld) string { return "/apps/" + w.tool.ID + "/openid" },
		input: func(*dangerWorld) []string {
			return []string{"kind", "confidential", "redirect_uris", "https://evil.example/callback"}
		},
		then: wantStolenClient,
	},
	"POST /apps/{id}/openid/remove": {path: func(w *dangerWorld) string { return "/apps/" + w.tool.ID + "/openid/remove" }, then: wantNoClient},
	"POST /apps/{id}/secrets": {
		path:  func(w *dangerWorld) string { return "/apps/" + w.tool.ID + "/secrets" },
		input: func(*dangerWorld) []string { return []string{"id", openid.NewSecretID(), "days", "0"} },
		then:  wantNewSecret,
	},
	"PUT /api/apps/{id}/openid": {
		path:  func(w *dangerWorld) string { return "/api/apps/" + w.tool.ID + "/openid" },
		input: func(*dangerWorld) []string { return []string{`{"redirect_uris":["https://evil.example/callback"]}`} },
		then:  wantStolenClient,
	},
	"DELETE /api/apps/{id}/openid": {path: func(w *dangerWorld) string { return "/api/apps/" + w.tool.ID + "/openid" }, then: wantNoClient},
	"POST /api/apps/{id}/openid/secrets": {
		path:  func(w *dangerWorld) string { return "/api/apps/" + w.tool.ID + "/openid/secrets" },
		input: func(*dangerWorld) []string { return []string{`{"days":null}`} },
		then:  wantNewSecret,
	},
	"POST /api/apps": {
		path: func(*dangerWorld) string { return "/api/apps" },
		input: func(*dangerWorld) []string {
			return []string{`{"name":"Photos","url":"https://photos.example.com","audience":"everyone"}`}
		},
	},
	"PATCH /api/apps/{id}": {
		path:  func(w *dangerWorld) string { return "/api/apps/" + w.app.ID },
		input: func(*dangerWorld) []string { return []string{`{"audience":"everyone"}`} },
	},
	"DELETE /api/apps/{id}": {path: func(w *dangerWorld) string { return "/api/apps/" + w.app.ID }},
	"POST /api/apps/{id}/tokens": {
		path:  func(w *dangerWorld) string { return "/api/apps/" + w.app.ID + "/tokens" },
		input: func(*dangerWorld) []string { return []string{`{"name":"script","days":7}`} },
	},
}

func wantStolenClient(t *testing.T, w *dangerWorld) {
	if c, err := w.f.server.opts.Clients.Get(t.Context(), w.tool.ID); err != nil || !slices.Equal(c.RedirectURIs, []string{"https://evil.example/callback"}) {
		t.Errorf("%+v, %v", c, err)
	}
}

func wantNoClient(t *testing.T, w *dangerWorld) {
	if c, err := w.f.server.opts.Clients.Get(t.Context(), w.tool.ID); !errors.Is(err, directory.ErrNotFound) {
		t.Errorf("%+v, %v", c, err)
	}
}

func wantNewSecret(t *testing.T, w *dangerWorld) {
	if list, err := w.f.server.opts.Clients.ListSecrets(t.Context(), w.tool.ID); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// send sends the dangerous request.
func (d danger) send(c *caller, w *dangerWorld, pattern string) answer {
	method, _, _ := strings.Cut(pattern, " ")
	path := d.path(w)
	switch {
	case d.input == nil:
		return c.send(method, path, "")
	case strings.HasPrefix(path, "/api/"):
		return c.json(method, path, d.input(w)[0])
	}
	return c.form(path, d.input(w)...)
}

// isExport reports whether a route hands out the list as a whole.
func isExport(pattern string) bool { return strings.Contains(pattern, "export") }

func TestDangers_ClassifyEveryRoute(t *testing.T) {
	t.Parallel()
	var want []string
	for _, r := range newFixture(t).server.routes {
		method, _, _ := strings.Cut(r.pattern, " ")
		changes := method != http.MethodGet && method != http.MethodOptions
		if changes || isExport(r.pattern) || r.access&fresh != 0 && r.pattern != "GET /confirm/continue" {
			want = append(want, r.pattern)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(dangers))); diff != "" {
		t.Errorf("say whether a stolen session could do harm by these (-routes +classified):\n%s", diff)
	}
	var pages []string
	for pattern, d := range dangers {
		if (d.harmless == "") == (d.path == nil) {
			t.Errorf("%s is both, or neither", pattern)
		}
		if d.harmless == "" && !d.script && !strings.Contains(pattern, " /api/") {
			pages = append(pages, pattern)
		}
	}
	for _, pattern := range pages {
		if dangerousActions[pattern] == "" {
			t.Errorf("the page that asks for a fresh sign-in doesn't describe %s", pattern)
		}
	}
	for pattern := range dangerousActions {
		if _, classified := dangers[pattern]; !classified {
			t.Errorf("there is no route %s", pattern)
		}
	}
}

func TestStolenSession_DoesNothingDangerousWithoutAFreshFactor(t *testing.T) {
	t.Parallel()
	for pattern, d := range dangers {
		if d.harmless != "" {
			continue
		}
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			w := newDangerWorld(t)
			thief := w.f.stale(directory.Admin, "thief@example.com")
			before := w.f.rows()
			a := d.send(thief, w, pattern)
			if strings.Contains(pattern, " /api/") {
				if a.status != http.StatusForbidden || a.body != `{"error":"fresh sign-in required","code":"fresh_sign_in_required"}`+"\n" {
					t.Errorf("%d %s", a.status, a.body)
				}
			} else if to := a.header.Get("Location"); a.status != http.StatusSeeOther || to != "/confirm" && !strings.HasPrefix(to, "/confirm?next=") {
				t.Errorf("%d, leads to %q", a.status, to)
			}
			if diff := cmp.Diff(before, w.f.rows()); diff != "" {
				t.Errorf("the database has changed:\n%s", diff)
			}
			if strings.HasPrefix(pattern, "GET ") {
				if head := thief.send("HEAD", d.path(w), ""); head.status != http.StatusSeeOther {
					t.Errorf("HEAD: %d", head.status)
				}
			}

			// The same request with a fresh session shows that it is one that would have done something.
			owner := w.f.signedIn(directory.Admin, "owner@example.com")
			if a := d.send(owner, w, pattern); a.status >= 400 && !d.provider || strings.HasPrefix(a.header.Get("Location"), "/confirm") {
				t.Errorf("with a fresh session: %d %s", a.status, a.body)
			}
			if d.then != nil {
				d.then(t, w)
			}
		})
	}
}
