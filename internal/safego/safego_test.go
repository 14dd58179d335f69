package safego_test

import (
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/safego"
)

func TestSafely(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	log := slog.New(slog.NewTextHandler(&text, nil))
	if !safego.Recover(log, "nothing", func() {}) || text.Len() > 0 {
		t.Errorf("work that returns is reported: %s", text.String())
	}
	if safego.Recover(log, "a bug", func() { panic("no such luck") }) {
		t.Error("a panic counts as returned")
	}
	for _, want := range []string{`work="a bug"`, `cause="no such luck"`, "safego_test.go"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the log does not say %s: %s", want, text.String())
		}
	}
	done := make(chan struct{})
	go func() { // a goroutine that ends itself, as a failed test does, still ends
		defer close(done)
		safego.Recover(log, "leaving", runtime.Goexit)
	}()
	<-done
}
