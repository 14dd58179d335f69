package background_test

import (
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/background"
)

func TestSafely(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	log := slog.New(slog.NewTextHandler(&text, nil))
	if !background.Recover(log, "nothing", func() {}) || text.Len() > 0 {
		t.Errorf("work that returns is reported: %s", text.String())
	}
	if background.Recover(log, "a bug", func() { panic("no such luck") }) {
		t.Error("a panic counts as returned")
	}
	for _, want := range []string{`work="a bug"`, `cause="no such luck"`, "background_test.go"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the log does not say %s: %s", want, text.String())
		}
	}
	done := make(chan struct{})
	go func() { // a goroutine that ends itself, as a failed test does, still ends
		defer close(done)
		background.Recover(log, "leaving", runtime.Goexit)
	}()
	<-done
}
