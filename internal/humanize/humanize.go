// Package humanize formats numbers and times for people.
package humanize

import (
	"time"

	"github.com/dustin/go-humanize/english"
)

// Plural returns a count with its noun: "1 minute", "2 minutes", "1,200 minutes".
func Plural(n int, noun string) string { return english.Plural(n, noun, "") }

// People returns a number of people: "1 person", "2 people".
func People(n int) string { return english.Plural(n, "person", "people") }

// FormatWait returns d in minutes, rounded up.
func FormatWait(d time.Duration) string {
	return Plural(int((d+time.Minute-1)/time.Minute), "minute")
}

// FormatTime returns t in UTC, to the minute.
func FormatTime(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }
