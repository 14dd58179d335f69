package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// begin opens a page of an app without a credential and returns the address on Guestlist's host
// that the browser is sent to.
func (g *guarded) begin(p *harness.Person, via harness.Asker, address string) (enter string) {
	g.t.Helper()
	v := p.SendVia(via, p.AppRequest("GET", address))
	enter = v.Header.Get("Location")
	if v.Status/100 != 3 || !strings.HasPrefix(enter, g.URL+"/enter?t=") {
		g.t.Fatalf("%s: %d to %q", address, v.Status, enter)
	}
	return enter
}

// code opens that address as a signed-in person and returns the address of the app with the code.
func (g *guarded) code(p *harness.Person, enter string) (callback string) {
	g.t.Helper()
	v := p.DoOnce(p.AppRequest("GET", enter))
	callback = v.Header.Get("Location")
	if v.Status != http.StatusSeeOther || !strings.Contains(callback, "/.guestlist/callback?code=") {
		g.t.Fatalf("%d to %q: %s", v.Status, callback, v.Text())
	}
	return callback
}

// wantDeepLink checks that opening an address ends at a page of an app.
func (g *guarded) wantDeepLink(p *harness.Person, via harness.Asker, address, page string) {
	g.t.Helper()
	v := p.OpenApp(via, address)
	g.wantPassed(p, v)
	if !strings.HasSuffix(page, v.Path) {
		g.t.Errorf("it ends at %s, want %s", v.Path, page)
	}
}

func TestHandover_ThreeTabsAtOnce(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		pages := []string{wikiURL + "/one", wikiURL + "/two", wikiURL + "/three"}

		// Opened one after another before signing in: they share a cookie.
		p := g.person("before."+addressOf(via), true)
		var enters []string
		for _, page := range pages {
			enters = append(enters, g.begin(p, via, page))
		}
		p.SignIn()
		for i, page := range pages {
			g.wantDeepLink(p, via, enters[i], page)
		}

		// Restored by a browser that is signed in: each gets a cookie, of which the last is
		// kept. Whichever comes back first, all of them end at their page.
		for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
			p := g.person(fmt.Sprintf("tabs%d%d.%s", order[0], order[1], addressOf(via)), true)
			p.SignIn()
			var callbacks []string
			for _, page := range pages {
				tab := p.InNewBrowser()
				callbacks = append(callbacks, g.code(p, g.begin(tab, via, page)))
				p.Jar.SetCookies(address(t, wikiURL), tab.Jar.Cookies(address(t, wikiURL)))
			}
			for _, i := range order {
				g.wantDeepLink(p, via, callbacks[i], pages[i])
			}
			g.wantPassed(p, fetch(p, via, "GET", wikiURL+"/"))
		}
	})
}

func address(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestHandover_CodesWorkOnceInTheirBrowserAndApp(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		p := g.person(addressOf(via), true)
		p.SignIn()
		callback := g.code(p, g.begin(p, via, wikiURL+"/page"))

		visitor := harness.NewVisitor(g.Site)
		wantStartAgain(t, visitor.OpenApp(via, callback), wikiURL) // has no cookie
		g.begin(visitor, via, wikiURL+"/")
		wantStartAgain(t, visitor.OpenApp(via, callback), wikiURL) // has another
		g.begin(p, via, boardURL+"/")
		wantStartAgain(t, p.OpenApp(via, strings.Replace(callback, wikiURL, boardURL, 1)), boardURL)
		for _, bad := range []string{callback + "x", callback[:len(callback)-1], wikiURL + "/.guestlist/callback", wikiURL + "/.guestlist/callback?code=", wikiURL + "/.guestlist/callback?code=%zz"} {
			wantStartAgain(t, p.OpenApp(via, bad), wikiURL)
		}
		for _, method := range []string{"HEAD", "POST"} { // such as a mail scanner's
			if v := p.SendVia(via, p.AppRequest(method, callback)); v.Status != http.StatusMethodNotAllowed && v.Status != http.StatusForbidden {
				t.Errorf("%s: %d", method, v.Status)
			}
		}

		cookie := p.Jar.Cookies(address(t, wikiURL))[0].Value
		g.wantDeepLink(p, via, callback, wikiURL+"/page") // nothing of that has spent it
		if now := p.Jar.Cookies(address(t, wikiURL))[0].Value; now == cookie {
			t.Error("the cookie was not replaced")
		}
		wantRefused(t, fetch(harness.NewVisitor(g.Site), via, "GET", wikiURL+"/", "Cookie", "__Host-guestlist-app="+cookie), http.StatusUnauthorized)
		wantStartAgain(t, p.OpenApp(via, callback), wikiURL)
		g.wantPassed(p, fetch(p, via, "GET", wikiURL+"/"))

		// The credential of one app is none of another.
		wiki := p.Jar.Cookies(address(t, wikiURL))[0].Value
		wantRefused(t, fetch(harness.NewVisitor(g.Site), via, "GET", boardURL+"/", "Cookie", "__Host-guestlist-app="+wiki), http.StatusUnauthorized)
		wantRefused(t, fetch(harness.NewVisitor(g.Site), via, "GET", wikiURL+"/", "Cookie", "guestlist-app="+wiki), http.StatusUnauthorized) // only for http apps
	})
}

