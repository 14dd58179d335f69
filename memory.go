package main

import (
	"runtime/debug"
	"slices"
	"strings"
)

// How much memory the program gives for speed while it serves. Go collects what is
// no longer needed when it is so many percent of what is, which under load is a few
// megabytes; and as often as it takes when all together comes near so many bytes, as
// under pressure, for a small machine has 256 MB. See docs/decisions/0027.
const (
	garbage     = 200
	memoryLimit = 160 << 20
)

// tradeMemory has Go collect by these, each unless the environment says otherwise
// (GOGC, GOMEMLIMIT).
func tradeMemory(environ []string) {
	said := func(name string) bool {
		return slices.ContainsFunc(environ, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	}
	if !said("GOGC") {
		debug.SetGCPercent(garbage)
	}
	if !said("GOMEMLIMIT") {
		debug.SetMemoryLimit(memoryLimit)
	}
}
