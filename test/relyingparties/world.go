package relyingparties

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// world is Guestlist and one tool that people sign in to with it. The tool is an app for the group Writers.
type world struct {
	t            *testing.T
	site         *harness.Site
	party        party
	registration registration
	admin        *harness.Person
}

// newWorld starts both.
func newWorld(t *testing.T, p party) *world {
	t.Helper()
	s := harness.Start(t, testdb.SQLite(t), harness.SystemClock(),
		"--guestlist-base-url=http://localhost:PORT", "--guestlist-local-stytch=on", "--guestlist-local-stytch-limits=off", "--guestlist-admins=ada@example.com")
	w := &world{t: t, site: s, party: p, admin: s.NewPerson("ada@example.com")}
	harness.WantPage(t, w.admin.SignIn(), http.StatusOK, "My apps")
	w.registration = registration{issuer: s.URL, address: harness.ReserveAddr(t)}
	w.register()
	s.Log.AddSecret(w.registration.secret)
	p.start(t, w.registration)
	return w
}

// switchApp switches the tool's app off or on.
func (w *world) switchApp(on bool) {
	w.t.Helper()
	if _, err := w.site.App.Apps.Switch(w.t.Context(), by, w.registration.clientID, on); err != nil {
		w.t.Fatal(err)
	}
}

// forTest returns the world for a subtest.
func (w *world) forTest(t *testing.T) *world {
	site, inner := *w.site, *w
	site.T, inner.t, inner.site = t, t, &site
	inner.admin = w.admin.At(&site)
	inner.admin.T = t
	return &inner
}

// person is a person with a browser.
type person struct {
	*harness.Person
	w *world

	verifier, state string // of a sign-in that PocketBase has begun
}

// invite invites a person with a new address, and adds them to groups.
func (w *world) invite(groups ...string) *person {
	w.t.Helper()
	p := &person{Person: w.site.NewPerson("person." + strings.ToLower(rand.Text()[:12]) + "@example.com"), w: w}
	w.admin.Invite(p.Email, "name", "Zoë Person")
	for _, group := range groups {
		w.site.Join(group, p.Email)
	}
	return p
}

// navigate opens an address with the headers of a browser that navigates to it.
func (p *person) navigate(address string) harness.View {
	p.T.Helper()
	return p.Do(p.AppRequest("GET", address))
}

// navigateInTool is navigate, but stays in the tool: a sign-in at Guestlist would hide that a refresh has
// failed.
func (p *person) navigateInTool(path string) harness.View {
	p.T.Helper()
	v, err := p.Try(p.AppRequest("GET", p.w.registration.url(path)), p.staying)
	if err != nil {
		p.T.Fatal(err)
	}
	return v
}

// staying follows redirects to the tool only.
func (p *person) staying(r *http.Request, _ []*http.Request) error {
	if r.URL.Host != p.w.registration.address {
		return http.ErrUseLastResponse
	}
	return nil
}

// open opens the tool like a browser: it follows redirects, and signs in if that's where they lead.
func (p *person) open() (account, harness.View, bool) {
	p.T.Helper()
	v := p.w.party.open(p)
	if v.Heading() == "Sign in" {
		v = p.signInAt(v)
	}
	a, ok := p.w.party.read(p, v)
	p.keepSecrets(a)
	return a, v, ok
}

// signInAt signs the person in on the sign-in page, and returns the page after it.
func (p *person) signInAt(v harness.View) harness.View {
	p.T.Helper()
	harness.WantPage(p.w.t, p.Submit(v, "Email me a link", "Email address", p.Email), http.StatusOK, "Check your email")
	return p.PressContinue(p.OpenNextLink())
}

// enter opens the tool, and fails the test unless it shows the person's account.
func (p *person) enter() account {
	p.T.Helper()
	a, v, ok := p.open()
	if !ok {
		p.T.Fatalf("not let in: %d at %s: %s", v.Status, v.Path, v.Text())
	}
	if a.Claims.Email != p.Email {
		p.T.Fatalf("let in as %s: %s", a.Claims.Email, v.Body)
	}
	return a
}

// keepSecrets has Guestlist's log checked for the tokens of an account.
func (p *person) keepSecrets(a account) {
	for _, secret := range []string{a.AccessToken, a.RefreshToken, a.IDToken} {
		p.w.site.Log.AddSecret(secret)
	}
}

// inside reports whether the tool shows an account without another sign-in at Guestlist.
func (p *person) inside() bool {
	p.T.Helper()
	_, ok := p.w.party.read(p, p.w.party.open(p))
	return ok
}

// id returns the ID of the person's user.
func (p *person) id() string {
	p.T.Helper()
	return p.w.site.UserID(p.w.t, p.Email)
}

// leave ends the person's membership of a group.
func (p *person) leave(group string) {
	p.T.Helper()
	g, err := p.w.site.App.Groups.Find(p.T.Context(), group)
	if err == nil {
		err = p.w.site.App.Groups.Leave(p.T.Context(), by, g.ID, p.id())
	}
	if err != nil {
		p.T.Fatal(err)
	}
}

// administer has the administrator press a button about the person's user, such as "/suspend".
func (p *person) administer(path string) {
	p.T.Helper()
	if v := p.w.admin.Post("/users/" + p.id() + path); v.Status != http.StatusOK {
		p.T.Fatalf("%s: %d %s", path, v.Status, v.Text())
	}
}

// signedInAtGuestlist reports whether the person's browser has a session at Guestlist.
func (p *person) signedInAtGuestlist() bool {
	p.T.Helper()
	return p.CallAPI("GET", "/api/session", "").Status == http.StatusOK
}

// approveDevice opens an address that a device shows, and signs the device in with its code.
func (p *person) approveDevice(address, code string) {
	p.T.Helper()
	v := p.navigate(address)
	if v.Heading() == "Sign in" {
		v = p.signInAt(v)
	}
	v = p.Submit(v, "Continue", "Code", code)
	harness.WantPage(p.w.t, p.Submit(v, "Allow"), http.StatusOK, "Device allowed")
}
