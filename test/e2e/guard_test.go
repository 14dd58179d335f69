package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

const (
	wikiURL  = "https://wiki.example.com"  // opens to the group Staff
	boardURL = "https://board.example.org" // opens to everyone
)

// guarded is a site with two apps.
type guarded struct {
	*harness.Site
	t           *testing.T
	boss        *harness.Person // administrator, signed in, in no group
	wiki, board apps.App
}

func newGuarded(t *testing.T, databaseURL string, flags ...string) *guarded {
	t.Helper()
	s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), append([]string{
		"--guestlist-admins=boss@example.com", "--guestlist-base-url=http://localhost:PORT", "--guestlist-local-stytch-limits=off",
	}, flags...)...)
	g := &guarded{Site: s, t: t, boss: s.NewPerson("boss@example.com")}
	g.wiki = s.AddAppWith(apps.Input{Name: "Wiki", URL: wikiURL, PublicPaths: "/health\n/public/*", AllowRequests: true}, "Staff")
	g.board = s.AddApp("Board", boardURL)
	g.boss.SignIn()
	return g
}

// person returns an invited person with a new browser, a member of the group Staff if staff is true,
// before their first sign-in.
func (g *guarded) person(address string, staff bool) *harness.Person {
	g.t.Helper()
	g.boss.Invite(address)
	p := g.NewPerson(address)
	p.NextLink() // the invitation
	if staff {
		g.Join("Staff", address)
	}
	return p
}

// signedIn returns a member of the group Staff whose browser has opened the wiki.
func (g *guarded) signedIn(address string, via harness.Asker) *harness.Person {
	g.t.Helper()
	p := g.person(address, true)
	p.SignIn()
	g.wantPassed(p, p.OpenApp(via, wikiURL+"/"))
	return p
}

// fetch sends a request of a script to an app.
func fetch(p *harness.Person, via harness.Asker, method, address string, headers ...string) harness.View {
	p.T.Helper()
	r := p.NewRequest(method, address, nil)
	r.Header.Set("Sec-Fetch-Mode", "cors")
	r.Header.Set("Sec-Fetch-Dest", "empty")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return p.SendVia(via, r)
}

// wantPassed checks that a request passes to the app with the person's identity.
func (g *guarded) wantPassed(p *harness.Person, v harness.View) {
	g.t.Helper()
	if v.Status != http.StatusOK || v.Header.Get("Remote-Email") != p.Email || strings.Count(v.Header.Get("X-Guestlist-Jwt"), ".") != 2 || v.Body != "" {
		g.t.Errorf("%s: %d, identity %q: %s", v.Path, v.Status, v.Header.Get("Remote-Email"), v.Text())
	}
	if v.Header.Get("Set-Cookie") != "" {
		g.t.Errorf("%s: an answer 200 sets a cookie", v.Path)
	}
}

// wantRefused checks that a request of a script is refused.
func wantRefused(t *testing.T, v harness.View, status int) {
	t.Helper()
	if v.Status != status || v.Header.Get("Location") != "" || v.Header.Get("Remote-User") != "" || v.Header.Get("Set-Cookie") != "" {
		t.Errorf("%s: got %d to %q, want %d: %s", v.Path, v.Status, v.Header.Get("Location"), status, v.Text())
	}
}

// wantStartAgain checks that a page leads back to an app.
func wantStartAgain(t *testing.T, v harness.View, app string) {
	t.Helper()
	if href, found := v.Link("Start again"); !found || !strings.HasPrefix(href, app+"/") || v.Status < 400 || v.Status >= 500 {
		t.Errorf("%s: %d, leads to %q: %s", v.Path, v.Status, href, v.Text())
	}
}

// eachGuarded runs a test on both databases behind each proxy.
func eachGuarded(t *testing.T, test func(t *testing.T, g *guarded, via harness.Asker)) {
	t.Helper()
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		g := newGuarded(t, databaseURL)
		for _, via := range harness.Askers {
			t.Run(via.Name, func(t *testing.T) {
				scoped := *g
				scoped.t = t
				test(t, &scoped, via)
			})
		}
	})
}

// addressOf returns an address that is used in one row only.
func addressOf(via harness.Asker) string { return strings.ToLower(via.Name) + "@example.com" }

func TestGuard_SignInFromADeepLink(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		ada := g.person(addressOf(via), true)
		deep := wikiURL + "/a%20page%2Fx?q=%2Fx&y"
		signIn := ada.OpenApp(via, deep)
		harness.WantPage(t, signIn, http.StatusOK, "Sign in", "to continue to wiki.example.com")
		if n := g.Count("SELECT COUNT(*) FROM app_sessions") + g.Count("SELECT COUNT(*) FROM app_codes"); via.Name == "Caddy" && n > 0 {
			t.Errorf("a visitor has created %d rows", n)
		}
		harness.WantPage(t, ada.Submit(signIn, "Email me a link", "Email address", ada.Email), http.StatusOK, "Check your email")
		g.Clock.Advance(9 * time.Minute) // the ticket is nearly as old as it may be
		landing := ada.OpenNextLink()
		g.Clock.Advance(50 * time.Second)
		form, _ := landing.Form("Continue")
		v := ada.DoOnce(ada.FormRequest("/api/authenticate_magic_link", form.Values.Encode()))
		if v.Status != http.StatusSeeOther || v.Header.Get("Location") != "/enter" {
			t.Fatalf("%d to %s", v.Status, v.Header.Get("Location"))
		}
		g.Clock.Advance(20 * time.Second) // now it has expired
		in := ada.OpenApp(via, g.URL+"/enter")
		g.wantPassed(ada, in)
		if wikiURL+in.Path != deep {
			t.Errorf("it ends at %s", in.Path)
		}
		g.wantPassed(ada, ada.OpenApp(via, boardURL+"/")) // without signing in again

		elsewhere := ada.InNewBrowser() // the link opened on another device
		v = elsewhere.SignIn()
		harness.WantPage(t, v, http.StatusOK, "My apps")
		if href, found := v.Link("Wiki"); !found || !strings.HasPrefix(href, wikiURL) {
			t.Errorf("the apps page leads to %q: %s", href, v.Text())
		}
	})
}

func TestGuard_ScriptsAndProgramsAreNotRedirected(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		ada := g.signedIn(addressOf(via), via)
		visitor := harness.NewVisitor(g.Site)
		for _, row := range []struct {
			method  string
			headers []string
		}{
			{"GET", nil},
			{"POST", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}},
			{"GET", []string{"X-Requested-With", "XMLHttpRequest"}},
			{"GET", []string{"Accept", "text/event-stream"}},
			{"GET", []string{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-Fetch-Mode", "websocket"}},
			{"OPTIONS", []string{"Origin", "https://other.example", "Access-Control-Request-Method", "GET"}},
			{"DELETE", nil},
			{"HEAD", nil},
		} {
			v := fetch(visitor, via, row.method, wikiURL+"/page", row.headers...)
			wantRefused(t, v, http.StatusUnauthorized)
			at, err := url.Parse(v.Header.Get("X-Guestlist-Sign-In"))
			if err != nil || !strings.HasPrefix(at.String(), g.URL+"/enter?t=") {
				t.Errorf("%s: X-Guestlist-Sign-In is %q", row.method, at)
			}
			var body struct{ Error, SignIn string }
			if err := json.Unmarshal([]byte(v.Body), &body); row.method != "HEAD" && (err != nil || body.Error != "user unauthenticated") {
				t.Errorf("%s: %s, %v", row.method, v.Body, err)
			}
			g.wantPassed(ada, fetch(ada, via, row.method, wikiURL+"/page", row.headers...))
		}

		// A page with a script leads there and comes back.
		v := fetch(visitor, via, "GET", wikiURL+"/api", "Referer", wikiURL+"/page?x=1")
		if v = ada.OpenApp(via, v.Header.Get("X-Guestlist-Sign-In")); v.Path != "/page?x=1" {
			t.Errorf("it ends at %s", v.Path)
		}
		g.wantPassed(ada, v)
		for _, referer := range []string{"https://evil.example/page", "http://wiki.example.com/page", "//evil.example", "\x00"} {
			v := fetch(visitor, via, "GET", wikiURL+"/api", "Referer", strings.Trim(referer, "\x00"))
			if v = ada.OpenApp(via, v.Header.Get("X-Guestlist-Sign-In")); v.Path != "/" {
				t.Errorf("referer %q: it ends at %s", referer, v.Path)
			}
		}
	})
}

func TestGuard_RefusedUser(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		eve := g.person(addressOf(via), false)
		eve.SignIn()
		for range 3 { // at Guestlist's host: she has no credential for the app
			v := eve.OpenApp(via, wikiURL+"/page")
			harness.WantPage(t, v, http.StatusForbidden, "You can’t open Wiki", eve.Email)
			if href, _ := v.Link("Request access"); href != "/apps/"+g.wiki.ID+"/request" {
				t.Errorf("Request access leads to %q", href)
			}
		}
		wantRefused(t, fetch(eve, via, "GET", wikiURL+"/page"), http.StatusUnauthorized)

		g.Join("Staff", eve.Email)
		g.wantPassed(eve, eve.OpenApp(via, wikiURL+"/page"))
		group, err := g.App.Groups.Find(t.Context(), "Staff")
		harness.Must(t, err)
		harness.Must(t, g.App.Groups.Leave(t.Context(), event.Origin{}, group.ID, g.UserID(t, eve.Email)))
		before := g.Count("SELECT COUNT(*) FROM events WHERE kind = 'app_refused' AND subject = ?", eve.Email)
		for range 5 { // at the app's host: she has one
			wantRefused(t, fetch(eve, via, "GET", wikiURL+"/page"), http.StatusForbidden)
		}
		v := eve.OpenApp(via, wikiURL+"/page")
		harness.WantPage(t, v, http.StatusForbidden, "You can’t open Wiki", eve.Email)
		for _, button := range []string{"Request access", "Switch account"} {
			if _, found := v.Link(button); !found {
				t.Errorf("no link %q: %s", button, v.Text())
			}
		}
		after := g.Count("SELECT COUNT(*) FROM events WHERE kind = 'app_refused' AND subject = ?", eve.Email)
		if before == 0 || after-before > 2 {
			t.Errorf("the audit log has %d refusals, then %d", before, after)
		}

		// Access again: the page that nginx leads to goes on to the app.
		g.Join("Staff", eve.Email)
		g.wantPassed(eve, eve.OpenApp(via, wikiURL+"/page"))
	})
}

func TestGuard_SwitchAccount(t *testing.T) {
	t.Parallel()
	g := newGuarded(t, testdb.SQLite(t))
	via := harness.Askers[0]
	eve := g.person("eve@example.com", false)
	eve.SignIn()
	page := harness.FollowLink(t, eve, eve.OpenApp(via, wikiURL+"/page"), "Switch account")
	harness.WantPage(t, page, http.StatusOK, "Switch account", eve.Email, "Wiki")
	signIn := eve.Submit(page, "Switch account")
	harness.WantPage(t, signIn, http.StatusOK, "Sign in", "to continue to wiki.example.com")
	ada := g.person("ada@example.com", true)
	ada.Jar = eve.Jar
	ada.Submit(signIn, "Email me a link", "Email address", ada.Email)
	form, _ := ada.OpenNextLink().Form("Continue")
	ada.DoOnce(ada.FormRequest("/api/authenticate_magic_link", form.Values.Encode()))
	g.wantPassed(ada, ada.OpenApp(via, g.URL+"/enter"))
}

func TestGuard_EveryChangeTakesEffectAtOnce(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		other := g.StartAnother("--guestlist-base-url=" + g.URL) // changes are made here
		boss := g.boss.At(other)
		name := strings.ToLower(via.Name)
		for change, apply := range map[string]func(p *harness.Person){
			"suspended":  func(p *harness.Person) { boss.Post("/users/" + g.UserID(t, p.Email) + "/suspend") },
			"removed":    func(p *harness.Person) { boss.Post("/users/" + g.UserID(t, p.Email) + "/remove") },
			"signed out": func(p *harness.Person) { boss.Post("/users/" + g.UserID(t, p.Email) + "/signout") },
			"signs out":  func(p *harness.Person) { p.At(other).Post("/signout") },
		} {
			p := g.signedIn(strings.ReplaceAll(change, " ", "-")+"."+name+"@example.com", via)
			apply(p)
			wantRefused(t, fetch(p, via, "GET", wikiURL+"/page"), http.StatusUnauthorized)
			if v := p.OpenApp(via, wikiURL+"/page"); v.Heading() != "Sign in" {
				t.Errorf("%s: %d %s", change, v.Status, v.Text())
			}
		}

		guest := g.person("guest."+name+"@example.com", false)
		group, err := g.App.Groups.Find(t.Context(), "Staff")
		harness.Must(t, err)
		harness.Must(t, g.App.Groups.Join(t.Context(), event.Origin{}, group.ID, g.UserID(t, guest.Email), g.Clock.Now().Add(time.Minute)))
		guest.SignIn()
		g.wantPassed(guest, guest.OpenApp(via, wikiURL+"/page"))
		g.Clock.Advance(time.Minute)
		wantRefused(t, fetch(guest, via, "GET", wikiURL+"/page"), http.StatusForbidden)
		harness.WantPage(t, guest.OpenApp(via, wikiURL+"/page"), http.StatusForbidden, "You can’t open Wiki", "has ended")
		g.wantPassed(guest, guest.OpenApp(via, boardURL+"/page"))
	})
}

func TestGuard_SignOutEndsEveryApp(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		p := g.signedIn(addressOf(via), via)
		g.wantPassed(p, p.OpenApp(via, boardURL+"/"))
		page := p.OpenApp(via, wikiURL+"/.guestlist/signout")
		harness.WantPage(t, page, http.StatusOK, "Sign out", p.Email)
		g.wantPassed(p, fetch(p, via, "GET", wikiURL+"/")) // a link alone ends nothing

		for _, headers := range [][]string{
			{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "", "Origin", "https://evil.example"},
			{"Sec-Fetch-Site", "", "Origin", "null"}, {"Sec-Fetch-Site", "", "Origin", "http://wiki.example.com"},
		} {
			wantRefused(t, fetch(p, via, "POST", wikiURL+"/.guestlist/signout", headers...), http.StatusForbidden)
			g.wantPassed(p, fetch(p, via, "GET", wikiURL+"/"))
		}
		v := fetch(p, via, "POST", wikiURL+"/.guestlist/signout", "Origin", wikiURL)
		if v.Status/100 != 3 || v.Header.Get("Location") != g.URL+"/?signed-out" {
			t.Fatalf("%d to %s", v.Status, v.Header.Get("Location"))
		}
		for _, app := range []string{wikiURL, boardURL} {
			wantRefused(t, fetch(p, via, "GET", app+"/"), http.StatusUnauthorized)
		}
		harness.WantPage(t, p.Get("/profile"), http.StatusOK, "Sign in")

		p.SignIn()
		g.wantPassed(p, p.OpenApp(via, wikiURL+"/"))
		p.Submit(p.OpenApp(via, wikiURL+"/.guestlist/signout"), "Sign out")
		wantRefused(t, fetch(p, via, "GET", wikiURL+"/"), http.StatusUnauthorized)
	})
}

