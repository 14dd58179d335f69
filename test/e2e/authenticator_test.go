package e2e

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// authenticator is an authenticator app on a person's phone, with the recovery codes they saved.
type authenticator struct {
	site   *harness.Site
	secret string
	codes  []string
}

// code returns the code that the app shows. A code works once, so that the clock moves on.
func (a *authenticator) code(t *testing.T) string {
	t.Helper()
	a.site.Clock.Advance(30 * time.Second)
	code, err := totp.GenerateCode(a.secret, a.site.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

var recoveryCode = regexp.MustCompile(`\b[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}\b`)

// scan adds the account on a setup page to an app. The log and the audit trail must not have
// what it keeps.
func scan(t *testing.T, s *harness.Site, setup harness.View) *authenticator {
	t.Helper()
	address, ok := setup.Link("Open an app on this device")
	u, err := url.Parse(address)
	if !ok || err != nil {
		t.Fatalf("no setup: %d %s", setup.Status, setup.Text())
	}
	form, _ := setup.Form("Turn on")
	a := &authenticator{site: s, secret: u.Query().Get("secret")}
	s.Log.AddSecret(a.secret)
	s.Log.AddSecret(form.Values.Get("setup"))
	return a
}

// turnOn completes a setup and returns the page with the recovery codes.
func turnOn(t *testing.T, p *harness.Person, setup harness.View, a *authenticator) harness.View {
	t.Helper()
	v := p.Submit(setup, "Turn on", "Six-digit code", a.code(t))
	harness.WantPage(t, v, 200, "Save your recovery codes")
	a.codes = recoveryCode.FindAllString(v.Text(), -1)
	if len(a.codes) != 10 {
		t.Fatalf("%d recovery codes: %s", len(a.codes), v.Text())
	}
	for _, code := range a.codes {
		p.Site.Log.AddSecret(code)
	}
	return v
}

func TestAuthenticator_FromSetupToRemoval(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
		ada := s.NewPerson("ada@example.com")
		ada.SignIn()
		setup := ada.Submit(ada.Get("/profile"), "Set up an authenticator app")
		app := scan(t, s, setup)
		harness.WantPage(t, ada.Submit(setup, "Turn on", "Six-digit code", "000000"), 422, "Set up an authenticator app", "This code isn’t right.")
		codes := turnOn(t, ada, setup, app)
		file := ada.Submit(codes, "Download")
		if file.Status != 200 || !strings.Contains(file.Body, strings.Join(app.codes, "\n")) {
			t.Errorf("the file: %d %s", file.Status, file.Body)
		}
		harness.WantPage(t, harness.FollowLink(t, ada, codes, "I’ve saved them"), 200, "ada@example.com", "10 recovery codes left")

		// Every new sign-in asks for it.
		laptop := ada.InNewBrowser()
		ask := laptop.SignIn()
		harness.WantPage(t, ask, 200, "One more step")
		code := app.code(t)
		harness.WantPage(t, laptop.Submit(ask, "Confirm", "Code from your authenticator app", code), 200, "My apps")
		var answer struct {
			Session struct{ Factors []struct{ Kind string } }
		}
		if err := json.Unmarshal([]byte(laptop.CallAPI("GET", "/api/session", "").Body), &answer); err != nil || len(answer.Session.Factors) != 2 || answer.Session.Factors[1].Kind != "totp" {
			t.Errorf("%v: %+v", err, answer)
		}
		tablet := ada.InNewBrowser()
		ask = tablet.SignIn()
		harness.WantPage(t, tablet.Submit(ask, "Confirm", "Code from your authenticator app", code), 422, "One more step", "already used")
		harness.WantPage(t, tablet.Submit(ask, "Use recovery code", "Recovery code", strings.ToUpper(app.codes[3])), 200, "My apps")
		harness.WantPage(t, tablet.Get("/profile"), 200, "ada@example.com", "9 recovery codes left", "recovery code just now", "Email link", "last used just now")

		// New recovery codes come with a new setup.
		setup = tablet.Submit(tablet.Get("/profile/authenticator/renew"), "Set it up again")
		harness.WantPage(t, setup, 200, "Set up an authenticator app", "Your previous codes no longer work.")
		old, app := app, scan(t, s, setup)
		turnOn(t, tablet, setup, app)
		phone := ada.InNewBrowser()
		ask = phone.SignIn()
		harness.WantPage(t, phone.Submit(ask, "Use recovery code", "Recovery code", old.codes[5]), 422, "One more step", "isn’t one of your unused")
		harness.WantPage(t, phone.Submit(ask, "Confirm", "Code from your authenticator app", old.code(t)), 422, "One more step")
		harness.WantPage(t, phone.Submit(ask, "Use recovery code", "Recovery code", app.codes[5]), 200, "My apps")

		harness.WantPage(t, phone.Submit(phone.Get("/profile/authenticator/remove"), "Remove authenticator app"), 200, "ada@example.com", "Your authenticator app was removed.")
		harness.Eventually(t, "the local Stytch to remove it", func() bool { return s.Count("SELECT COUNT(*) FROM stytch_totps") == 0 })
		for _, p := range []*harness.Person{ada, laptop, tablet, phone} {
			harness.WantPage(t, p.Get("/profile"), 200, "ada@example.com", "After your email, an app") // sessions stay
		}
		if v := ada.InNewBrowser().SignIn(); v.Heading() != "My apps" {
			t.Errorf("a new sign-in: %d %s", v.Status, v.Text())
		}
	})
}

