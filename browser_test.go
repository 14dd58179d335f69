package main

import (
	"context"
	"slices"
	"testing"
)

// journey is something that people come to do, walked in a real browser.
type journey struct {
	name string
	walk func(t *testing.T, chromium context.Context)
}

// TestBrowser walks the program in Chromium: each journey on a program of its own
// and in browsers of its own.
func TestBrowser(t *testing.T) {
	t.Parallel()
	chromium := startChromium(t)
	for _, j := range slices.Concat(signInJourneys, peopleJourneys, searchJourneys, keyboardJourneys, noScriptJourneys, looks, weights, screenshots) {
		t.Run(j.name, func(t *testing.T) {
			t.Parallel()
			j.walk(t, chromium)
		})
	}
}
