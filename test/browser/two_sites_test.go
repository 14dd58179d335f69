package browser

import (
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestTwoSites(t *testing.T) {
	t.Parallel()
	walk(t, twoSiteJourneys)
}

// twoSiteJourneys use two installations under two paths of one host.
var twoSiteJourneys = []journey{
	{"a person is signed in at two lists of one host, and signs out of one", func(t *testing.T, chromium browser) {
		n, c := harness.NewNginx(t), harness.NewClock(harness.Noon)
		people := n.Start("/people", testdb.SQLite(t), c)
		staff := n.Start("/staff", testdb.SQLite(t), c)
		n.Serve(n.Location(people), n.Location(staff))
		here := newTab(t, chromium, &browserSite{people, map[string]*harness.Person{}})
		there := *here // the same browser
		there.site = &browserSite{staff, map[string]*harness.Person{}}

		here.visit("/")
		here.signIn("ada@example.com")
		there.visit("/")
		there.signIn("grace@example.com")
		there.visit("/profile")
		there.reads("grace@example.com")
		here.visit("/profile")
		here.reads("ada@example.com")
		here.click("button", "Sign out")
		here.reads("You’ve signed out.")
		here.visit("/profile")
		here.sees("heading", "Sign in")
		there.visit("/profile")
		there.sees("button", "Sign out")
	}},
}
