package words_test

import (
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/words"
)

func TestWords(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 13, 0, 59, 0, time.FixedZone("CET", 3600))
	for got, want := range map[string]string{
		words.Plural(0, "session"): "0 sessions", words.Plural(1, "session"): "1 session", words.Plural(2, "session"): "2 sessions",
		words.FormatWait(time.Second): "1 minute", words.FormatWait(time.Minute): "1 minute", words.FormatWait(61 * time.Second): "2 minutes",
		words.FormatTime(noon): "1 March 2026, 12:00 UTC",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
