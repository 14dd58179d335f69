package directory

import (
	"testing"
	"time"
)

func TestMembership_Extended(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	day := func(month time.Month, d int) time.Time { return time.Date(2026, month, d, 0, 0, 0, 0, time.UTC) }
	for _, row := range []struct {
		name        string
		until, want time.Time
	}{
		{"from its end", day(3, 6), day(4, 5)},
		{"from now if it has ended", day(2, 6), day(4, 1)},
		{"from a time of the day to the end of that day", day(3, 6).Add(time.Hour), day(4, 6)},
	} {
		m := Membership{Until: row.until}
		if got := m.Extended(30, now); !got.Equal(row.want) {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}

func TestMembership_Ending(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name  string
		until time.Time
		want  bool
	}{
		{"no end", time.Time{}, false},
		{"ended now", now, false},
		{"ends soon", now.Add(time.Second), true},
		{"ends in a week", now.Add(EndWarning), false},
	} {
		if got := (Membership{Until: row.until}).Ending(now); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

func TestGuestUntil(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name  string
		list  []Membership
		until time.Time
		guest bool
	}{
		{"in no group", nil, time.Time{}, false},
		{"in one with an end", []Membership{{Until: now}}, now, true},
		{"until the last end", []Membership{{Until: now.Add(time.Hour)}, {Until: now}}, now.Add(time.Hour), true},
		{"in one without an end", []Membership{{Until: now}, {}}, time.Time{}, false},
	} {
		if until, guest := GuestUntil(row.list); !until.Equal(row.until) || guest != row.guest {
			t.Errorf("%s: %v, %v", row.name, until, guest)
		}
	}
}
