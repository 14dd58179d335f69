package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestFaults_AreShownOnEveryPage(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	const banner = "Simulated fault: the local Stytch can't be reached."
	pages := []string{"/users", "/profile", "/users/new", "/nothing", "/dev/inbox"}
	for _, path := range pages {
		if v := ada.Get(path); strings.Contains(v.Text(), "Simulated fault") {
			t.Errorf("%s speaks of trouble: %s", path, v.Text())
		}
	}

	s.SetFaults(`{"rules":[{"kind":"down"}]}`)
	for _, path := range pages {
		v := ada.Get(path)
		if to, _ := v.Link("Change"); to != "/dev/faults" || !strings.Contains(v.Text(), banner) {
			t.Errorf("%s does not speak of the trouble: %s", path, v.Text())
		}
	}
	s.Clock.Advance(time.Minute) // so that the last successful call is too old
	harness.WantPage(t, ada.InNewBrowser().RequestLink(), 503, "Sign-in is unavailable right now", banner)

	normal := ada.Submit(ada.Get("/dev/faults"), "Clear all faults")
	harness.WantPage(t, normal, 200, "Faults", "No faults are active.")
	s.Clock.Advance(time.Minute)
	harness.WantPage(t, ada.InNewBrowser().RequestLink(), 200, "Check your email")
}

func TestFaults_ClockCanBeMoved(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	s.SetFaults(`{"guestlist_clock_ms":601200000}`) // an hour less than seven days
	harness.WantPage(t, ada.Get("/users"), 200, "People", "Guestlist's clock is 167h0m0s ahead")
	s.SetFaults(`{"guestlist_clock_ms":604800000}`)
	harness.WantPage(t, ada.Get("/users"), 200, "Sign in", "Your session has ended.")
}
