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

// FormatEnd returns the end of something that lasts to the end of a day in UTC as that day,
// and of something that ends during a day as FormatTime does.
func FormatEnd(t time.Time) string {
	if t.UTC().Truncate(24 * time.Hour).Equal(t) {
		return t.UTC().AddDate(0, 0, -1).Format("2 January 2006")
	}
	return FormatTime(t)
}

// FormatTime returns t in UTC, to the minute.
func FormatTime(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }
