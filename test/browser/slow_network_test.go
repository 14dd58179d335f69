package browser

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/test/harness"
)

// proxy is a reverse proxy that delays responses to POSTs, like a slow network, or strips headers,
// like a filtering proxy.
type proxy struct {
	delay time.Duration // before the response to a POST is passed on
	strip string        // prefix of request headers to remove; empty for none
}

// start starts a server behind the proxy.
func (p proxy) start(t testing.TB, databaseURL string, c *harness.Clock, flags ...string) *harness.Site {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	s := harness.Start(t, databaseURL, c, append([]string{"--guestlist-base-url=http://localhost:" + port}, flags...)...)
	target := &url.URL{Scheme: "http", Host: s.Config.Addr}
	server := &http.Server{Handler: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
			for name := range r.Out.Header {
				if p.strip != "" && strings.HasPrefix(strings.ToLower(name), p.strip) {
					r.Out.Header.Del(name)
				}
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if r.Request.Method == http.MethodPost {
				select {
				case <-time.After(p.delay):
				case <-r.Request.Context().Done(): // the browser is gone
				}
			}
			return nil
		},
	}}
	go server.Serve(listener) // until it is closed
	t.Cleanup(func() { server.Close() })
	return s
}

// TestSignIn_SlowNetworksAndFilters walks a sign-in in Chromium
// behind proxies, with and without JavaScript.
func TestSignIn_SlowNetworksAndFilters(t *testing.T) {
	t.Parallel()
	chromium := startChromium(t)
	walks := []struct {
		name    string
		proxy   proxy
		scripts []bool // JavaScript on, or off
		walk    func(t *testing.T, b *tab, site *browserSite, scripts bool)
	}{
		{"a press while the page submits itself", proxy{delay: 4 * time.Second}, []bool{true}, pressWhileSubmitting},
		{"a slow answer", proxy{delay: 3 * time.Second}, []bool{true, false}, waitForResponse},
		{"a double click", proxy{delay: 300 * time.Millisecond}, []bool{true, false}, doubleClick},
		{"presses every now and then", proxy{delay: 1500 * time.Millisecond}, []bool{true, false}, pressRepeatedly},
		{"a double click on an invitation", proxy{delay: 700 * time.Millisecond}, []bool{true, false}, doubleClickInvitation},
		{"a reload while the answer is on its way", proxy{delay: 4 * time.Second}, []bool{true, false}, reloadWhileWaiting},
		{"the way back after it", proxy{}, []bool{true, false}, goBack},
		{"no Sec-Fetch headers", proxy{strip: "sec-fetch-"}, []bool{true, false}, signInAndOut},
		{"no Sec-Fetch headers and slow answers", proxy{strip: "sec-fetch-", delay: 500 * time.Millisecond}, []bool{true, false}, doubleClick},
		{"no Origin", proxy{strip: "origin"}, []bool{true, false}, signInAndOut},
		{"no Referer", proxy{strip: "referer"}, []bool{true, false}, signInAndOut},
	}
	for _, w := range walks {
		for _, scripts := range w.scripts {
			t.Run(fmt.Sprintf("%s, scripts %t", w.name, scripts), func(t *testing.T) {
				t.Parallel()
				site := startBrowserSite(t, browser{chromium.Context, w.proxy.start})
				b := newTab(t, chromium, site)
				if !scripts {
					b.withoutScripts()
				}
				w.walk(t, b, site, scripts)
			})
		}
	}
}

// openOwnLink requests a link and opens it.
func openOwnLink(b *tab, site *browserSite) {
	b.t.Helper()
	b.visit("/")
	b.fill("textbox", "Email address", "ada@example.com")
	b.click("button", "Email me a link")
	b.sees("heading", "Check your email")
	b.visit(site.link("ada@example.com"))
}

// tryPress clicks a button without waiting for it, and reports whether it was there.
func (b *tab) tryPress(name string) bool {
	found, ok := b.matches("button", name)
	if !ok || len(found) != 1 {
		return false
	}
	quads, err := tryCall(b, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: found[0].BackendDOMNodeID})
	if err != nil || len(quads.Quads) == 0 {
		return false
	}
	q := quads.Quads[0]
	_, err = try(b, chromedp.MouseClickXY((q[0]+q[2]+q[4]+q[6])/4, (q[1]+q[3]+q[5]+q[7])/4))
	return err == nil
}

// pressContinue presses the landing page's button, unless the tab has moved on already.
func (b *tab) pressContinue() {
	b.t.Helper()
	b.await("the button pressed", func() bool {
		href, _ := tryEval[string](b, "location.href")
		return b.tryPress("Continue") || href == b.site.URL+"/apps"
	})
}

// waitSignedIn waits until the browser is signed in: at its apps, or at another page below if the last
// click hit a link just after they appeared.
func (b *tab) waitSignedIn() {
	b.t.Helper()
	b.await("the apps, or a page below", func() bool {
		href, _ := tryEval[string](b, "location.href")
		return strings.HasPrefix(href, b.site.URL+"/apps")
	})
	b.sees("button", "Sign out")
}

func pressWhileSubmitting(_ *testing.T, b *tab, site *browserSite, _ bool) {
	openOwnLink(b, site)
	b.pressContinue()
	b.waitSignedIn()
}

