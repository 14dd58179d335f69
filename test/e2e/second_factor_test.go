package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/internal/token"
	"github.com/guestlist/guestlist/test/harness"
)

// appCode is the label of the field for a code of an authenticator app.
const appCode = "Code from your authenticator app"

// secondFactors is a site with an app, an administrator and a member, who have an authenticator app
// each, before a second factor is required.
type secondFactors struct {
	*guarded
	ada            *harness.Person // a member who can open the app
	bossApp, phone harness.Authenticator
}

func newSecondFactors(t *testing.T, databaseURL string) *secondFactors {
	t.Helper()
	g := newGuarded(t, databaseURL, "--guestlist-cookie-keys="+harness.CookieKey)
	f := &secondFactors{guarded: g, ada: g.signedIn("ada@example.com", harness.Askers[0])}
	f.bossApp, f.phone = g.boss.AddAuthenticator(), f.ada.AddAuthenticator()
	return f
}

// requiring returns another instance on the same database, which requires a second factor.
func (f *secondFactors) requiring(from factor.Requirement) *harness.Site {
	f.t.Helper()
	s := f.StartAnother("--guestlist-cookie-keys="+harness.CookieKey, "--guestlist-second-factor="+string(from),
		"--guestlist-admins=boss@example.com", "--guestlist-base-url=http://localhost:PORT", "--guestlist-local-stytch-limits=off")
	s.Log.Secrets = f.Log.Secrets
	return s
}

func TestSecondFactor_IsAskedForAtSignIn(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		f := newSecondFactors(t, databaseURL)
		ada := f.ada.InNewBrowser()
		page := ada.SignIn()
		harness.WantPage(t, page, http.StatusOK, "One more step", "You’re signing in as ada@example.com", "ask an administrator to reset your second factor")
		for _, path := range []string{"/", "/apps", "/profile", "/confirm", "/users", "/groups/x", "/nothing-here", "/apps/" + f.wiki.ID + "/request"} {
			v := ada.Get(path)
			if path == "/nothing-here" {
				if strings.Contains(v.Text(), "Sign out") || v.Status != http.StatusNotFound {
					t.Errorf("%s shows who is signed in: %s", path, v.Text())
				}
				continue
			}
			if v.Heading() != "One more step" || strings.Contains(v.Body, `aria-label="Main"`) {
				t.Errorf("%s leads to %s: %s", path, v.Path, v.Text())
			}
		}
		if v := ada.CallAPI("GET", "/api/session", ""); v.Status != http.StatusForbidden || v.Body != `{"error":"second factor required","code":"second_factor_required"}`+"\n" {
			t.Errorf("%d %s", v.Status, v.Body)
		}
		harness.WantPage(t, ada.Post("/profile/signout", "session", "all"), http.StatusOK, "One more step")
		harness.WantPage(t, ada.Post("/second-factor", "by", "email", "code", "123456"), http.StatusBadRequest, "We couldn’t read that form")
		refused := ada.Submit(page, "Confirm", appCode, wrongCode(f.phone.Code()))
		harness.WantPage(t, refused, http.StatusUnprocessableEntity, "One more step", "This code isn’t right.")
		f.Clock.Advance(factor.FreshFor)
		page = ada.Get("/profile")
		harness.WantPage(t, ada.Submit(page, "Confirm", appCode, f.phone.Code()), http.StatusOK, "ada@example.com", "Where you’re signed in")
		harness.WantPage(t, ada.Get("/second-factor"), http.StatusOK, "My apps")

		lost := f.ada.InNewBrowser()
		harness.WantPage(t, lost.Submit(lost.SignIn(), "Use recovery code", "Recovery code", f.phone.RecoveryCodes[3]), http.StatusOK, "My apps")
		leaving := f.ada.InNewBrowser()
		harness.WantPage(t, leaving.Submit(leaving.SignIn(), "Sign out"), http.StatusOK, "Sign in", "You’ve signed out.")
	})
}

func TestSecondFactor_PolicyForAdministrators(t *testing.T) {
	t.Parallel()
	f := newSecondFactors(t, testdb.SQLite(t))
	f.boss.Invite("member@example.com")
	s := f.requiring(factor.Admins)

	newBoss := f.boss.InNewBrowser().At(s)
	harness.WantPage(t, newBoss.SignIn(), http.StatusOK, "One more step", "boss@example.com")
	member := s.NewPerson("member@example.com")
	member.NextLink() // the invitation
	harness.WantPage(t, member.SignIn(), http.StatusOK, "My apps")

	// An emailed code is not enough for the fresh sign-in of an administrator.
	f.Clock.Advance(factor.FreshFor) // the app shows another code
	harness.WantPage(t, newBoss.Submit(newBoss.Get("/second-factor"), "Confirm", appCode, f.bossApp.Code()), http.StatusOK, "My apps")
	f.Clock.Advance(factor.FreshFor)
	page := addApp(newBoss)
	harness.WantPage(t, page, http.StatusOK, "Confirm it’s you")
	if _, offered := page.Form("Email me a code"); offered {
		t.Error("an emailed code is offered")
	}
	harness.WantPage(t, newBoss.Post("/confirm/email"), http.StatusBadRequest, "We couldn’t read that form")
	harness.WantPage(t, newBoss.Post("/confirm", "by", "email", "code", "123456"), http.StatusBadRequest, "We couldn’t read that form")

	// Making someone an administrator ends what their session may do without a second factor.
	if out, err := f.Command("users", "edit", "member@example.com", "--role=admin"); err != nil {
		t.Fatal(out, err)
	}
	if v := member.Get("/apps"); !strings.HasPrefix(v.Path, "/second-factor") {
		t.Errorf("%s: %s", v.Path, v.Text())
	}
}