func TestAuthenticator_ForcedSetup(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon), "--guestlist-second-factor=everyone")
		ada := s.NewPerson("ada@example.com")
		forced := ada.SignIn()
		harness.WantPage(t, forced, 200, "Set up a second factor", "ada@example.com")
		for _, path := range []string{"/apps", "/users", "/profile"} {
			if v := ada.Get(path); v.Heading() != "Set up a second factor" {
				t.Errorf("%s opens: %d %s", path, v.Status, v.Text())
			}
		}
		if v := ada.CallAPI("GET", "/api/session", ""); v.Status != 403 {
			t.Errorf("the API: %d %s", v.Status, v.Body)
		}
		setup := ada.Submit(ada.Get("/users?q=x"), "Set up an authenticator app")
		app := scan(t, s, setup)
		codes := turnOn(t, ada, setup, app)
		if v := harness.FollowLink(t, ada, codes, "I’ve saved them"); v.Path != "/users?q=x" || v.Heading() != "People" {
			t.Errorf("on to %s: %d %s", v.Path, v.Status, v.Text())
		}

		// Without the app, a mailbox alone sets up no other one.
		thief := ada.InNewBrowser()
		harness.WantPage(t, thief.SignIn(), 200, "One more step")
		harness.WantPage(t, thief.Get("/second-factor/setup"), 200, "One more step")
		if v := thief.Post("/profile/authenticator"); v.Heading() != "One more step" {
			t.Errorf("a mailbox sets up another one: %d %s", v.Status, v.Text())
		}

		// A sign-in that was left alone for ten minutes sets up none.
		ada.Invite("grace@example.com")
		grace := s.NewPerson("grace@example.com")
		harness.WantPage(t, grace.PressContinue(grace.OpenNextLink()), 200, "Set up a second factor")
		s.Clock.Advance(10 * time.Minute)
		stale := grace.Get("/apps")
		harness.WantPage(t, stale, 200, "Set up a second factor", "sign in again first")
		harness.WantPage(t, grace.Submit(stale, "Sign in again"), 200, "Sign in")
	})
}

func TestAuthenticator_LoginServiceDownLosesNothing(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	setup := ada.Submit(ada.Get("/profile"), "Set up an authenticator app")
	app := scan(t, s, setup)
	s.SetFaults(`{"rules":[{"kind":"down"}]}`)
	harness.WantPage(t, ada.Submit(ada.Get("/profile"), "Set up an authenticator app"), 503, "Sign-in is unavailable right now")
	down := ada.Submit(setup, "Turn on", "Six-digit code", app.code(t))
	harness.WantPage(t, down, 503, "Set up an authenticator app", "We couldn’t finish setting it up.")
	s.SetFaults(`{"rules":[]}`)
	s.Clock.Advance(time.Minute)
	turnOn(t, ada, down, app)

	// Nothing is removed if no new setup can be begun.
	s.SetFaults(`{"rules":[{"kind":"down"}]}`)
	s.Clock.Advance(time.Minute)
	if v := ada.Post("/profile/authenticator/renew"); v.Status != 503 {
		t.Errorf("%d %s", v.Status, v.Text())
	}
	harness.WantPage(t, ada.Get("/profile"), 200, "ada@example.com", "10 recovery codes left")
}
