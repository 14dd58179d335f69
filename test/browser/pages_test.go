package browser

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/event"
)

func TestPages(t *testing.T) {
	t.Parallel()
	walk(t, pageChecks)
}

// pageChecks hold for every page state; see pageStates.
var pageChecks = []journey{
	{"axe finds nothing on any page, light or dark, on a desk or a phone", func(t *testing.T, chromium browser) {
		axe := readAxe(t)
		g := newGallery(t, chromium)
		for _, s := range slices.Concat(pageStates, requestStates, deviceStates) {
			b := s.show(g)
			eval[chromedp.Void](b, axe)
			for _, l := range []viewport{desk, phone} {
				b.setViewport(l)
				for _, finding := range eval[[]string](b, runAxe("")) {
					t.Errorf("%s, %s: %s", s.name, l.name, finding)
				}
				b.setViewport(l.dark()) // only colours differ
				for _, finding := range eval[[]string](b, runAxe(`runOnly: ["color-contrast"]`)) {
					t.Errorf("%s, %s: %s", s.name, l.dark().name, finding)
				}
			}
			b.setViewport(desk)
		}
	}},

	{"no page scrolls sideways or cuts anything off, from 320 to 1920 pixels", func(t *testing.T, chromium browser) {
		g := newGallery(t, chromium)
		for _, s := range slices.Concat(pageStates, requestStates, deviceStates, longPageStates(t, chromium)) {
			b := s.show(g)
			for _, width := range []int64{320, 390, 768, 1280, 1920} {
				b.setViewport(viewport{scheme: "light", width: width, height: 844})
				for _, what := range eval[[]string](b, findTooWide) {
					t.Errorf("%s, %d pixels wide: %s", s.name, width, what)
				}
			}
			b.setViewport(desk)
		}
	}},

	{"an address in the list is one line, from 320 to 1920 pixels", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		site.add("Maximiliane Mustermann-Beispielhaft", seen(time.Hour))
		site.add("Christopher Featherstonehaugh", seen(48*time.Hour), func(u *directory.User) {
			u.Email = directory.Email{Display: "christopher.featherstonehaugh@engineering.example.com", Normalized: "christopher.featherstonehaugh@engineering.example.com"}
		})
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.visit("/users")
		for _, width := range []int64{320, 390, 720, 768, 1024, 1280, 1920} {
			b.setViewport(viewport{scheme: "light", width: width, height: 844})
			for _, address := range eval[[]string](b, brokenAddresses) {
				t.Errorf("%d pixels wide: %s is broken over lines", width, address)
			}
		}
	}},

	{"every Tab stop has a name and a ring around it", func(t *testing.T, chromium browser) {
		g := newGallery(t, chromium)
		for _, s := range slices.Concat(pageStates, requestStates, deviceStates) {
			b := s.show(g)
			// Tab starts at the element the page focused and wraps around at the body.
			eval[chromedp.Void](b, "window.visited = new Set()")
			stops := 0
			for b.press(kb.Tab); eval[bool](b, "!visited.has(document.activeElement)"); b.press(kb.Tab) {
				eval[chromedp.Void](b, "visited.add(document.activeElement)")
				if eval[bool](b, "document.activeElement === document.body") {
					continue
				}
				stops++
				if strings.HasSuffix(b.focus(), ` ""`) {
					t.Errorf("%s: a Tab stop without a name: %s", s.name, eval[string](b, "document.activeElement.outerHTML"))
				}
				if !eval[bool](b, hasFocusRing) {
					t.Errorf("%s: no ring around %s", s.name, b.focus())
				}
			}
			if stops == 0 {
				t.Errorf("%s: Tab leads nowhere", s.name)
			}
		}
	}},

	{"the first screen of a phone shows search, Invite and six people", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		for i := range 10 {
			site.add(fmt.Sprintf("Katherine Johnson %d", i), seen(time.Hour))
		}
		b := newTab(t, chromium, site)
		b.setViewport(phone)
		b.signIn("ada@example.com")
		b.visit("/users")
		const inView = ".filter(e => e.getBoundingClientRect().bottom <= innerHeight).length"
		if rows := eval[int](b, `[...document.querySelectorAll("tbody tr")]`+inView); rows < 6 {
			t.Errorf("there are %d people in view", rows)
		}
		if controls := eval[int](b, `[...document.querySelectorAll("input[type=search], a[data-dialog=invite]")]`+inView); controls != 2 {
			t.Errorf("of search and Invite %d are in view", controls)
		}
	}},
}