func TestSecondFactor_PolicyHoldsForSessionsThatExist(t *testing.T) {
	t.Parallel()
	f := newSecondFactors(t, testdb.SQLite(t))
	secret := createToken(t, f)
	plain := f.person("plain@example.com", true)
	plain.SignIn()
	f.wantPassed(plain, plain.OpenApp(harness.Askers[0], wikiURL+"/"))
	s := f.requiring(factor.Everyone)

	plain = plain.At(s)
	plain.Jar = copyJar(plain, f.Site, s)
	if v := plain.Get("/apps"); !strings.HasPrefix(v.Path, "/second-factor") {
		t.Errorf("a session of before is open: %s", v.Path)
	}
	r := plain.NewRequest("GET", s.URL+"/api/users", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	if v := plain.Do(r); v.Status != http.StatusOK {
		t.Errorf("the API token of an administrator: %d %s", v.Status, v.Body)
	}
	r = plain.NewRequest("POST", s.URL+"/api/users", strings.NewReader(`{"email":"new@example.com","role":"admin"}`))
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/json")
	if v := plain.Do(r); v.Status != http.StatusCreated {
		t.Errorf("the API token of an administrator can't add one: %d %s", v.Status, v.Body)
	}
	for _, via := range harness.Askers {
		if v := fetch(plain, via, "GET", wikiURL+"/"); v.Status != http.StatusUnauthorized {
			t.Errorf("%s: %d", via.Name, v.Status)
		}
	}
}

// createToken creates an API token of the administrator.
func createToken(t *testing.T, f *secondFactors) string {
	t.Helper()
	page := f.boss.Submit(f.boss.Get("/profile"), "Create token", "Token name", "backup", "Access", "write")
	form := page.Text()
	at := strings.Index(page.Body, token.Prefix)
	if at < 0 {
		t.Fatal(form)
	}
	secret, _, _ := strings.Cut(page.Body[at:], `"`)
	f.Log.AddSecret(secret)
	return secret
}

// copyJar returns a jar with a person's cookies of one instance for another.
func copyJar(p *harness.Person, from, to *harness.Site) http.CookieJar {
	moved := p.InNewBrowser()
	cookies := p.Jar.Cookies(from.Config.BaseURL)
	for _, c := range cookies {
		c.Path = "/"
	}
	moved.Jar.SetCookies(to.Config.BaseURL, cookies)
	return moved.Jar
}

func TestSecondFactor_AppsOpenOnlyAfterIt(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		f := newSecondFactors(t, databaseURL)
		for _, via := range harness.Askers {
			t.Run(via.Name, func(t *testing.T) {
				f.Clock.Advance(factor.FreshFor) // the app shows another code
				ada := f.ada.InNewBrowser()
				v := ada.OpenApp(via, wikiURL+"/deep?q=1")
				harness.WantPage(t, v, http.StatusOK, "Sign in")
				ada.Submit(v, "Email me a link", "Email address", ada.Email)
				form, _ := ada.OpenNextLink().Form("Continue")
				ada.DoOnce(ada.FormRequest("/api/authenticate_magic_link", form.Values.Encode()))
				if v := fetch(ada, via, "GET", wikiURL+"/"); v.Status != http.StatusUnauthorized {
					t.Errorf("a script: %d", v.Status)
				}
				harness.WantPage(t, ada.OpenApp(via, f.URL+"/enter"), http.StatusOK, "One more step")
				page := ada.OpenApp(via, wikiURL+"/deep?q=1")
				harness.WantPage(t, page, http.StatusOK, "One more step")
				proof, _ := page.Form("Confirm")
				if err := proof.Fill(appCode, f.phone.Code()); err != nil {
					t.Fatal(err)
				}
				done := ada.DoOnce(ada.FormRequest("/second-factor", proof.Values.Encode()))
				if done.Status != http.StatusSeeOther || done.Header.Get("Location") != "/enter" {
					t.Fatalf("%d to %s", done.Status, done.Header.Get("Location"))
				}
				in := ada.OpenApp(via, f.URL+"/enter")
				f.wantPassed(ada, in)
				if in.Path != "/deep?q=1" {
					t.Errorf("it ends at %s", in.Path)
				}
			})
		}
	})
}