func TestHandover_OfAnotherPersonGivesNothing(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		attacker, victim := g.person("attacker."+addressOf(via), true), g.person("victim."+addressOf(via), true)
		attacker.SignIn()
		victim.SignIn()

		// The victim opens a ticket that the attacker's browser got, and signs in by it.
		enter := g.begin(attacker, via, wikiURL+"/planted")
		wantStartAgain(t, victim.OpenApp(via, enter), wikiURL)
		wantRefused(t, fetch(attacker, via, "GET", wikiURL+"/"), http.StatusUnauthorized)

		// The victim opens a code of the attacker's, and is never signed in as the attacker.
		planted := g.code(attacker, enter)
		wantStartAgain(t, victim.OpenApp(via, planted), wikiURL)
		g.begin(victim, via, wikiURL+"/")
		v := victim.OpenApp(via, planted)
		g.wantPassed(victim, v)
		if got := fetch(victim, via, "GET", wikiURL+"/").Header.Get("Remote-Email"); got != victim.Email {
			t.Errorf("the victim is %s", got)
		}
	})
}

func TestHandover_ExpiredTicketsAndCodes(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		p := g.person(addressOf(via), true)
		p.SignIn()
		enter := g.begin(p, via, wikiURL+"/page")
		g.Clock.Advance(10 * time.Minute)
		v := p.OpenApp(via, enter)
		wantStartAgain(t, v, wikiURL)
		again, _ := v.Link("Start again")
		callback := g.code(p, g.begin(p, via, again))
		g.Clock.Advance(time.Minute)
		wantStartAgain(t, p.OpenApp(via, callback), wikiURL)
		g.wantDeepLink(p, via, again, wikiURL+"/page")

		for _, bad := range []string{"", "x", enter[len(g.URL+"/enter?t="):] + "x", strings.Repeat("A", 5000), "%00"} {
			if v := p.Get("/enter?t=" + bad); v.Status != http.StatusBadRequest || v.Heading() != "This address isn’t valid" {
				t.Errorf("%.20q: %d %s", bad, v.Status, v.Text())
			}
		}
	})
}

