package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestInbox(t *testing.T) {
	t.Parallel()
	walk(t, inboxJourneys)
}

// inboxJourneys need the inbox, which isn't reachable through a proxy.
var inboxJourneys = []journey{
	{"the first person signs in through the inbox and becomes administrator", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.visit("/")
		b.reads("The first person to sign in becomes the administrator.")
		b.fill("textbox", "Email address", "ada@example.com")
		b.click("button", "Email me a link")
		b.sees("heading", "Check your email")
		b.click("link", "Open the local inbox")
		b.sees("heading", "This page needs a key")
		b.visit(site.DevPage("/dev/inbox")) // the address printed at start
		b.sees("heading", "Inbox")
		b.click("link", "Refresh") // drops the key from the address: it's in a cookie now
		b.at("/dev/inbox")
		b.sees("heading", "Inbox")
		b.reloadUntil("link", "Open link")
		b.click("link", "Open link") // continues without a click: this browser requested the link
		b.at("/apps")
		b.reads("Protect your first app")
		b.leavesNoToken()
		b.click("link", "People")
		b.reads("ada@example.com ada@example.com Administrator Active just now just now")
	}},
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	walkEverywhere(t, signInJourneys)
}

var signInJourneys = []journey{
	{"an invited person signs in on another device by pressing the button", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		ada := newTab(t, chromium, site)
		ada.signIn("ada@example.com")
		ada.visit("/users")
		ada.click("link", "Invite people")
		ada.fill("textbox", "Email address", "grace@example.com")
		ada.fill("textbox", "Name (optional)", "Grace Hopper")
		ada.click("button", "Send invitation")
		ada.announces("Invitation sent to grace@example.com.")

		phone := newTab(t, chromium, site)
		phone.visit(site.link("grace@example.com"))
		phone.sees("heading", "Welcome")
		phone.do(chromedp.Reload()) // viewing the page again doesn't use up the link
		phone.click("button", "Continue")
		phone.at("/apps")
		phone.sees("heading", "No apps yet")
		phone.leavesNoToken()

		phone.visit("/users")
		phone.sees("heading", "This page is for administrators")
		phone.click("link", "Go to your apps")
		phone.sees("heading", "My apps")
		ada.visit("/users")
		ada.reads("Grace Hopper grace@example.com Member Active just now just now")
	}},

	{"a link that was used shows its page, with the way on", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.visit("/")
		b.fill("textbox", "Email address", "ada@example.com")
		b.click("button", "Email me a link")
		b.sees("heading", "Check your email")
		link := site.link("ada@example.com")
		b.visit(link)
		b.at("/apps")

		other := newTab(t, chromium, site)
		other.visit(link)
		other.click("button", "Continue")
		other.sees("heading", "This link no longer works")
		other.click("link", "Go to the start page")
		other.sees("heading", "Sign in")

		b.visit(link) // already signed in
		b.reads("This browser is signed in as ada@example.com.")
		b.click("link", "Stay signed in as ada@example.com")
		b.at("/apps")
	}},

	{"after an expired session a person is back where they were", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		site.add("Grace Hopper")
		b.visit("/users?q=grace")
		site.Clock.Advance(8 * 24 * time.Hour)
		b.click("link", "Grace Hopper")
		b.reads("Your session has ended. Sign in to pick up where you left off.")
		b.signIn("ada@example.com")
		b.at("/users/grace.hopper?list=q%3Dgrace")
		b.sees("heading", "Grace Hopper")
	}},

	{"a form whose session had ended comes back with what was typed", func(t *testing.T, chromium browser) {
		for _, scripts := range []bool{true, false} {
			site := startBrowserSite(t, chromium)
			b := newTab(t, chromium, site)
			b.signIn("ada@example.com")
			site.add("Grace Hopper")
			if !scripts {
				b.withoutScripts()
			}
			b.visit("/users/grace.hopper")
			b.fill("textbox", "Name", "Rear Admiral Hopper")
			site.Clock.Advance(8 * 24 * time.Hour)
			b.click("button", "Save")
			b.reads("Sign in again and they’ll still be there.")
			b.click("button", "Email me a link") // the address is still filled in
			b.sees("heading", "Check your email")
			b.visit(site.link("ada@example.com"))
			if !scripts {
				b.click("button", "Continue")
			}
			b.at("/users/grace.hopper")
			b.reads("You were signed out before this was saved.")
			b.click("button", "Save")
			b.reads("Saved Rear Admiral Hopper.")
		}
	}},

	{"a person signs out, and is out", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.click("button", "Sign out")
		b.reads("You’ve signed out.")
		b.visit("/users")
		b.sees("heading", "Sign in")
		eval[chromedp.Void](b, "history.back()") // the page isn't cached
		b.sees("heading", "Sign in")
	}},

	{"a person signs out everywhere else", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		desk, phone := newTab(t, chromium, site), newTab(t, chromium, site)
		desk.signIn("ada@example.com")
		phone.signIn("ada@example.com")
		phone.visit("/profile")
		phone.click("button", "Sign out everywhere else")
		phone.announces("Ended 1 session. Links that were sent before no longer work.")
		phone.lacks("button", "Sign out everywhere else")
		desk.visit("/profile")
		desk.reads("Your session has ended.")
	}},
}

// reloadUntil reloads the page until it has the element: the inbox doesn't refresh.
func (b *tab) reloadUntil(role, name string) {
	b.t.Helper()
	b.await(role+" "+name, func() bool {
		if found, _ := b.matches(role, name); len(found) > 0 {
			return true
		}
		b.do(chromedp.Reload())
		return false
	})
}

// leavesNoToken checks that the browser's history doesn't contain the link's token.
func (b *tab) leavesNoToken() {
	b.t.Helper()
	history, err := try(b, chromedp.NavigationEntries())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, entry := range history.Entries {
		if strings.Contains(entry.URL, "token=") {
			b.t.Errorf("the history holds %s", entry.URL)
		}
	}
}
