// Package retry waits between attempts. Loops that repeat one operation use
// github.com/cenkalti/backoff/v5; Sleep is for loops that do something else as well.
package retry

import (
	"context"
	"time"
)

// Sleep pauses for d. It returns early with ctx's error if ctx ends first, and at once
// if d is not positive.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