func TestHandover_BrowsersThatLoseTheCookieGetAPage(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		p := g.person(addressOf(via), true)
		p.SignIn()
		own := p.Jar
		lost := func(address string) (v harness.View, hops int) { // opens an address without keeping the app's cookies
			t.Helper()
			for hops = 1; hops < 30; hops++ {
				if strings.HasPrefix(address, g.URL) {
					v = p.DoOnce(p.AppRequest("GET", address))
				} else {
					v = p.InNewBrowser().SendVia(via, p.AppRequest("GET", address))
				}
				address = v.Header.Get("Location")
				if v.Status/100 != 3 {
					return v, hops
				}
			}
			t.Fatalf("redirected in circles: %s", address)
			return v, hops
		}
		v, hops := lost(wikiURL + "/page")
		wantStartAgain(t, v, wikiURL)
		if !strings.Contains(v.Text(), "Allow cookies") || hops > 5 {
			t.Errorf("after %d redirects: %s", hops, v.Text())
		}

		// The app itself deletes the cookie each time.
		for i := range 12 {
			p.Jar = own
			v := p.OpenApp(via, wikiURL+"/page")
			if i < 9 && v.Status != http.StatusOK || i >= 10 && v.Status == http.StatusOK {
				t.Fatalf("time %d: %d %s", i, v.Status, v.Text())
			}
			if v.Status != http.StatusOK {
				wantStartAgain(t, v, wikiURL)
			}
			expired := &http.Cookie{Name: "__Host-guestlist-app", Value: "", Path: "/", MaxAge: -1, Secure: true}
			p.Jar.SetCookies(address(t, wikiURL), []*http.Cookie{expired})
		}
		g.Clock.Advance(time.Minute)
		g.wantDeepLink(p, via, wikiURL+"/page", wikiURL+"/page")
	})
}

func TestHandover_LongPaths(t *testing.T) {
	eachGuarded(t, func(t *testing.T, g *guarded, via harness.Asker) {
		p := g.person(addressOf(via), true)
		page := "/page?q=%C3%A4%2F&x="
		page += strings.Repeat("x", 2048-len(page))
		signIn := p.OpenApp(via, wikiURL+page)
		p.Submit(signIn, "Email me a link", "Email address", p.Email)
		form, _ := p.OpenNextLink().Form("Continue")
		p.DoOnce(p.FormRequest("/api/authenticate_magic_link", form.Values.Encode()))
		g.wantDeepLink(p, via, g.URL+"/enter", page)

		other := p.InNewBrowser()
		other.SignIn()
		g.wantDeepLink(other, via, wikiURL+"/page?"+strings.Repeat("x", 10<<10), "/")
	})
}

func TestHandover_AcrossRestartsAndInstances(t *testing.T) {
	t.Parallel()
	testdb.Each(t, func(t *testing.T, databaseURL string) {
		g := newGuarded(t, databaseURL)
		via := harness.Askers[0]
		p := g.person("ada@example.com", true)
		p.SignIn()
		at := func() { // the next step is another instance's
			other := g.StartAnother("--guestlist-base-url=" + g.Config.BaseURL.String())
			p = p.At(other)
		}
		v := p.SendVia(via, p.AppRequest("GET", wikiURL+"/page"))
		enter := address(t, v.Header.Get("Location"))
		at()
		v = p.DoOnce(p.AppRequest("GET", p.Site.Host+"/enter?"+enter.RawQuery))
		callback := v.Header.Get("Location")
		at()
		v = p.SendVia(via, p.AppRequest("GET", callback))
		if v.Status/100 != 3 || v.Header.Get("Location") != wikiURL+"/page" {
			t.Fatalf("%d to %s", v.Status, v.Header.Get("Location"))
		}
		at()
		g.wantPassed(p, fetch(p, via, "GET", wikiURL+"/page"))
	})
}

// An instance whose clock is five minutes off refuses codes of the others, which are valid for a
// minute, with a page. The credential works everywhere.
func TestHandover_ClockSkew(t *testing.T) {
	t.Parallel()
	databaseURL := testdb.SQLite(t)
	g := newGuarded(t, databaseURL)
	via := harness.Askers[0]
	for i, skew := range []time.Duration{5 * time.Minute, -5 * time.Minute} {
		clock := harness.NewClock(g.Clock.Now().Add(skew))
		other := harness.Start(t, databaseURL, clock, "--guestlist-base-url="+g.Config.BaseURL.String())
		p := g.person(string(rune('a'+i))+"@example.com", true)
		p.SignIn()
		callback := g.code(p, g.begin(p, via, wikiURL+"/page"))
		v := p.At(other).SendVia(via, p.AppRequest("GET", callback))
		if skew > 0 {
			wantStartAgain(t, v, wikiURL)
		}
		g.wantDeepLink(p, via, wikiURL+"/page", wikiURL+"/page")
		g.wantPassed(p, fetch(p.At(other), via, "GET", wikiURL+"/page"))
	}
}
