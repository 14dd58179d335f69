package main

import (
	"math"
	"runtime/debug"
	"runtime/metrics"
	"testing"
)

func TestMemoryIsGivenForSpeedUnlessTheEnvironmentSaysOtherwise(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(math.MaxInt64)
	t.Cleanup(func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	})
	for _, tt := range []struct {
		environ        []string
		percent, limit uint64
	}{
		{[]string{"GOGC=50", "GOMEMLIMIT=1GiB"}, 100, math.MaxInt64}, // Go has read them itself
		{[]string{"GOGC=50", "GOMEM=1"}, 100, memoryLimit},
		{[]string{"XGOGC=50"}, garbage, memoryLimit},
	} {
		tradeMemory(tt.environ)
		inForce := []metrics.Sample{{Name: "/gc/gogc:percent"}, {Name: "/gc/gomemlimit:bytes"}}
		metrics.Read(inForce)
		if p, l := inForce[0].Value.Uint64(), inForce[1].Value.Uint64(); p != tt.percent || l != tt.limit {
			t.Errorf("%v: %d %% and %d bytes, want %d and %d", tt.environ, p, l, tt.percent, tt.limit)
		}
	}
}
