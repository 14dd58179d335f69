// Package words says times and numbers as people do, wherever they are told of
// them: on pages and in what explains a refusal.
package words

import (
	"strconv"
	"time"
)

// Count says how many of a thing there are: "1 minute", "2 minutes".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// Wait says how long to wait at most: "1 minute" for half a minute.
func Wait(d time.Duration) string {
	return Count(int((d+time.Minute-1)/time.Minute), "minute")
}

// Moment says when something was, or will be, to the minute.
func Moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }
