package limit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/limit"
)

func TestBucket_RetryAt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	bucket := limit.Bucket{Rate: limit.Rate{Burst: 5, Every: 2 * time.Minute}}
	for _, test := range []struct {
		name   string
		fullAt time.Duration // from now
		want   time.Duration // from now; 0 or less for immediately
	}{
		{"an unused bucket allows one", -time.Hour, -time.Hour - 8*time.Minute},
		{"four of five uses leave one", 8 * time.Minute, 0},
		{"after five of five, the next waits for an interval", 10 * time.Minute, 2 * time.Minute},
		{"a time that uses can't reach was written before a clock was set back", time.Hour, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := bucket.RetryAt(now.Add(test.fullAt), now).Sub(now); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestNewBucket_NameIsUniqueAndHidesSubject(t *testing.T) {
	t.Parallel()
	ada, bob := limit.NewBucket("links", "ada@example.com", limit.Rate{}), limit.NewBucket("links", "bob@example.com", limit.Rate{})
	if strings.Contains(ada.Name, "ada") || ada.Name == bob.Name || len(ada.Name) > 100 {
		t.Errorf("names: %s, %s", ada.Name, bob.Name)
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	rate := limit.Rate{Burst: 2, Every: time.Minute}
	used, empty, fresh := limit.NewBucket("a", "", rate), limit.NewBucket("b", "", rate), limit.NewBucket("c", "", rate)
	ancient, future := limit.NewBucket("d", "", rate), limit.NewBucket("e", "", rate)
	levels := limit.Levels{
		used.Name: now.Add(-time.Hour), empty.Name: now.Add(2 * time.Minute),
		ancient.Name: now.Add(-3 * time.Hour), future.Name: now.Add(24 * time.Hour),
	}
	if r := levels.Refused(now, used, fresh, ancient, future); !r.Until.IsZero() {
		t.Errorf("refused: %+v", r)
	}
	if r := levels.Refused(now, used, empty, fresh); r.Bucket != empty || r.Until.Sub(now) != time.Minute {
		t.Errorf("got %+v, want the empty one, in a minute", r)
	}
	for name, test := range map[string]struct {
		bucket limit.Bucket
		want   bool
	}{
		"full again for an hour": {used, true}, "empty": {empty, true}, "never used": {fresh, false},
		"full again for three hours": {ancient, false}, "written before a clock was set back": {future, false},
	} {
		if got := levels.UsedWithin(2*time.Hour, now, test.bucket); got != test.want {
			t.Errorf("%s: used within two hours: %v", name, got)
		}
	}
}

func TestLevels_ReserveIsRefusedEarlier(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	all := limit.NewBucket("links", "", limit.Rate{Burst: 6, Every: time.Minute})
	some := all
	some.Reserve = 4
	levels := limit.Levels{all.Name: now.Add(2 * time.Minute)} // two of six are used
	if r := levels.Refused(now, some); r.Until.Sub(now) != time.Minute {
		t.Errorf("refused until %v from now, want a minute", r.Until.Sub(now))
	}
	if r := levels.Refused(now, all); !r.Until.IsZero() {
		t.Errorf("refused: %+v", r)
	}
}
