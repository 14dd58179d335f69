package browser

import (
	"slices"
	"testing"

	"github.com/guestlist/guestlist/test/harness"
)

// journey is something that people come to do, walked in a real browser.
type journey struct {
	name string
	walk func(t *testing.T, chromium browser)
}

// TestBrowser walks the program in Chromium: each journey on a program of its own
// and in browsers of its own.
func TestBrowser(t *testing.T) {
	t.Parallel()
	chromium := startChromium(t)
	for _, j := range slices.Concat(inboxJourneys, anywhereJourneys, peopleJourneys, tokenJourneys, keyboardJourneys, looks, weights, screenshots) {
		t.Run(j.name, func(t *testing.T) {
			t.Parallel()
			j.walk(t, chromium)
		})
	}
	atNginx := browser{chromium.Context, harness.StartBehindNginx}
	for _, j := range slices.Concat(anywhereJourneys, neighbourJourneys) {
		t.Run("behind nginx, "+j.name, func(t *testing.T) {
			t.Parallel()
			j.walk(t, atNginx)
		})
	}
}

// anywhereJourneys are walked at the root of a host, and below a path behind nginx.
var anywhereJourneys = slices.Concat(signInJourneys, searchJourneys, noScriptJourneys)
