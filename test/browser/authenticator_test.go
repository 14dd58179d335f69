package browser

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/pquerna/otp/totp"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestAuthenticator(t *testing.T) {
	t.Parallel()
	walk(t, authenticatorJourneys)
}

// scan returns the secret on the setup page, as a phone reads it.
func (b *tab) scan() string {
	b.t.Helper()
	b.sees("image", "QR code for an authenticator app")
	u, err := url.Parse(eval[string](b, `document.querySelector("a[href^='otpauth:']").href`))
	if err != nil {
		b.t.Fatal(err)
	}
	secret := u.Query().Get("secret")
	b.site.Log.AddSecret(secret)
	return secret
}

// totp returns the next code of an authenticator app.
func (s *browserSite) totp(secret string) string {
	s.T.Helper()
	s.Clock.Advance(30 * time.Second)
	code, err := totp.GenerateCode(secret, s.Clock.Now())
	if err != nil {
		s.T.Fatal(err)
	}
	return code
}

var authenticatorJourneys = []journey{
	{"an app is set up by keyboard, and its key and codes are copied", func(t *testing.T, chromium browser) {
		b := newTab(t, chromium, startBrowserSite(t, chromium))
		b.signIn("ada@example.com")
		b.visit("/profile")
		b.tabTo(`button "Set up an authenticator app"`)
		b.press(kb.Enter)
		secret := b.scan()
		b.click("button", "Copy")
		b.sees("button", "Copied")
		if key := eval[string](b, `document.getElementById("key").textContent`); key != secret {
			t.Errorf("the key to copy is %q, want %q", key, secret)
		}
		b.tabTo(`textbox "Six-digit code"`)
		b.press("123" + kb.Enter)
		b.focused(`textbox "Six-digit code"`)
		b.reads("Enter the six digits of the code.")
		b.fill("textbox", "Six-digit code", b.site.totp(secret)+kb.Enter)
		b.announces("Your authenticator app is set up.")
		b.sees("heading", "Save your recovery codes")
		b.click("button", "Copy")
		b.sees("button", "Copied")
		if lines := eval[int](b, `document.getElementById("codes").textContent.split("\n").length`); lines != 10 {
			t.Errorf("%d codes to copy", lines)
		}
		eval[any](b, `location.reload()`) // submits the form again
		b.sees("heading", "Save your recovery codes")
		b.tabTo(`link "I’ve saved them"`)
		b.press(kb.Enter)
		b.at("/profile")
		b.reads("10 recovery codes left")
		b.reads("authenticator app just now")
	}},

	{"without JavaScript an app is set up, renewed and removed", func(t *testing.T, chromium browser) {
		b := newTab(t, chromium, startBrowserSite(t, chromium))
		b.signIn("ada@example.com")
		b.withoutScripts()
		b.visit("/profile")
		b.click("button", "Set up an authenticator app")
		b.lacks("button", "Copy")
		b.fill("textbox", "Six-digit code", b.site.totp(b.scan()))
		b.click("button", "Turn on")
		b.sees("button", "Download")
		b.click("link", "I’ve saved them")
		b.click("link", "Get new recovery codes…")
		b.click("button", "Set it up again")
		b.fill("textbox", "Six-digit code", b.site.totp(b.scan()))
		b.click("button", "Turn on")
		b.click("link", "I’ve saved them")
		b.click("link", "Remove authenticator app")
		b.click("button", "Remove authenticator app")
		b.reads("Your authenticator app was removed.")
		b.sees("button", "Set up an authenticator app")
	}},

	{"its pages have no finding of axe, and fit on every screen", func(t *testing.T, chromium browser) {
		axe := readAxe(t)
		b := newTab(t, chromium, startBrowserSite(t, chromium))
		b.signIn("ada@example.com")
		b.visit("/profile")
		b.check(axe, "profile without an app")
		b.click("button", "Set up an authenticator app")
		secret := b.scan()
		b.check(axe, "setup")
		b.fill("textbox", "Six-digit code", "123456")
		b.click("button", "Turn on")
		b.reads("This code isn’t right.")
		b.check(axe, "setup, wrong code")
		b.fill("textbox", "Six-digit code", b.site.totp(secret))
		b.click("button", "Turn on")
		b.sees("heading", "Save your recovery codes")
		b.check(axe, "recovery codes")
		b.click("link", "I’ve saved them")
		b.sees("heading", "Passkeys")
		b.check(axe, "profile with an app")
		b.click("link", "Remove authenticator app")
		b.sees("heading", "Remove your authenticator app?")
		b.check(axe, "remove")
		b.click("link", "Cancel")
		b.click("link", "Get new recovery codes…")
		b.sees("heading", "Get new recovery codes?")
		b.check(axe, "renew")
		b.click("button", "Set it up again")
		b.sees("heading", "Set up an authenticator app")
		b.check(axe, "setup, renewed")
		b.fill("textbox", "Six-digit code", b.site.totp(b.scan()))
		b.click("button", "Turn on")
		b.sees("heading", "Save your recovery codes")
		b.visit("/users")
		b.click("link", "ada@example.com")
		b.check(axe, "person with an app")
	}},

	{"someone who needs a second factor sets it up on a phone, and goes on", func(t *testing.T, chromium browser) {
		axe := readAxe(t)
		s := chromium.start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off", "--guestlist-second-factor=everyone")
		site := &browserSite{Site: s, mailboxes: map[string]*harness.Person{}}
		b := newTab(t, chromium, site)
		b.setViewport(phone)
		b.visit("/?next=%2Fusers%3Fq%3Dada")
		b.fill("textbox", "Email address", "ada@example.com")
		b.click("button", "Email me a link")
		b.sees("heading", "Check your email")
		b.visit(site.link("ada@example.com"))
		b.sees("heading", "Set up a second factor")
		b.check(axe, "forced setup")
		b.setViewport(phone)
		b.click("button", "Set up an authenticator app")
		b.fill("textbox", "Six-digit code", site.totp(b.scan()))
		b.click("button", "Turn on")
		b.click("link", "I’ve saved them")
		b.at("/users?q=ada")

		late := newTab(t, chromium, site)
		site.add("Grace Hopper")
		late.visit("/")
		late.fill("textbox", "Email address", "grace.hopper@example.com")
		late.click("button", "Email me a link")
		late.sees("heading", "Check your email")
		late.visit(site.link("grace.hopper@example.com"))
		late.sees("heading", "Set up a second factor")
		site.Clock.Advance(10 * time.Minute)
		late.visit("/second-factor/setup")
		late.sees("button", "Sign in again")
		late.check(axe, "forced setup, too late")
		late.click("button", "Sign in again")
		late.sees("textbox", "Email address")
	}},
}

// check reports what axe finds on the page, light or dark, on a desk or a phone, and whether
// anything is cut off. It writes screenshots if screenshotsDir's setting names a folder.
func (b *tab) check(axe, name string) {
	b.t.Helper()
	b.await("the page", func() bool { _, ok := tryEval[bool](b, "true"); return ok })
	eval[chromedp.Void](b, axe)
	for _, l := range []viewport{desk, desk.dark(), phone, phone.dark()} {
		b.setViewport(l)
		for _, finding := range eval[[]string](b, runAxe("")) {
			b.t.Errorf("%s, %s: %s", name, l.name, finding)
		}
		if dir := os.Getenv("GUESTLIST_TEST_SCREENSHOTS"); dir != "" {
			b.screenshot(filepath.Join(dir, fmt.Sprintf("authenticator %s, %s.png", name, l.name)))
		}
	}
	for _, width := range []int64{320, 768, 1920} {
		b.setViewport(viewport{scheme: "light", width: width, height: 844})
		for _, what := range eval[[]string](b, findTooWide) {
			b.t.Errorf("%s, %d pixels wide: %s", name, width, what)
		}
	}
	b.setViewport(desk)
}
