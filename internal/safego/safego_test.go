package safego_test

import (
	"log/slog"
	"runtime"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/safego"
)

func TestRecover(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	log := slog.New(slog.NewTextHandler(&text, nil))
	if !safego.Recover(log, "nothing", func() {}) || text.Len() > 0 {
		t.Errorf("a return is logged: %s", text.String())
	}
	if safego.Recover(log, "a bug", func() { panic("no such luck") }) {
		t.Error("a panic is reported as a return")
	}
	for _, want := range []string{`work="a bug"`, `cause="no such luck"`, "safego_test.go"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the log lacks %s: %s", want, text.String())
		}
	}
	done := make(chan struct{})
	go func() { // runtime.Goexit, which t.FailNow calls, still ends the goroutine
		defer close(done)
		safego.Recover(log, "leaving", runtime.Goexit)
	}()
	<-done
}
