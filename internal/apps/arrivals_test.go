package apps

import (
	"testing"
	"time"
)

func TestArrivals_RememberTheLastRequestOfEachApp(t *testing.T) {
	t.Parallel()
	var a arrivals
	if got := a.last("wiki"); !got.IsZero() {
		t.Errorf("before any: %v", got)
	}
	noon := time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC)
	a.record("wiki", noon)
	a.record("wiki", noon.Add(time.Minute))
	a.record("shop", noon)
	if got, want := a.last("wiki"), noon.Add(time.Minute).Truncate(time.Second); !got.Equal(want) {
		t.Errorf("wiki: %v, want %v", got, want)
	}
	if got, want := a.last("shop"), noon.Truncate(time.Second); !got.Equal(want) {
		t.Errorf("shop: %v, want %v", got, want)
	}
}
