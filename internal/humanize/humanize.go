// Package humanize says times and numbers as people do, wherever they are told of
// them: on pages and in what explains a refusal.
package humanize

import (
	"strconv"
	"time"
)

// Plural says how many of a thing there are: "1 minute", "2 minutes".
func Plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// FormatWait says how long to wait at most: "1 minute" for half a minute.
func FormatWait(d time.Duration) string {
	return Plural(int((d+time.Minute-1)/time.Minute), "minute")
}

// FormatTime says when something was, or will be, to the minute.
func FormatTime(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }
