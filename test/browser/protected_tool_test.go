package browser

import (
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestProtectedTool(t *testing.T) {
	t.Parallel()
	walk(t, toolJourneys)
}

// startProtectedTool starts a server with a tool behind its built-in proxy. It returns the
// tool's public address.
func startProtectedTool(t *testing.T, chromium browser, upstream string) (*browserSite, string) {
	t.Helper()
	s := chromium.start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off", "--guestlist-apps=http://tool.localhost:PORT -> "+upstream)
	return &browserSite{Site: s, mailboxes: map[string]*harness.Person{}}, "http://tool.localhost:" + s.Config.BaseURL.Port()
}

// sameBrowser opens another tab with the same cookies.
func (b *tab) sameBrowser() *tab {
	b.t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx)
	b.t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatal(err)
	}
	other := *b
	other.ctx = ctx
	call(&other, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return &other
}

var toolJourneys = []journey{
	{"a deep link leads through sign-in to the tool, and signing out elsewhere ends its WebSocket", func(t *testing.T, chromium browser) {
		for _, l := range []viewport{desk, phone.dark()} {
			tool := harness.StartTool(t)
			site, address := startProtectedTool(t, chromium, tool.URL)
			b := newTab(t, chromium, site)
			b.setViewport(l)
			b.visit(address + "/deep/link?x=1")
			b.sees("heading", "Sign in")
			b.fill("textbox", "Email address", "ada@example.com")
			b.click("button", "Email me a link")
			b.sees("heading", "Check your email")
			b.visit(site.link("ada@example.com"))
			b.sees("heading", "The tool")
			if href := eval[string](b, "location.href"); href != address+"/deep/link?x=1" {
				t.Errorf("%s: the browser is at %s", l.name, href)
			}
			b.reads("Hello ada@example.com")
			b.reads("WebSocket: open")
			b.click("button", "Ask")
			b.reads("WebSocket: echo ada@example.com")

			other := b.sameBrowser()
			other.setViewport(l)
			other.visit(address + "/another") // already signed in
			other.sees("heading", "The tool")
			other.visit("/apps")
			other.click("button", "Sign out")
			other.reads("You’ve signed out.")
			b.reads("WebSocket: closed") // without a step in this tab
			b.do(chromedp.Reload())
			b.sees("heading", "Sign in")
		}
	}},

	{"by keyboard", func(t *testing.T, chromium browser) {
		tool := harness.StartTool(t)
		site, address := startProtectedTool(t, chromium, tool.URL)
		b := newTab(t, chromium, site)
		b.visit(address + "/deep")
		b.focused(`textbox "Email address"`)
		b.press("ada@example.com" + kb.Enter)
		b.sees("heading", "Check your email")
		b.visit(site.link("ada@example.com"))
		b.sees("heading", "The tool")
		b.reads("WebSocket: open")
		b.tabTo(`button "Ask"`)
		b.press(kb.Enter)
		b.reads("WebSocket: echo ada@example.com")

		other := b.sameBrowser()
		other.visit(address + "/")
		other.sees("heading", "The tool")
		other.tabTo(`link "Sign out"`)
		other.press(kb.Enter)
		other.sees("heading", "Sign out")
		for other.focus() != `button "Sign out"` || eval[string](other, "document.activeElement.closest('main')?.id ?? ''") != "main" {
			other.press(kb.Tab)
		}
		other.press(kb.Enter)
		other.reads("You’ve signed out.")
		b.reads("WebSocket: closed")
	}},

	{"a tool that is down and an unknown host have pages that axe finds nothing on", func(t *testing.T, chromium browser) {
		axe := readAxe(t)
		site, address := startProtectedTool(t, chromium, "http://"+harness.FreeAddr(t))
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		for _, row := range []struct{ page, heading, words string }{
			{address + "/x", "Tool isn’t answering", "You’re still signed in."},
			{"http://unknown.localhost:" + site.Config.BaseURL.Port(), "No app at this address", "Check the address."},
		} {
			b.visit(row.page)
			b.sees("heading", row.heading)
			b.reads(row.words)
			eval[chromedp.Void](b, axe)
			for _, l := range []viewport{desk, desk.dark(), phone, phone.dark()} {
				b.setViewport(l)
				for _, finding := range eval[[]string](b, runAxe("")) {
					t.Errorf("%s, %s: %s", row.heading, l.name, finding)
				}
				for _, what := range eval[[]string](b, findTooWide) {
					t.Errorf("%s, %s: %s", row.heading, l.name, what)
				}
			}
			b.setViewport(desk)
		}
	}},
}
