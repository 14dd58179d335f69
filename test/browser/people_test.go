package browser

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/guestlist/guestlist/test/harness"
)

func TestPeople(t *testing.T) {
	t.Parallel()
	walk(t, peopleJourneys)
}

var peopleJourneys = []journey{
	{"an administrator imports a file, sees it through and exports the list", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.visit("/users")
		b.click("link", "Import")
		b.at("/users/import")
		b.chooseFile("people.csv", harness.PeopleFile(2500)+"nobody,\n")
		b.click("button", "Upload and check")
		b.reads("Line 2502 · nobody")
		b.choose("Invitations", "Don")
		b.click("button", "Import 2,500 people")
		b.sees("heading", "Done") // the page follows the import
		b.reads("2,500 people were added; 0 were already on the list. 1 line was skipped.")
		b.click("link", "View people")
		b.announces("2501 people")
		csv := eval[string](b, `fetch("users/export.csv").then((answer) => answer.text())`)
		if lines := strings.Count(csv, "\r\n"); lines != 2502 || !strings.Contains(csv, ",person.7@example.com,member,invited,") {
			t.Errorf("%d lines: %.300s", lines, csv)
		}
	}},
	{"invite in the dialog", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.visit("/users")
		b.click("link", "Invite people")
		b.sees("dialog", "Invite people")
		b.focused(`textbox "Email address"`)
		b.press(kb.Escape)
		b.lacks("dialog", "Invite people")
		b.focused(`link "Invite people"`)

		b.click("link", "Invite people")
		b.fill("textbox", "Email address", "Grace@Example.com")
		b.fill("textbox", "Name (optional)", "Grace Hopper")
		b.choose("Role", "Administrator")
		b.click("button", "Send invitation")
		b.announces("Invitation sent to Grace@Example.com.")
		b.reads("Grace Hopper Grace@Example.com Administrator Invited just now never")

		b.click("link", "Invite people")
		b.fill("textbox", "Email address", "grace@example.com")
		b.click("button", "Send invitation")
		b.reads("This address is already on the list.")
		b.click("link", "Cancel")
		b.at("/users")
	}},

	{"an administrator edits name and role", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		site.add("Grace Hoper", seen(time.Hour))
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.visit("/users")
		b.click("link", "Grace Hoper")
		b.fill("textbox", "Name", "Grace Hopper")
		b.choose("Role", "Administrator")
		b.click("button", "Save")
		b.announces("Saved Grace Hopper.")
		b.sees("heading", "Grace Hopper")
		b.click("link", "← People")
		b.reads("Grace Hopper grace.hoper@example.com Administrator Active 20 Jan 2026 1 hour ago")
	}},

	{"the last administrator is told why they must stay one", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.visit("/users")
		b.click("link", "ada@example.com")
		b.choose("Role", "Member")
		b.click("button", "Save")
		b.reads("This is the last active administrator. Make someone else who is active an administrator first.")
		b.click("button", "Suspend")
		b.sees("heading", "You need at least one administrator")
	}},

	{"suspend and restore access", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		site.add("Grace Hopper", seen(time.Hour))
		b, grace := newTab(t, chromium, site), newTab(t, chromium, site)
		b.signIn("ada@example.com")
		grace.signIn("grace.hopper@example.com")

		b.visit("/users/grace.hopper")
		b.click("button", "Suspend")
		b.announces("Grace Hopper is suspended and signed out everywhere.")
		b.reads("Not signed in anywhere.")
		grace.click("link", "Profile")
		grace.reads("Your session has ended.")

		b.click("button", "Restore access")
		b.announces("Grace Hopper can sign in again.")
		grace.signIn("grace.hopper@example.com")
		grace.sees("heading", "Grace Hopper")
	}},

	{"end sessions", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		site.add("Grace Hopper", seen(time.Hour))
		b, grace := newTab(t, chromium, site), newTab(t, chromium, site)
		b.signIn("ada@example.com")
		grace.signIn("grace.hopper@example.com")
		b.visit("/users/grace.hopper")
		b.click("button", "End all sessions")
		b.announces("Ended 1 session. Links that were sent before no longer work.")
		b.lacks("button", "End all sessions")
		grace.click("link", "Profile")
		grace.reads("Your session has ended.")
	}},

	{"remove after confirmation", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		site.add("Grace Hopper", seen(time.Hour))
		b, grace := newTab(t, chromium, site), newTab(t, chromium, site)
		b.signIn("ada@example.com")
		grace.signIn("grace.hopper@example.com")
		b.visit("/users/grace.hopper")
		b.click("link", "Remove…")
		b.sees("dialog", "Remove Grace Hopper?")
		b.focused(`link "Cancel"`)
		b.click("link", "Cancel")
		b.lacks("dialog", "Remove Grace Hopper?")
		b.focused(`link "Remove…"`)

		b.click("link", "Remove…")
		b.click("button", "Remove Grace Hopper")
		b.announces("grace.hopper@example.com was removed and signed out everywhere.")
		b.lacks("link", "Grace Hopper")
		grace.click("link", "Profile")
		grace.reads("Your session has ended.")
	}},
}
