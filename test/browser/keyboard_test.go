package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestKeyboard(t *testing.T) {
	t.Parallel()
	walk(t, keyboardJourneys)
}

var keyboardJourneys = []journey{
	{"the first Tab stop skips to the content", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.press(kb.Tab)
		b.focused(`link "Skip to content"`)
		if x := eval[float64](b, "document.activeElement.getBoundingClientRect().x"); x < 0 {
			t.Errorf("it has the focus but can't be seen: x is %v", x)
		}
		b.press(kb.Enter + kb.Tab)
		b.focused(`button "Add a passkey"`)
	}},

	{"the search field is six Tab stops or one key away", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.visit("/users")
		stops := 0
		for b.focus() != `searchbox "Search by name or email"` && stops < 6 {
			b.press(kb.Tab)
			stops++
		}
		b.focused(`searchbox "Search by name or email"`)
		b.do(chromedp.Reload())
		b.press("/")
		b.focused(`searchbox "Search by name or email"`)
		b.press("a/b") // in a field, / is text
		if got := eval[string](b, "document.activeElement.value"); got != "a/b" {
			t.Errorf("typed a/b, the field holds %q", got)
		}
	}},

	{"invite by keyboard", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.visit("/")
		b.focused(`textbox "Email address"`) // from the start
		b.press("ada@example.com" + kb.Enter)
		b.sees("heading", "Check your email")
		b.visit(site.link("ada@example.com"))
		b.tabTo(`link "People"`)
		b.press(kb.Enter)
		b.at("/users")
		b.tabTo(`link "Invite people"`)
		b.press(kb.Enter)
		b.focused(`textbox "Email address"`)
		b.press("grace@example.com")
		b.tabTo(`textbox "Name (optional)"`)
		b.press("Grace Hopper")
		b.tabTo(`combobox "Role"`)
		b.press("Administrator")
		b.tabTo(`button "Send invitation"`)
		b.press(kb.Enter)
		b.announces("Invitation sent to grace@example.com.")
		b.focused(`paragraph "Invitation sent to grace@example.com."`) // so that it is read out
		b.tabTo(`link "Grace Hopper"`)
		b.press(kb.Enter)
		b.sees("heading", "Grace Hopper")
	}},
}

// tabTo presses Tab until the element has the focus, at most once around the page.
func (b *tab) tabTo(what string) {
	b.t.Helper()
	b.await("the page", func() bool { return b.focus() != "" })
	for range 40 {
		if b.focus() == what {
			return
		}
		b.press(kb.Tab)
	}
	b.t.Fatalf("Tab does not lead to %s", what)
}
