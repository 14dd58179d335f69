package browser

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	walkEverywhere(t, searchJourneys)
}

var searchJourneys = []journey{
	{"searching while typing shows who is found, and the address follows", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		site.add("Grace Hopper", seen(time.Hour))
		site.add("Katherine Johnson")
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.visit("/users")
		b.announces("3 people")
		b.click("searchbox", "Search by name or email")
		b.press("gra")
		b.announces("1 person found")
		b.sees("link", "Grace Hopper")
		b.lacks("link", "Katherine Johnson")
		b.at("/users?q=gra&sort=name")
		b.focused(`searchbox "Search by name or email"`)

		b.do(chromedp.Reload())
		b.announces("1 person found")
		b.choose("Status", "Invited")
		b.announces("0 people found")
		b.sees("heading", "No matches")
		b.click("link", "Clear search and filters")
		b.announces("3 people")
		b.at("/users")

		b.click("link", "Name")
		b.at("/users?sort=-name")
		b.fill("searchbox", "Search by name or email", "example")
		b.announces("3 people found")
		b.at("/users?q=example&sort=-name")
	}},

	{"a session that ends while searching leads to signing in, and back to the search", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		site.add("Grace Hopper")
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.visit("/users")
		b.click("searchbox", "Search by name or email")
		site.Clock.Advance(8 * 24 * time.Hour)
		b.press("g")
		b.reads("Your session has ended.")
		b.signIn("ada@example.com")
		b.announces("1 person found")
		b.at("/users?q=g&sort=name")
	}},

	{"120 people are on three pages", func(t *testing.T, chromium browser) {
		site := startBrowserSite(t, chromium)
		for i := range 119 {
			site.add(fmt.Sprintf("Person %03d", i+1))
		}
		b := newTab(t, chromium, site)
		b.signIn("ada@example.com")
		b.visit("/users")
		b.announces("120 people")
		b.lacks("link", "← Previous")
		b.sees("link", "Person 001") // ada@example.com comes first
		b.sees("link", "Person 049")
		b.lacks("link", "Person 050")
		b.click("link", "Next →")
		b.sees("link", "Person 050")
		b.sees("link", "Person 099")
		b.click("link", "Next →")
		b.sees("link", "Person 119")
		b.lacks("link", "Next →")
		b.click("link", "← Previous")
		b.sees("link", "Person 050")
		b.announces("120 people")
	}},
}
