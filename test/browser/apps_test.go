package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestApps(t *testing.T) {
	t.Parallel()
	walk(t, appJourneys)
}

var appJourneys = []journey{
	{"add an app by keyboard and copy its configuration", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.visit("/groups")
		b.tabTo(`textbox "New group"`)
		b.press("Family" + kb.Enter)
		b.announces("Family was created. Add its members.")
		b.visit("/apps/new")
		b.tabTo(`radio "Guestlist stands in front of it (any web app, behind a proxy)"`)
		b.press(" ")
		b.tabTo(`textbox "Name"`)
		b.press("Wiki" + kb.Tab)
		b.focused(`textbox "Address (optional)"`)
		b.press("https://wiki.example.com" + kb.Tab)
		b.focused(`radio "Everyone on the list"`)
		b.lacks("checkbox", "Family") // nothing is chosen yet
		b.press(kb.ArrowDown)
		b.focused(`radio "Only these groups"`)
		b.press(kb.Tab)
		b.focused(`checkbox "Family"`)
		b.press(" ")
		b.tabTo(`button "Add app"`)
		b.press(kb.Enter)
		b.announces("Wiki was added. Next, connect it.")
		b.sees("heading", "Wiki")
		b.tabTo(`button "Test it"`)
		b.tabTo(`DisclosureTriangleGrouped "nginx"`)
		b.press(kb.Enter)
		b.press(kb.Tab)
		b.focused(`button "Copy the configuration for nginx"`)
		eval[chromedp.Void](b, `navigator.clipboard.writeText = async text => { window.copied = text }`)
		b.press(kb.Enter)
		b.reads("Copied")
		if text := eval[string](b, "window.copied"); text == "" || text != eval[string](b, `document.querySelector("#snippet-nginx").textContent`) {
			t.Errorf("copied %q", text)
		}
	}},

	{"without JavaScript an administrator manages an app, a group and a guest", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		site.add("Hedy Lamarr")
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.withoutScripts()
		b.click("link", "Groups")
		b.fill("textbox", "New group", "Guests")
		b.click("button", "Create group")
		b.reads("Guests was created.")
		b.fill("textbox", "Email address or name", "hedy")
		b.click("button", "Add member")
		b.reads("Choose the person below.")
		b.click("button", "Add Hedy Lamarr, hedy.lamarr@example.com")
		b.reads("Hedy Lamarr was added to Guests.")

		b.click("link", "Apps")
		b.click("link", "Add an app")
		b.click("radio", "Guestlist stands in front of it (any web app, behind a proxy)")
		b.fill("textbox", "Name", "Photos")
		b.fill("textbox", "Address (optional)", "https://photos.example.com/album")
		b.click("radio", "Only these groups")
		b.click("checkbox", "Guests")
		b.click("button", "Add app")
		b.reads("Write the address as")
		b.fill("textbox", "Address (optional)", "https://photos.example.com")
		b.click("button", "Add app")
		b.reads("Photos was added.")
		b.click("radio", "Everyone on the list")
		b.click("button", "Save")
		b.reads("Saved Photos.")

		b.visit("/users/hedy.lamarr")
		b.reads("Open to everyone on the list")
		b.click("DisclosureTriangle", "Change: Guests")
		b.click("button", "Remove from group: Guests")
		b.reads("Hedy Lamarr was removed from Guests.")
		b.choose("Group", "Guests")
		b.click("button", "Add to group")
		b.reads("Hedy Lamarr was added to Guests.")

		b.click("link", "Guests")
		b.click("link", "Remove…")
		b.click("button", "Remove Guests")
		b.reads("Guests was removed.")
		b.visit("/apps")
		b.click("link", "Manage Photos")
		b.click("link", "Remove…")
		b.reads("it’ll refuse everyone until you remove those lines")
		b.click("button", "Remove Photos")
		b.reads("Photos was removed.")
	}},
}
