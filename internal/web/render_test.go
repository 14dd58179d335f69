package web

import (
	"testing"
	"time"
)

func TestTimeAgo(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, row := range []struct {
		ago  time.Duration
		want string
	}{
		{-time.Hour, "just now"}, // another instance's clock may be ahead
		{0, "just now"},
		{time.Minute - 1, "just now"},
		{time.Minute, "1 minute ago"},
		{2*time.Minute + 59*time.Second, "2 minutes ago"},
		{time.Hour - 1, "59 minutes ago"},
		{time.Hour, "1 hour ago"},
		{day - 1, "23 hours ago"},
		{day, "1 day ago"},
		{30*day - 1, "29 days ago"},
		{30 * day, "30 Jan 2026"},
	} {
		if got := timeAgo(noon, noon.Add(-row.ago)); got != row.want {
			t.Errorf("%v ago is %q, want %q", row.ago, got, row.want)
		}
	}
	if got := timeAgo(noon, time.Time{}); got != "never" {
		t.Errorf("never is %q", got)
	}
}

func TestFormatDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		5 * time.Minute: "5 minutes", time.Hour: "1 hour", 90 * time.Minute: "90 minutes",
		24 * time.Hour: "24 hours", 36 * time.Hour: "36 hours", 48 * time.Hour: "2 days", 168 * time.Hour: "7 days",
	} {
		if got := formatDuration(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}
