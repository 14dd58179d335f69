// Package safego contains panics of background work, as net/http does for handlers.
package safego

import (
	"log/slog"
	"runtime/debug"
)

// Recover runs fn. If fn panics, Recover logs the panic and its stack under the given name
// and returns false.
func Recover(log *slog.Logger, name string, fn func()) (returned bool) {
	defer func() {
		if !returned {
			log.Error("background: panic", "work", name, "cause", recover(), "stack", string(debug.Stack()))
		}
	}()
	fn()
	return true
}
