package humanize_test

import (
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/humanize"
)

func TestFormats(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 13, 0, 59, 0, time.FixedZone("CET", 3600))
	for _, row := range []struct{ got, want string }{
		{humanize.Plural(0, "session"), "0 sessions"},
		{humanize.Plural(1, "session"), "1 session"},
		{humanize.Plural(2, "session"), "2 sessions"},
		{humanize.Plural(1200, "row"), "1,200 rows"},
		{humanize.People(1), "1 person"},
		{humanize.People(1200), "1,200 people"},
		{humanize.FormatWait(time.Second), "1 minute"},
		{humanize.FormatWait(time.Minute), "1 minute"},
		{humanize.FormatWait(61 * time.Second), "2 minutes"},
		{humanize.FormatEnd(noon.Truncate(24 * time.Hour)), "28 February 2026"},
		{humanize.FormatEnd(noon), "1 March 2026, 12:00 UTC"},
		{humanize.FormatTime(noon), "1 March 2026, 12:00 UTC"},
	} {
		if row.got != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
}
