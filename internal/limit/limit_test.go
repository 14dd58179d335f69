package limit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/limit"
)

func TestUntil(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	bucket := limit.Bucket{Rate: limit.Rate{Burst: 5, Every: 2 * time.Minute}}
	for _, test := range []struct {
		name   string
		fullAt time.Duration // from now
		want   time.Duration // from now; none or less: at once
	}{
		{"a bucket that was never used lets one through", -time.Hour, -time.Hour - 8*time.Minute},
		{"four of five leave one", 8 * time.Minute, 0},
		{"five of five make the next one wait for an interval", 10 * time.Minute, 2 * time.Minute},
		{"what use alone can't bring was written before a clock was set back", time.Hour, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := bucket.Until(now.Add(test.fullAt), now).Sub(now); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestABucketsNameTellsNoAddressAndIsEachOnesOwn(t *testing.T) {
	t.Parallel()
	ada, bob := limit.NewBucket("links", "ada@example.com", limit.Rate{}), limit.NewBucket("links", "bob@example.com", limit.Rate{})
	if strings.Contains(ada.Name, "ada") || ada.Name == bob.Name || len(ada.Name) > 100 {
		t.Errorf("names: %s, %s", ada.Name, bob.Name)
	}
}