func waitForResponse(_ *testing.T, b *tab, site *browserSite, scripts bool) {
	openOwnLink(b, site)
	if !scripts {
		b.pressContinue()
	}
	b.waitSignedIn()
}

func doubleClick(_ *testing.T, b *tab, site *browserSite, scripts bool) {
	openOwnLink(b, site)
	if !scripts {
		b.pressContinue()
	}
	b.tryPress("Continue")
	b.tryPress("Continue")
	b.waitSignedIn()
}

func pressRepeatedly(_ *testing.T, b *tab, site *browserSite, scripts bool) {
	openOwnLink(b, site)
	for range 4 {
		b.tryPress("Continue")
		time.Sleep(300 * time.Millisecond) // about as fast as a person
	}
	b.waitSignedIn()
}

func doubleClickInvitation(_ *testing.T, b *tab, site *browserSite, _ bool) {
	ada := site.NewPerson("ada@example.com")
	ada.SignIn()
	ada.Invite("grace@example.com")
	b.visit(site.link("grace@example.com"))
	b.pressContinue()
	b.tryPress("Continue")
	b.at("/apps")
	b.sees("heading", "My apps")
}

func reloadWhileWaiting(_ *testing.T, b *tab, site *browserSite, scripts bool) {
	openOwnLink(b, site)
	if !scripts {
		b.pressContinue()
	}
	_, _ = try(b, chromedp.Reload()) // fails if the response arrives first
	if !scripts {
		b.pressContinue()
	}
	b.waitSignedIn()
}

func goBack(_ *testing.T, b *tab, site *browserSite, scripts bool) {
	openOwnLink(b, site)
	if !scripts {
		b.pressContinue()
	}
	b.waitSignedIn()
	history, err := try(b, chromedp.NavigationEntries())
	if err != nil {
		b.t.Fatal(err)
	}
	for i := history.CurrentIndex; i > 0; i-- { // no page in the history is an error
		call(b, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: history.Entries[i-1].ID})
		b.await("a page", func() bool {
			text, ok := tryEval[string](b, "document.body.innerText")
			if strings.Contains(text, "no longer works") || strings.Contains(text, "isn’t valid") || strings.Contains(text, "Request blocked") {
				b.t.Fatalf("back at %s: %s", history.Entries[i-1].URL, text)
			}
			return ok
		})
	}
	b.visit("/users")
	b.sees("button", "Sign out")
}

func signInAndOut(_ *testing.T, b *tab, site *browserSite, scripts bool) {
	openOwnLink(b, site)
	if !scripts {
		b.click("button", "Continue")
	}
	b.waitSignedIn()
	b.click("button", "Sign out")
	b.reads("You’ve signed out.")
	b.visit("/users")
	b.sees("heading", "Sign in")
}

// A page of another site sends a browser that has requested a link to the landing page of a
// different link.
func TestLinkOfAnotherUser_NeedsConfirmation(t *testing.T) {
	t.Parallel()
	chromium := startChromium(t)
	for _, scripts := range []bool{true, false} {
		t.Run(fmt.Sprintf("scripts %t", scripts), func(t *testing.T) {
			t.Parallel()
			site := startBrowserSite(t, chromium)
			ada := site.NewPerson("ada@example.com")
			ada.SignIn()
			ada.Invite("eve@example.com")
			ada.Invite("grace@example.com")
			trap := harness.LinkToken(t, site.link("eve@example.com"))
			site.link("grace@example.com") // her invitation; the next mail is her link
			landing := site.URL + app.CallbackPath + "?" + url.Values{"stytch_token_type": {"magic_links"}, "token": {trap}}.Encode()
			evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				fmt.Fprintf(w, `<meta http-equiv="refresh" content="0;url=%s">`, strings.ReplaceAll(landing, "&", "&amp;"))
			}))
			t.Cleanup(evil.Close)

			grace := newTab(t, chromium, site)
			if !scripts {
				grace.withoutScripts()
			}
			grace.visit("/")
			grace.fill("textbox", "Email address", "grace@example.com")
			grace.click("button", "Email me a link")
			grace.sees("heading", "Check your email")
			grace.visit(evil.URL)
			if scripts { // the script stops here
				grace.sees("heading", "Sign in as eve@example.com?")
				grace.reads("this browser requested a link for a different address")
			} else {
				grace.sees("button", "Continue")
			}
			grace.visit("/profile")
			grace.sees("heading", "Sign in")
			if n := site.Count("SELECT COUNT(*) FROM sessions"); n != 1 {
				t.Errorf("%d sessions, want ada's alone", n)
			}

			grace.visit(site.link("grace@example.com")) // her own link still works
			if !scripts {
				grace.click("button", "Continue")
			}
			grace.sees("heading", "My apps")
			grace.reads("grace@example.com")

			if !scripts {
				return
			}
			eve := newTab(t, chromium, site) // has two addresses and confirms it
			eve.visit("/")
			eve.fill("textbox", "Email address", "other@example.com")
			eve.click("button", "Email me a link")
			eve.sees("heading", "Check your email")
			ada.CallAPI("POST", "/api/invite_user", `{"email":"eve@example.com"}`)
			eve.visit(site.link("eve@example.com"))
			eve.sees("heading", "Sign in as eve@example.com?")
			eve.click("button", "Continue")
			eve.sees("heading", "My apps")
			eve.reads("eve@example.com")
		})
	}
}
