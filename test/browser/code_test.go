package browser

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp/kb"
)

func TestSignInWithCode(t *testing.T) {
	t.Parallel()
	walkEverywhere(t, codeJourneys)
}

var codeJourneys = []journey{
	{"a code is pasted on a phone, and the form submits itself", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.setViewport(phone)
		b.visit("/")
		b.fill("textbox", "Email address", "ada@exmaple.com")
		b.click("button", "Email me a link")
		b.reads("If ada@exmaple.com is on the list")
		b.click("link", "Change address")
		b.fill("textbox", "Email address", "ada@example.com")
		b.click("button", "Email me a link")
		b.click("button", "Use a code instead")
		b.focused(`textbox "Six-digit code"`)
		b.reads("If ada@example.com is on the list, a six-digit code is on its way.")
		code := site.code("ada@example.com")
		b.paste(otherCode(code))
		b.reads("That code isn’t right. Check the newest email. You have 4 tries left.")
		b.focused(`textbox "Six-digit code"`)
		eval[any](b, "document.activeElement.select()")
		b.paste(" " + code[:3] + "-" + code[3:] + " ")
		b.at("/apps")
		b.reads("Protect your first app")
	}},

	{"the buttons for another email count down", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.visit("/")
		b.fill("textbox", "Email address", "ada@example.com")
		b.click("button", "Email me a link")
		b.sees("button", "Use a code instead")
		b.await("a countdown", func() bool {
			text, ok := tryEval[string](b, `[...document.querySelectorAll("button:disabled")].map(b => b.innerText).join()`)
			return ok && len(text) > len("Send another link in ") && text[:len("Send another link in ")] == "Send another link in "
		})
		site.Clock.Advance(time.Minute)
		b.visit("/signin/sent")
		b.click("button", "Send another link")
		b.reads("Another link is on its way if the address is on the list.")
		b.focused(`paragraph "Another link is on its way if the address is on the list."`) // so that it is read out
	}},

	{"a code works without JavaScript", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site).withoutScripts()
		b.visit("/")
		b.fill("textbox", "Email address", "ada@example.com")
		b.click("button", "Email me a code")
		b.reads("You can send another in 30 seconds.")
		b.click("button", "Send another code")
		b.reads("You’ve just requested one. You can request another in 30 seconds.")
		code := site.code("ada@example.com")
		b.fill("textbox", "Six-digit code", otherCode(code))
		b.click("button", "Sign in")
		b.reads("You have 4 tries left.")
		b.fill("textbox", "Six-digit code", code)
		b.click("button", "Sign in")
		b.at("/apps")
		b.sees("button", "Sign out")
	}},

	{"a code works by keyboard", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		b := newTab(t, chromium, site)
		b.visit("/")
		b.focused(`textbox "Email address"`)
		b.press("ada@example.com")
		b.tabTo(`button "Email me a code"`)
		b.press(kb.Enter)
		b.focused(`textbox "Six-digit code"`)
		b.press(site.code("ada@example.com"))
		b.at("/apps")
		b.sees("button", "Sign out")
	}},
}

// code waits for the next email to address with a code, and returns the code.
func (s *browserSite) code(address string) string {
	s.T.Helper()
	if s.mailboxes[address] == nil {
		s.mailboxes[address] = s.NewPerson(address)
	}
	return s.mailboxes[address].NextCode()
}

// otherCode returns another code.
func otherCode(code string) string {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

// paste inserts a text at once at the focus.
func (b *tab) paste(text string) {
	b.t.Helper()
	call(b, input.InsertText, input.InsertTextParams{Text: text})
}