// readAxe returns the vendored script testdata/axe/axe.min.js.
func readAxe(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("testdata/axe/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(script)
	if got := hex.EncodeToString(sum[:]); got != "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c" {
		t.Fatalf("testdata/axe/axe.min.js was changed: its checksum is %s", got)
	}
	return string(script)
}

// runAxe returns a JavaScript expression for axe's findings, one string each.
func runAxe(options string) string {
	return `axe.run({` + options + `}).then(result => result.violations.flatMap(rule => rule.nodes.map(
		node => rule.id + " (" + rule.impact + ") at " + node.target + ": " + node.failureSummary)))`
}

// findTooWide is an expression for the elements that overflow: the page itself, scrolling elements,
// and text cut off without an ellipsis.
const findTooWide = `[...document.querySelectorAll("html, body *")].filter(e => {
	const style = getComputedStyle(e);
	const own = e.localName === "html" || style.overflowX !== "visible";
	return own && style.textOverflow !== "ellipsis" && style.clipPath === "none" && e.localName !== "input"
		&& e.clientWidth > 0 && e.scrollWidth > e.clientWidth;
}).map(e => e.outerHTML.slice(0, 100) + " holds " + e.scrollWidth + " pixels and has " + e.clientWidth)`

// brokenAddresses is an expression for the addresses in the list that wrap.
const brokenAddresses = `[...document.querySelectorAll(".people .address")].filter(e => {
	const range = document.createRange();
	range.selectNodeContents(e);
	return new Set([...range.getClientRects()].map(r => Math.round(r.top))).size > 1;
}).map(e => e.textContent)`

// hasFocusRing is an expression for whether the focused element has a visible outline.
const hasFocusRing = `(style => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2)(getComputedStyle(document.activeElement))`

// longPageStates are pages about a user whose name and address have the maximum length and no
// place to break.
func longPageStates(t *testing.T, chromium browser) []pageState {
	t.Helper()
	site := startBrowserSite(t, chromium)
	address := strings.Repeat("m", 64) + "@" + strings.Repeat(strings.Repeat("w", 62)+".", 2) + strings.Repeat("w", 63)
	site.add("W", admin, func(u *directory.User) {
		email, err := directory.ParseEmail(address)
		if err != nil {
			t.Fatal(err)
		}
		u.Name, u.Email = strings.Repeat("W", directory.MaxName), email
	})
	long := strings.Repeat("W", directory.MaxGroupName)
	group, err := site.App.Groups.Create(t.Context(), event.Origin{}, long)
	if err == nil {
		err = site.App.Groups.Join(t.Context(), event.Origin{}, group.ID, "w", site.Clock.Now().Add(time.Hour))
	}
	var app apps.App
	if err == nil {
		app, err = site.App.Apps.Create(t.Context(), event.Origin{}, apps.Input{
			Name: strings.Repeat("W", directory.MaxName), URL: "https://" + strings.Repeat(strings.Repeat("w", 62)+".", 2) + strings.Repeat("w", 63),
			Audience: string(apps.Groups), GroupIDs: []string{group.ID}, PublicPaths: "/" + strings.Repeat("w", 190), Upstream: "http://127.0.0.1:3000",
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	b := newTab(t, chromium, site)
	b.signIn(address)
	self := func(*gallery) *tab { return b }
	return []pageState{
		{"people, long", visiting(self, "/users")},
		{"person, long", visiting(self, "/users/w")},
		{"remove, long", visiting(self, "/users/w/remove")},
		{"remove dialog, long", func(*gallery) *tab {
			b.visit("/users/w")
			b.click("link", "Remove…")
			b.reads("will be removed and signed out everywhere")
			return b
		}},
		{"message, long", func(*gallery) *tab {
			b.visit("/users/w")
			b.click("button", "Save")
			b.reads("Saved W")
			return b
		}},
		{"profile, long", func(*gallery) *tab {
			b.visit("/profile")
			b.createToken(strings.Repeat("W", directory.MaxName))
			return b
		}},
		{"invite, long", visiting(self, "/users/new")},
		{"groups, long", visiting(self, "/groups")},
		{"group, long", func(*gallery) *tab {
			b.visit("/groups/" + group.ID)
			eval[chromedp.Void](b, `document.querySelector("details.edit").open = true`)
			return b
		}},
		{"group, choose a person, long", func(*gallery) *tab {
			b.visit("/groups/" + group.ID)
			b.fill("textbox", "Email address or name", "w")
			b.click("button", "Add member")
			b.reads("Choose the person below.")
			return b
		}},
		{"group, remove, long", visiting(self, "/groups/"+group.ID+"/remove")},
		{"apps, long", visiting(self, "/apps")},
		{"app, long", func(*gallery) *tab {
			b.visit("/apps/" + app.ID)
			eval[chromedp.Void](b, `document.querySelector("#snippet-nginx").closest("details").open = true`)
			return b
		}},
		{"app, remove, long", visiting(self, "/apps/"+app.ID+"/remove")},
		{"activity, long", visiting(self, "/activity")},
		{"continue, long", visiting(self, "/api/authenticate_magic_link?token=x")},
		{"inbox, long", visitingWithKey(self, "/dev/inbox")},
	}
}