func TestGuard_Me(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		p := g.signedIn(addressOf(via), via)
		for _, headers := range [][]string{{"X-Real-Ip", "forged"}, {"Remote_user", "forged"}} {
			v := fetch(p, via, "GET", wikiURL+"/.guestlist/me", headers...)
			if v.Status/100 != 3 || !strings.HasPrefix(v.Header.Get("Location"), g.URL+"/enter/report?r=") {
				t.Fatalf("%d to %s", v.Status, v.Header.Get("Location"))
			}
			var report struct {
				App, Decision string
				User          struct{ Email string }
				Received      struct {
					Scheme, Host, Path, Client string
					Headers                    map[string]string
				}
			}
			at := v.Header.Get("Location")
			if err := json.Unmarshal([]byte(p.Get(at).Body), &report); err != nil {
				t.Fatal(err)
			}
			if report.App != g.wiki.ID || report.Decision != "allowed" || report.User.Email != p.Email || report.Received.Host != "wiki.example.com" ||
				report.Received.Path != "/.guestlist/me" || report.Received.Client != "192.0.2.7" || report.Received.Headers[headers[0]] != "forged" {
				t.Errorf("%+v", report)
			}
			g.Clock.Advance(time.Minute)
			harness.WantPage(t, p.Get(at), http.StatusGone, "This address has expired")
		}
		if v := fetch(harness.NewVisitor(g.Site), via, "GET", wikiURL+"/.guestlist/me"); !strings.Contains(harness.NewVisitor(g.Site).Get(v.Header.Get("Location")).Body, `"user":null`) {
			t.Error("a visitor has a user")
		}
	})
}

func TestGuard_PublicPaths(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		p := g.signedIn(addressOf(via), via)
		eve := g.person("eve."+addressOf(via), false)
		eve.SignIn()
		for _, path := range []string{"/health", "/health?x=/secret", "/public/", "/public/a.css", "/%70ublic/a"} {
			for _, method := range []string{"GET", "POST", "OPTIONS"} {
				for _, visitor := range []*harness.Person{harness.NewVisitor(g.Site), eve} {
					v := fetch(visitor, via, method, wikiURL+path, "Remote-User", "forged")
					if v.Status != http.StatusOK || v.Header.Get("Remote-User")+v.Header.Get("X-Guestlist-Jwt") != "" {
						t.Errorf("%s %s: %d, %v", method, path, v.Status, v.Header)
					}
				}
				g.wantPassed(p, fetch(p, via, method, wikiURL+path))
			}
		}
		for _, path := range []string{"/", "/healthz", "/public", "/secret?/public/a", "/public/../secret", "/public/%2e%2e/secret", "/public/..%2fsecret", "/.guestlist/x"} {
			if v := fetch(harness.NewVisitor(g.Site), via, "GET", wikiURL+path); v.Status == http.StatusOK {
				t.Errorf("%s is public", path)
			}
		}
	})
}

func TestGuard_AppTokens(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		p := g.person(addressOf(via), true)
		user, err := g.App.Store.GetUser(t.Context(), g.UserID(t, p.Email))
		harness.Must(t, err)
		create := func(userID string) (apps.Token, string) {
			t.Helper()
			owner := user
			if userID == "" {
				owner.ID = ""
			}
			token, secret, err := g.App.Apps.CreateToken(t.Context(), event.Origin{}, g.wiki, owner, apps.TokenRequest{ID: apps.NewTokenID(), Name: "Robot", UserID: userID, Days: "7"})
			harness.Must(t, err)
			g.Log.AddSecret(secret)
			return token, secret
		}
		token, secret := create(user.ID)
		service, serviceSecret := create("")
		visitor := harness.NewVisitor(g.Site)
		for _, headers := range [][]string{{"X-Guestlist-Token", secret}, {"Authorization", "Bearer " + secret}} {
			g.wantPassed(p, fetch(visitor, via, "POST", wikiURL+"/api", headers...))
			wantRefused(t, fetch(visitor, via, "POST", boardURL+"/api", headers...), http.StatusUnauthorized)
		}
		if v := fetch(visitor, via, "GET", wikiURL+"/api", "X-Guestlist-Token", serviceSecret); v.Status != http.StatusOK || v.Header.Get("Remote-Name") != "Robot" || v.Header.Get("Remote-User") != "" {
			t.Errorf("a service: %d, %v", v.Status, v.Header)
		}
		// A bad token isn't made up for by a cookie, and is never led to sign in.
		browser := g.signedIn("browser."+addressOf(via), via)
		for _, bad := range []string{secret + "x", "guestlist_app_", strings.ToLower(secret), "x"} {
			wantRefused(t, fetch(browser, via, "GET", wikiURL+"/api", "X-Guestlist-Token", bad), http.StatusUnauthorized)
		}
		wantRefused(t, browser.SendVia(via, func() *http.Request {
			r := browser.AppRequest("GET", wikiURL+"/page")
			r.Header.Set("Authorization", "Bearer guestlist_app_x")
			return r
		}()), http.StatusUnauthorized)

		harness.Must(t, g.App.Apps.RevokeToken(t.Context(), event.Origin{}, g.wiki, service.ID))
		wantRefused(t, fetch(visitor, via, "GET", wikiURL+"/api", "X-Guestlist-Token", serviceSecret), http.StatusUnauthorized)
		group, err := g.App.Groups.Find(t.Context(), "Staff")
		harness.Must(t, err)
		harness.Must(t, g.App.Groups.Leave(t.Context(), event.Origin{}, group.ID, user.ID))
		wantRefused(t, fetch(visitor, via, "GET", wikiURL+"/api", "X-Guestlist-Token", secret), http.StatusForbidden)
		g.Join("Staff", p.Email)
		g.boss.Post("/users/" + user.ID + "/suspend")
		wantRefused(t, fetch(visitor, via, "GET", wikiURL+"/api", "X-Guestlist-Token", secret), http.StatusForbidden)
		_ = token
	})
}

