package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
)

// faults puts faults of the local Stytch in force.
func (s *site) faults(body string) {
	s.t.Helper()
	if v := newcomer(s).calls("PUT", "/dev/faults.json", body); v.status != http.StatusOK {
		s.t.Fatalf("%s: %d %s", body, v.status, v.body)
	}
}

func TestFaultsAreFeltAndShownOnEveryPageUntilTheyEnd(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon))
	ada := s.person("ada@example.com")
	ada.signsIn()
	const banner = "Trouble on purpose: the local Stytch can't be reached."
	pages := []string{"/users", "/profile", "/users/new", "/nothing", "/dev/inbox"}
	for _, path := range pages {
		if v := ada.get(path); strings.Contains(v.Text(), "on purpose") {
			t.Errorf("%s speaks of trouble: %s", path, v.Text())
		}
	}

	s.faults(`{"rules":[{"kind":"down"}]}`)
	for _, path := range pages {
		v := ada.get(path)
		if to, _ := v.Link("Change"); to != "/dev/faults" || !strings.Contains(v.Text(), banner) {
			t.Errorf("%s does not speak of the trouble: %s", path, v.Text())
		}
	}
	s.clock.advance(time.Minute) // so that its last good answer no longer counts
	wants(t, ada.elsewhere().asks(), 503, "Sign-in is unavailable right now", banner)

	normal := ada.submits(ada.get("/dev/faults"), "Back to normal")
	wants(t, normal, 200, "Faults", "Everything is normal.")
	s.clock.advance(time.Minute)
	wants(t, ada.elsewhere().asks(), 200, "Check your email")
}

func TestTheClockOfTheWholeProgramCanBeMoved(t *testing.T) {
	t.Parallel()
	s := start(t, testdb.SQLite(t), newClock(noon))
	ada := s.person("ada@example.com")
	ada.signsIn()
	s.faults(`{"guestlist_clock_ms":601200000}`) // an hour less than seven days
	wants(t, ada.get("/users"), 200, "People", "Guestlist's clock is 167h0m0s ahead")
	s.faults(`{"guestlist_clock_ms":604800000}`)
	wants(t, ada.get("/users"), 200, "Sign in", "Your session has ended.")
}
