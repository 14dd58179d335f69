package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestOAuth(t *testing.T) {
	t.Parallel()
	walk(t, []journey{signInWithGoogle("at the root of a host", ""), signInWithGoogle("below a path", "/people")})
}

// signInWithGoogle returns a journey at a base URL with a path.
func signInWithGoogle(name, path string) journey {
	return journey{"a person signs in with Google by keyboard, and cancels first, " + name, func(t *testing.T, chromium browser) {
		s := chromium.start(t, testdb.SQLite(t), harness.NewClock(harness.Noon),
			"--guestlist-local-stytch-limits=off", "--guestlist-oauth=google,github,microsoft", "--guestlist-admins=ada@example.com", "--guestlist-base-url=http://localhost:PORT"+path)
		b := newTab(t, chromium, &browserSite{Site: s, mailboxes: map[string]*harness.Person{}})
		b.visit(s.Config.ListenerURL() + s.DevPage("/dev/inbox")) // the browser keeps the key of the provider's page
		b.visit("/?next=/users")
		b.sees("button", "Continue with Microsoft")
		axe := readAxe(t)
		eval[chromedp.Void](b, axe)
		for _, l := range []viewport{desk, phone, desk.dark()} {
			b.setViewport(l)
			for _, finding := range eval[[]string](b, runAxe("")) {
				t.Errorf("%s: %s", l.name, finding)
			}
		}
		b.setViewport(desk)

		b.tabTo(`button "Continue with Google"`)
		b.press(kb.Enter)
		b.sees("heading", "Pretend to be Google")
		b.click("button", "Cancel")
		b.reads("You weren’t signed in.")

		b.tabTo(`button "Continue with Google"`)
		b.press(kb.Enter)
		b.sees("heading", "Pretend to be Google")
		b.fill("textbox", "Email address", "ada@example.com")
		b.click("button", "Continue")
		b.at("/users") // continues without a click: this browser began the sign-in
		b.sees("heading", "People")
		history, err := try(b, chromedp.NavigationEntries())
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range history.Entries {
			if strings.Contains(entry.URL, "&token=") || strings.Contains(entry.URL, "?token=") { // not the public token
				t.Errorf("the history holds %s", entry.URL)
			}
		}
	}}
}