func TestGuard_DatabaseDown(t *testing.T) {
	t.Parallel()
	wire := harness.NewMySQLProxy(t, testdb.MySQL(t), nil)
	g := newGuarded(t, wire.DSN)
	p := g.signedIn("ada@example.com", harness.Askers[0])
	wire.RefuseConnections()
	wire.CutAll()
	for _, via := range harness.Askers {
		for _, path := range []string{"/page", "/health"} {
			for _, v := range []harness.View{fetch(p, via, "GET", wikiURL+path), p.SendVia(via, p.AppRequest("GET", wikiURL+path)), fetch(harness.NewVisitor(g.Site), via, "GET", wikiURL+path)} {
				if v.Status < 500 || v.Header.Get("Remote-User") != "" || v.Header.Get("Location") != "" {
					t.Errorf("%s %s: %d to %q", via.Name, path, v.Status, v.Header.Get("Location"))
				}
			}
		}
	}
	wire.AcceptConnections()
	harness.Eventually(t, "the app open again", func() bool { return fetch(p, harness.Askers[0], "GET", wikiURL+"/page").Status == http.StatusOK })
}

func TestGuard_StytchDown(t *testing.T) {
	t.Parallel()
	clock := harness.NewClock(harness.Noon)
	remote := harness.NewRemoteStytch(t, clock)
	s := harness.Start(t, testdb.SQLite(t), clock, remote.Flags("--guestlist-base-url=http://localhost:PORT")...)
	s.AddAppWith(apps.Input{Name: "Wiki", URL: wikiURL, PublicPaths: "/health"})
	via := harness.Askers[0]
	ada := remote.NewPerson(s, "ada@example.com")
	ada.SignIn()
	g := &guarded{Site: s, t: t}
	g.wantPassed(ada, ada.OpenApp(via, wikiURL+"/"))
	clock.Advance(6 * time.Minute) // the session must be verified again, by its id
	g.wantPassed(ada, fetch(ada, via, "GET", wikiURL+"/"))
	remote.Down()
	clock.Advance(6 * time.Minute)
	g.wantPassed(ada, fetch(ada, via, "GET", wikiURL+"/")) // within the hour after the last verification
	clock.Advance(time.Hour)
	wantRefused(t, fetch(ada, via, "GET", wikiURL+"/"), http.StatusServiceUnavailable)
	harness.WantPage(t, ada.SendVia(via, ada.AppRequest("GET", wikiURL+"/")), http.StatusServiceUnavailable, "We can’t check your access right now")
	if v := fetch(ada, via, "GET", wikiURL+"/health"); v.Status != http.StatusOK || v.Header.Get("Remote-User") != "" {
		t.Errorf("a public path: %d %v", v.Status, v.Header)
	}
	remote.Up()
	harness.Eventually(t, "the app open again", func() bool {
		clock.Advance(time.Minute) // the circuit breaker waits
		return fetch(ada, via, "GET", wikiURL+"/").Status == http.StatusOK
	})
}
