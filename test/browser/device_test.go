package browser

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/test/harness"
)

// deviceOf begins the sign-in of a device to an app, and returns what it shows and its client.
func (s *browserSite) deviceOf(app apps.App) (openid.DeviceAuthorization, harness.Client) {
	s.T.Helper()
	client := s.AddClient(app, openid.ClientInput{Public: true, RedirectURIs: "http://127.0.0.1/callback"})
	return client.StartDevice(), client
}

// showDevice shows the page about the sign-in of a device to the app Handbook.
func (g *gallery) showDevice() *tab {
	device, _ := g.in.site.deviceOf(g.handbook)
	g.in.visit(strings.TrimPrefix(device.CompleteURI, g.in.site.URL))
	g.in.click("button", "Continue")
	g.in.sees("heading", "Sign in to Handbook on a device?")
	return g.in
}

// deviceStates are the pages about devices.
var deviceStates = []pageState{
	{"device", visiting(administrator, "/device")},
	{"device, by link", visiting(administrator, "/device?user_code=WDJB-MJHT")},
	{"device, wrong code", func(g *gallery) *tab {
		g.in.visit("/device")
		g.in.fill("textbox", "Code", "wdjb-mjht")
		g.in.click("button", "Continue")
		g.in.reads("This code isn’t right, or it no longer works.")
		return g.in
	}},
	{"device, allow", func(g *gallery) *tab { return g.showDevice() }},
	{"device, allowed", func(g *gallery) *tab {
		b := g.showDevice()
		b.click("button", "Allow")
		b.sees("heading", "Device allowed")
		return b
	}},
	{"device, cancelled", func(g *gallery) *tab {
		b := g.showDevice()
		b.click("button", "Cancel")
		b.sees("heading", "Sign-in cancelled")
		return b
	}},
	{"device, no longer works", visiting(administrator, "/device/x")},
}

func TestDevice(t *testing.T) {
	t.Parallel()
	walk(t, deviceJourneys)
}

var deviceJourneys = []journey{
	{"a person who is signed out allows a device on a phone, without scripts", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		site.add("Ada Lovelace", admin)
		device, client := site.deviceOf(site.addApp("Wiki"))
		b := newTab(t, chromium, site).withoutScripts()
		b.setViewport(phone)
		b.visit(strings.TrimPrefix(device.CompleteURI, site.URL))
		b.fill("textbox", "Email address", "ada.lovelace@example.com")
		b.click("button", "Email me a link")
		b.sees("heading", "Check your email")
		b.visit(site.link("ada.lovelace@example.com"))
		b.click("button", "Continue")
		b.at("/device?user_code=" + device.UserCode)
		b.click("button", "Continue")
		b.sees("heading", "Sign in to Wiki on a device?")
		b.reads("Only allow this if you started it yourself.")
		if v := client.PollDevice(device.DeviceCode); v.Status == http.StatusOK {
			t.Error("the link allowed the device")
		}
		b.click("button", "Allow")
		b.sees("heading", "Device allowed")
		b.reads("You can close this page.")
		if v := client.PollDevice(device.DeviceCode); v.Status != http.StatusOK {
			t.Errorf("the poll got %d: %s", v.Status, v.Body)
		}
	}},

	{"a code is entered and cancelled by keyboard", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		site.add("Ada Lovelace", admin)
		device, _ := site.deviceOf(site.addApp("Wiki"))
		b := newTab(t, chromium, site)
		b.signIn("ada.lovelace@example.com")
		b.visit("/device")
		b.focused(`textbox "Code"`)
		b.press(strings.ToLower(device.UserCode) + kb.Enter)
		b.sees("heading", "Sign in to Wiki on a device?")
		b.tabTo(`button "Cancel"`)
		b.press(kb.Enter)
		b.sees("heading", "Sign-in cancelled")
	}},
}
