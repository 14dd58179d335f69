package main

import (
	"runtime/debug"
	"slices"
	"strings"
)

// How much memory the program trades for speed, where the environment doesn't
// say (GOGC, GOMEMLIMIT): Go collects what is no longer needed when there is this
// much more of it, in percent, than of what is, which is a few megabytes; when all
// comes near the limit, in bytes, as under pressure, as often as it takes.
const (
	garbage     = 200
	memoryLimit = 160 << 20
)

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
