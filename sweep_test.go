package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatDeletesWhatIsOverComesBackAfterAPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns, log := 0, &logged{}
		a := &app{now: func() time.Time {
			turns++
			panic("a clock out of its mind")
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Minute)
		defer cancel()
		a.purgeExpired(ctx, time.Hour, slog.New(slog.NewTextHandler(log, nil)))
		if turns != 3 {
			t.Errorf("%d turns in two hours and a half, want 3", turns)
		}
		if text := log.String(); !strings.Contains(text, "a clock out of its mind") || !strings.Contains(text, "sweep_test.go") {
			t.Errorf("the log does not say what it was: %s", text)
		}
	})
}
