package app

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPurgeExpired_ContinuesAfterAPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := 0
		var log bytes.Buffer
		now := func() time.Time {
			turns++
			panic("a clock out of its mind")
		}
		a := &App{core: core{now: now, log: slog.New(slog.NewTextHandler(&log, nil))}}
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Minute)
		defer cancel()
		a.purgeExpired(ctx)
		if turns != 3 {
			t.Errorf("%d turns in two hours and a half, want 3", turns)
		}
		if text := log.String(); !strings.Contains(text, "a clock out of its mind") || !strings.Contains(text, "maintenance_test.go") {
			t.Errorf("the log does not say what it was: %s", text)
		}
	})
}
