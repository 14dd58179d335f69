// Package browser tests the pages in Chromium.
package browser

import (
	"os"
	"testing"

	"github.com/guestlist/guestlist/test/harness"
)

func TestMain(m *testing.M) {
	code := m.Run()
	stopChromium()
	os.Exit(code)
}

// journey is a test that drives the browser as a person would.
type journey struct {
	name string
	walk func(t *testing.T, chromium browser)
}

// walk runs each journey with its own server and browser contexts.
func walk(t *testing.T, journeys []journey) {
	t.Helper()
	chromium := startChromium(t)
	for _, j := range journeys {
		t.Run(j.name, func(t *testing.T) {
			t.Parallel()
			j.walk(t, chromium)
		})
	}
}

// walkEverywhere runs each journey at the root of a host, and below a path behind nginx.
func walkEverywhere(t *testing.T, journeys []journey) {
	t.Helper()
	walk(t, journeys)
	atNginx := browser{startChromium(t).Context, harness.StartBehindNginx}
	for _, j := range journeys {
		t.Run("behind nginx, "+j.name, func(t *testing.T) {
			t.Parallel()
			j.walk(t, atNginx)
		})
	}
}
