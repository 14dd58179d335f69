package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guestlist/guestlist/internal/retry"
)

func TestSleep(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name          string
		pause, limit  time.Duration
		want          time.Duration
		wantCancelled bool
	}{
		{"the whole pause", time.Minute, time.Hour, time.Minute, false},
		{"until the context ends", time.Hour, time.Minute, time.Minute, true},
		{"no pause", 0, time.Hour, 0, false},
		{"a negative pause", -time.Hour, time.Hour, 0, false},
		{"no pause and an ended context", 0, 0, 0, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), row.limit)
				defer cancel()
				begin := time.Now()
				err := retry.Sleep(ctx, row.pause)
				if got := time.Since(begin); got != row.want {
					t.Errorf("slept %s, want %s", got, row.want)
				}
				if errors.Is(err, context.DeadlineExceeded) != row.wantCancelled {
					t.Errorf("got error %v", err)
				}
			})
		})
	}
}
