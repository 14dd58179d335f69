package browser

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/test/harness"
)

func TestOpenID(t *testing.T) {
	t.Parallel()
	walkEverywhere(t, openIDJourneys)
}

// relyingParty is an app on another origin that signs users in with OpenID Connect. It redeems codes, and
// shows the address from userinfo, or the error.
type relyingParty struct {
	url    string
	client harness.Client
}

func startRelyingParty(t *testing.T, site *browserSite, in openid.ClientInput) *relyingParty {
	t.Helper()
	rp := &relyingParty{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path != "/callback" {
			fmt.Fprintf(w, `<!doctype html><title>App</title><h1>The app</h1><p><a href="%s%s">Sign in</a>`, site.URL, strings.ReplaceAll(rp.client.AuthorizePath(), "&", "&amp;"))
			return
		}
		text := r.FormValue("error")
		if code := r.FormValue("code"); code != "" {
			redeemed := rp.client.Redeem(code)
			text = fmt.Sprintf("%d", redeemed.Status)
			if _, rest, found := strings.Cut(redeemed.Body, `"access_token":"`); found {
				token, _, _ := strings.Cut(rest, `"`)
				text = rp.client.UserInfo(site.Site, token).Body
			}
		}
		fmt.Fprintf(w, "<!doctype html><title>App</title><h1>The app</h1><p>%s <p>state %s", text, url.QueryEscape(r.FormValue("state")))
	}))
	t.Cleanup(server.Close)
	rp.url = server.URL
	if in.RedirectURIs == "" {
		in.RedirectURIs = rp.url + "/callback"
	}
	rp.client = site.AddClient(site.AddApp("Wiki", rp.url), in)
	return rp
}

// openTab opens a tab with or without JavaScript.
func openTab(t *testing.T, chromium browser, site *browserSite, scripts bool) *tab {
	t.Helper()
	b := newTab(t, chromium, site)
	if !scripts {
		b = b.withoutScripts()
	}
	return b
}

// follow follows an emailed link to the end of the sign-in.
func (b *tab) follow(address string, scripts bool) {
	b.t.Helper()
	b.visit(b.site.link(address))
	if !scripts {
		b.click("button", "Continue")
	}
}

var openIDJourneys = []journey{
	{"an app on another origin signs a user in by link and by code, with and without JavaScript", func(t *testing.T, chromium browser) {
		for _, scripts := range []bool{true, false} {
			site := startBrowserSite(t, chromium)
			rp := startRelyingParty(t, site, openid.ClientInput{})
			b := openTab(t, chromium, site, scripts)
			b.visit(rp.url + "/")
			b.click("link", "Sign in")
			b.sees("heading", "Sign in")
			b.reads("Wiki")
			b.fill("textbox", "Email address", "ada@example.com")
			b.click("button", "Email me a link")
			b.sees("heading", "Check your email")
			b.follow("ada@example.com", scripts)
			b.sees("heading", "The app")
			b.reads(`"email":"ada@example.com"`)
			b.reads("state a+state")
			b.visit(rp.url + "/")
			b.click("link", "Sign in") // already signed in
			b.reads(`"email":"ada@example.com"`)

			other := openTab(t, chromium, site, scripts)
			other.visit(rp.url + "/")
			other.click("link", "Sign in")
			other.fill("textbox", "Email address", "ada@example.com")
			other.click("button", "Email me a code")
			other.fill("textbox", "Six-digit code", site.mailboxes["ada@example.com"].NextCode())
			if !scripts { // it is sent by itself
				other.click("button", "Sign in")
			}
			other.sees("heading", "The app")
			other.reads(`"email":"ada@example.com"`)
		}
	}},

	{"an app gets a fresh proof, another account and the longest state", func(t *testing.T, chromium browser) {
		for _, scripts := range []bool{true, false} {
			site := startBrowserSite(t, chromium)
			rp := startRelyingParty(t, site, openid.ClientInput{})
			b := openTab(t, chromium, site, scripts)
			random := make([]byte, 1500)
			rand.Read(random)
			state := base64.StdEncoding.EncodeToString(random)
			b.visit(rp.client.AuthorizePath("state", state))
			b.fill("textbox", "Email address", "ada@example.com")
			b.click("button", "Email me a link")
			b.sees("heading", "Check your email")
			b.follow("ada@example.com", scripts)
			b.reads(`"email":"ada@example.com"`)
			b.reads("state " + url.QueryEscape(state))

			site.Clock.Advance(time.Minute)
			b.visit(rp.client.AuthorizePath("max_age", "0"))
			b.sees("heading", "Confirm it’s you")
			b.click("button", "Email me a code")
			b.fill("textbox", "Code from the email", site.mailboxes["ada@example.com"].NextCode())
			b.click("button", "Confirm")
			b.sees("heading", "The app")
			b.reads(`"email":"ada@example.com"`)

			site.Clock.Advance(time.Minute)
			b.visit(rp.client.AuthorizePath("prompt", "select_account"))
			b.sees("heading", "Continue to Wiki")
			b.click("link", "Use another account")
			b.sees("heading", "Switch account")
			b.click("button", "Switch account")
			b.sees("heading", "Sign in")
			b.reads("Wiki")
			site.add("Grace Hopper")
			b.fill("textbox", "Email address", "grace.hopper@example.com")
			b.click("button", "Email me a link")
			b.sees("heading", "Check your email")
			b.follow("grace.hopper@example.com", scripts)
			b.reads(`"email":"grace.hopper@example.com"`)
		}
	}},

	{"a program on the device is opened, or by a link", func(t *testing.T, chromium browser) {
		for _, scripts := range []bool{true, false} {
			site := startBrowserSite(t, chromium)
			rp := startRelyingParty(t, site, openid.ClientInput{Public: true, RedirectURIs: "app.immich:///oauth-callback"})
			b := openTab(t, chromium, site, scripts)
			b.visit(rp.client.AuthorizePath())
			b.fill("textbox", "Email address", "ada@example.com")
			b.click("button", "Email me a link")
			b.sees("heading", "Check your email")
			b.follow("ada@example.com", scripts)
			b.sees("heading", "You’re signed in")
			b.sees("link", "Continue to Wiki")
			if href := eval[string](b, `[...document.querySelectorAll("main a")].at(-1).href`); !strings.HasPrefix(href, "app.immich:///oauth-callback?code=glc_") {
				t.Errorf("the link leads to %q", href)
			}
		}
	}},
}
