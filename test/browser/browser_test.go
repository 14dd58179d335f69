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

// journey is what a person does in the browser to reach a goal.
type journey struct {
	name string
	walk func(t *testing.T, chromium browser)
}

// walk runs each journey with a program of its own and in browsers of its own.
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
