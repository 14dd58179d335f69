package main

import (
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
)

// neighbourJourneys are of two lists below two paths of one host.
var neighbourJourneys = []journey{
	{"a person is signed in at two lists of one host, and signs out of one", func(t *testing.T, chromium browser) {
		n, c := newNginx(t), newClock(noon)
		people := n.start("/people", testdb.SQLite(t), c)
		staff := n.start("/staff", testdb.SQLite(t), c)
		n.serve(n.location(people), n.location(staff))
		here := newTab(t, chromium, &browserSite{people, map[string]*person{}})
		there := *here // the same browser
		there.site = &browserSite{staff, map[string]*person{}}

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
