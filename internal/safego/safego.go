// Package safego keeps a panic in work that no request waits for from ending
// the program, as net/http does for requests.
package safego

import (
	"log/slog"
	"runtime/debug"
)

// Recover runs fn. If it panics, that is logged, with the stack, under the work's
// name, and Safely returns false.
func Recover(log *slog.Logger, name string, fn func()) (returned bool) {
	defer func() {
		if !returned {
			log.Error("background: panic", "work", name, "cause", recover(), "stack", string(debug.Stack()))
		}
	}()
	fn()
	return true
}
