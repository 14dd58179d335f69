package store

import (
	"errors"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/store/storetest"
)

func TestCountCache(t *testing.T) {
	t.Parallel()
	var kept countCache
	now, counts := storetest.Now(), 0
	ask := func(f filter) int {
		t.Helper()
		n, err := kept.get(now, f, func() (int, error) { counts++; return counts, nil })
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	allUsers, admins := filter{}, filter{role: directory.Admin}
	for _, r := range []struct {
		name   string
		before func()
		f      filter
		want   int
	}{
		{"the first time it is counted", func() {}, allUsers, 1},
		{"then it is remembered", func() { now = now.Add(countTTL - 1) }, allUsers, 1},
		{"each filter by itself", func() {}, admins, 2},
		{"for a while", func() { now = now.Add(1) }, allUsers, 3},
		{"and not when the clock was set back", func() { now = now.Add(-time.Hour) }, allUsers, 4},
		{"a change makes it forget", kept.invalidate, allUsers, 5},
		{"all of it", func() {}, admins, 6},
	} {
		r.before()
		if got := ask(r.f); got != r.want {
			t.Errorf("%s: count %d, want %d", r.name, got, r.want)
		}
	}

	kept.invalidate()
	if _, err := kept.get(now, allUsers, func() (int, error) { return 0, errors.New("down") }); err == nil {
		t.Error("an error is lost")
	}
	if n, _ := kept.get(now, allUsers, func() (int, error) { kept.invalidate(); return 7, nil }); n != 7 {
		t.Errorf("during a change: %d", n)
	}
	if n := ask(allUsers); n != counts {
		t.Errorf("what was counted during a change, or not at all, is remembered: %d", n)
	}
}
