package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/guestlist/guestlist/internal/factor"
)

func TestConfirm(t *testing.T) {
	t.Parallel()
	walk(t, confirmJourneys)
}

// setUpAuthenticator sets up an authenticator app and returns its secret.
func (b *tab) setUpAuthenticator() string {
	b.t.Helper()
	b.visit("/profile")
	b.click("button", "Set up an authenticator app")
	secret := b.scan()
	b.fill("textbox", "Six-digit code", b.site.totp(secret))
	b.click("button", "Turn on")
	b.sees("heading", "Save your recovery codes")
	return secret
}

var confirmJourneys = []journey{
	{"a token is created after confirming with an emailed code, by keyboard", func(t *testing.T, chromium browser) {
		b := newTab(t, chromium, startBrowserSite(t, chromium))
		b.signIn("ada@example.com")
		b.visit("/profile")
		b.site.Clock.Advance(factor.FreshFor)
		b.fill("textbox", "Token name", "backup"+kb.Enter)
		b.sees("heading", "Confirm it’s you")
		b.reads("You’re about to create an API token.")
		b.tabTo(`button "Email me a code"`)
		b.press(kb.Enter)
		b.focused(`textbox "Code from the email"`)
		code := b.site.code("ada@example.com")
		b.press(otherCode(code) + kb.Enter)
		b.reads("This code isn’t right.")
		b.focused(`textbox "Code from the email"`)
		b.press(code + kb.Enter)
		b.announces("Token backup created.")
		b.sees("heading", "Your new token: backup")
	}},

	{"without JavaScript an app is added after confirming, and a cancelled form comes back", func(t *testing.T, chromium browser) {
		b := newTab(t, chromium, startBrowserSite(t, chromium))
		b.signIn("ada@example.com")
		b.withoutScripts()
		b.site.Clock.Advance(factor.FreshFor)
		b.visit("/apps/new")
		b.click("radio", "Guestlist stands in front of it (any web app, behind a proxy)")
		b.fill("textbox", "Name", "Wiki")
		b.fill("textbox", "Address (optional)", "https://wiki.example.com")
		b.click("radio", "Everyone on the list")
		b.click("button", "Add app")
		b.sees("heading", "Confirm it’s you")
		b.click("link", "Cancel")
		b.reads("You didn’t confirm it’s you, so this wasn’t saved.")
		b.click("button", "Add app")
		b.click("button", "Email me a code")
		b.fill("textbox", "Code from the email", b.site.code("ada@example.com"))
		b.click("button", "Confirm")
		b.sees("heading", "Confirmed")
		b.click("button", "Continue")
		b.reads("Wiki was added.")
	}},

	{"a form that is too long to keep waits in its tab", func(t *testing.T, chromium browser) {
		b := newTab(t, chromium, startBrowserSite(t, chromium))
		b.signIn("ada@example.com")
		axe := readAxe(t)
		b.site.Clock.Advance(factor.FreshFor)
		b.visit("/apps/new")
		b.click("radio", "Guestlist stands in front of it (any web app, behind a proxy)")
		b.fill("textbox", "Name", "Wiki")
		b.fill("textbox", "Address (optional)", "https://wiki.example.com")
		b.click("radio", "Everyone on the list")
		b.fill("textbox", "Public paths (optional)", strings.Repeat("/a-long-path-that-anyone-can-open/of-the-wiki\n", 40))
		b.click("button", "Add app")
		b.reads("your form is too long to keep")
		b.check(axe, "confirm, long form")
		other := b.sameBrowser()
		other.visit("/confirm")
		other.click("button", "Email me a code")
		other.fill("textbox", "Code from the email", b.site.code("ada@example.com"))
		other.click("button", "Confirm")
		other.reads("Now go back to what you were doing and try again.")
		b.click("button", "Continue")
		b.reads("Wiki was added.")
	}},

	{"the pages have no finding of axe, and fit on every screen", func(t *testing.T, chromium browser) {
		axe := readAxe(t)
		b := newTab(t, chromium, startBrowserSite(t, chromium))
		b.signIn("ada@example.com")
		b.site.Clock.Advance(factor.FreshFor)
		b.visit("/users/export.csv")
		b.sees("heading", "Confirm it’s you")
		b.check(axe, "confirm")
		b.click("button", "Email me a code")
		b.sees("textbox", "Code from the email")
		b.check(axe, "confirm, code sent")
		b.fill("textbox", "Code from the email", "12"+kb.Enter)
		b.reads("Enter the six digits of the code.")
		b.check(axe, "confirm, wrong code")
		b.visit("/confirm?sent")
		b.fill("textbox", "Code from the email", b.site.code("ada@example.com")+kb.Enter)
		b.reads("Now go back to what you were doing and try again.")
		secret := b.setUpAuthenticator()
		b.site.Clock.Advance(factor.FreshFor)
		b.visit("/users/export.csv")
		b.sees("textbox", "Code from your authenticator app")
		b.check(axe, "confirm with an app")

		again := newTab(t, chromium, b.site)
		again.visit("/")
		again.fill("textbox", "Email address", "ada@example.com")
		again.click("button", "Email me a link")
		again.sees("heading", "Check your email")
		again.visit(b.site.link("ada@example.com"))
		again.sees("heading", "One more step")
		again.focused(`textbox "Code from your authenticator app"`)
		again.check(axe, "second factor")
		again.fill("textbox", "Code from your authenticator app", "123"+kb.Enter)
		again.reads("Enter the six digits of the code.")
		again.check(axe, "second factor, wrong code")
		again.fill("textbox", "Code from your authenticator app", b.site.totp(secret)+kb.Enter)
		again.at("/apps")
	}},
}
