package browser

import "testing"

func TestNoScript(t *testing.T) {
	t.Parallel()
	walkEverywhere(t, noScriptJourneys)
}

var noScriptJourneys = []journey{
	{"without JavaScript a person signs in, invites, searches, edits and removes", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site).withoutScripts()
		b.visit("/")
		b.fill("textbox", "Email address", "ada@example.com")
		b.click("button", "Email me a link")
		b.sees("heading", "Check your email")
		b.visit(site.link("ada@example.com"))
		b.click("button", "Continue")
		b.at("/apps")
		b.click("link", "People")
		b.at("/users")

		b.click("link", "Invite people")
		b.at("/users/new")
		b.fill("textbox", "Email address", "grace@example.com")
		b.fill("textbox", "Name (optional)", "Grace Hoper")
		b.click("button", "Send invitation")
		b.reads("Invitation sent to grace@example.com.")

		b.fill("searchbox", "Search by name or email", "grace")
		b.click("button", "Search")
		b.at("/users?q=grace&role=&status=&sort=name")
		b.announces("1 person found")
		b.click("link", "Grace Hoper")

		b.fill("textbox", "Name", "Grace Hopper")
		b.click("button", "Save")
		b.reads("Saved Grace Hopper.")

		b.click("link", "Remove…")
		b.sees("heading", "Remove Grace Hopper?")
		b.click("button", "Remove Grace Hopper")
		b.reads("grace@example.com was removed")

		b.click("link", "Import")
		b.sees("heading", "Import people")
		b.chooseFile("people.csv", "email,name\ngrace@example.com,Grace Hopper\n")
		b.click("button", "Upload and check")
		b.click("button", "Import 1 person")
		b.sees("heading", "Done") // the page refreshes
		b.reads("1 person was added")
		b.click("button", "Discard")
		b.reads("The file was deleted.")
		b.click("button", "Sign out")
		b.reads("You’ve signed out.")
	}},
}
