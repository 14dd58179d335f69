package browser

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestDemo(t *testing.T) {
	t.Parallel()
	walk(t, demoJourneys)
}

// startDemoSite starts a server with the demo app.
func startDemoSite(t *testing.T) (site *browserSite, demo string) {
	t.Helper()
	s := harness.StartWithDemo(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-local-stytch-limits=off")
	return &browserSite{s, map[string]*harness.Person{}}, s.App.DemoURL()
}

// signInFrom signs in on the page to which an app has sent the tab.
func (b *tab) signInFrom(app, address string) {
	b.t.Helper()
	b.visit(app)
	b.sees("heading", "Sign in")
	b.signIn(address)
}

// isAt waits until the tab is at an address on any host.
func (b *tab) isAt(address string) {
	b.t.Helper()
	b.await("the address "+address, func() bool {
		href, _ := tryEval[string](b, "location.href")
		return href == address
	})
}

var demoJourneys = []journey{
	{"a person opens the demo app, signs in, and is on the page they wanted", func(t *testing.T, chromium browser) {
		site, demo := startDemoSite(t)
		b := newTab(t, chromium, site)
		b.signInFrom(demo+"/a/deep/link?page=2", "ada@example.com")
		b.isAt(demo + "/a/deep/link?page=2")
		b.sees("heading", "Hello, ada@example.com")
		b.reads("/a/deep/link?page=2")
		b.reads("ada_example.com")
		b.reads("Signature verified")

		b.visit("/apps")
		b.click("link", "Demo")
		b.isAt(demo + "/")
		b.click("button", "Sign out")
		b.reads("You’ve signed out.")
		b.visit(demo + "/")
		b.sees("heading", "Sign in")
	}},

	{"a removed person's next click in the demo app is refused", func(t *testing.T, chromium browser) {
		site, _ := startDemoSite(t)
		ada := site.NewPerson("ada@example.com")
		ada.SignIn()
		ada.Invite("grace@example.com")
		b := newTab(t, chromium, site)
		b.visit(site.link("grace@example.com"))
		b.click("button", "Continue")
		b.click("link", "Demo")
		b.sees("heading", "Hello, grace@example.com")
		if out, err := site.Command("users", "remove", "grace@example.com", "--yes"); err != nil {
			t.Fatal(out, err)
		}
		b.click("link", "a deep link")
		b.sees("heading", "Sign in")
	}},

	{"axe finds nothing on the demo app, and nothing is cut off", func(t *testing.T, chromium browser) {
		site, demo := startDemoSite(t)
		axe := readAxe(t)
		b := newTab(t, chromium, site)
		b.signInFrom(demo+"/a/deep/link?page=2", "ada@example.com")
		b.sees("heading", "Hello, ada@example.com")
		eval[chromedp.Void](b, axe)
		eval[chromedp.Void](b, `document.querySelector("details").open = true`)
		for _, l := range []viewport{desk, desk.dark(), phone, phone.dark()} {
			b.setViewport(l)
			for _, finding := range eval[[]string](b, runAxe("")) {
				t.Errorf("%s: %s", l.name, finding)
			}
			if dir := os.Getenv("GUESTLIST_TEST_SCREENSHOTS"); dir != "" {
				b.screenshot(filepath.Join(dir, "demo, "+l.name+".png"))
			}
		}
		for _, width := range []int64{320, 390, 768, 1280, 1920} {
			b.setViewport(viewport{scheme: "light", width: width, height: 844})
			for _, what := range eval[[]string](b, findTooWide) {
				t.Errorf("%d pixels wide: %s", width, what)
			}
		}
	}},
}
