package browser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

func TestPasskeyPages(t *testing.T) {
	t.Parallel()
	walk(t, []journey{{"the pages with passkeys are accessible and fit every screen", showPasskeyPages}})
}

// showPasskeyPages goes through the states of pages with passkeys. It writes screenshots to the
// directory named by GUESTLIST_TEST_SCREENSHOTS, if it is set.
func showPasskeyPages(t *testing.T, chromium browser) {
	b := newTab(t, chromium, startBrowserSite(t, chromium)).withAuthenticator()
	b.withoutAutofill()
	script := readAxe(t)
	check := func(state string) {
		t.Helper()
		eval[chromedp.Void](b.tab, script)
		for _, l := range []viewport{desk, phone} {
			b.setViewport(l)
			for _, finding := range eval[[]string](b.tab, runAxe("")) {
				t.Errorf("%s, %s: %s", state, l.name, finding)
			}
			b.picture(state, l)
			b.setViewport(l.dark()) // only colours differ
			for _, finding := range eval[[]string](b.tab, runAxe(`runOnly: ["color-contrast"]`)) {
				t.Errorf("%s, %s: %s", state, l.dark().name, finding)
			}
			b.picture(state, l.dark())
		}
		for _, width := range []int64{320, 768, 1920} {
			b.setViewport(viewport{scheme: "light", width: width, height: 844})
			for _, what := range eval[[]string](b.tab, findTooWide) {
				t.Errorf("%s, %d pixels wide: %s", state, width, what)
			}
		}
		b.setViewport(desk)
	}

	b.visit("/")
	b.sees("button", useButton)
	check("passkey, sign-in")
	b.click("button", useButton) // there is none
	b.reads("That was cancelled or took too long.")
	check("passkey, cancelled")
	b.signIn("ada@example.com")
	b.sees("button", "Add a passkey")
	check("passkey, offer")
	b.visit("/profile")
	b.sees("button", "Add a passkey")
	check("passkey, none yet")
	b.click("button", "Add a passkey")
	b.reads("You can sign in with it from now on.")
	b.click("button", "Add a passkey") // the authenticator knows that it has one
	b.reads("This device already has a passkey for your account.")
	check("passkey, there already")
	eval[chromedp.Void](b.tab, `const form = document.querySelector(".edit form"); form.noValidate = true; form.elements.name.value = ""; form.submit()`)
	b.reads("Enter a name, so that you recognize this passkey later.")
	eval[chromedp.Void](b.tab, `const form = document.querySelector(".edit form"); form.elements.name.maxLength = 100; form.elements.name.value = "W".repeat(60); form.submit()`)
	b.reads(strings.Repeat("W", 60))
	eval[chromedp.Void](b.tab, `const form = document.querySelector(".edit form"); form.noValidate = true; form.elements.name.value = ""; form.submit()`)
	b.reads("Enter a name, so that you recognize this passkey later.")
	check("passkey, renaming")
	b.click("link", "Remove "+strings.Repeat("W", 60))
	b.sees("link", "Cancel")
	check("passkey, remove")
	b.visit("/apps")
	b.click("button", "Sign out")
	b.sees("button", useButton)
	yes := true
	b.overrides(webauthn.SetResponseOverrideBitsParams{IsBogusSignature: &yes})
	b.click("button", useButton)
	b.reads(notAccepted)
	check("passkey, not accepted")
}

// picture writes a screenshot if it is wanted.
func (b *tab) picture(state string, l viewport) {
	b.t.Helper()
	if dir := os.Getenv("GUESTLIST_TEST_SCREENSHOTS"); dir != "" {
		b.screenshot(filepath.Join(dir, state+", "+l.name+".png"))
	}
}
