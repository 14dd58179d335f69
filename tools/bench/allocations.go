//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// countAllocations starts the product once more, which no longer runs, now with its
// metrics, and notes what it allocates for a request of each row.
func (t table) countAllocations(ctx context.Context, program, dir string, w *writer) error {
	metrics, err := freeAddr()
	if err != nil {
		return err
	}
	p, err := startAt(ctx, program, dir, w.databaseURL, w.addr, "GUESTLIST_METRICS_ADDR="+metrics)
	if err != nil {
		return err
	}
	defer p.stop()
	p.settle()
	fmt.Println("                                          allocations     KB")
	for _, r := range t.Order {
		job := load{Addr: p.addr, Requests: r.requests, Status: r.status, Conns: 32, Seconds: 0.1}
		if _, err := drive(ctx, p.cmd.Process.Pid, job); err != nil { // warm
			return err
		}
		before, err := allocated(metrics)
		if err != nil {
			return err
		}
		o, err := drive(ctx, p.cmd.Process.Pid, job)
		if err != nil {
			return err
		}
		after, err := allocated(metrics)
		if err != nil {
			return err
		}
		f, n := t.Rows[r.name], float64(o.N)
		f.Allocations, f.AllocatedKB = (after.objects-before.objects)/n, (after.bytes-before.bytes)/n/1000
		t.Rows[r.name] = f
		fmt.Printf("%-45s %7.0f %6.1f\n", r.name, f.Allocations, f.AllocatedKB)
	}
	return nil
}

// allocation is what a process has allocated since its start.
type allocation struct{ objects, bytes float64 }

// allocated reads that from the product's metrics.
func allocated(metrics string) (allocation, error) {
	answer, err := http.Get("http://" + metrics + "/metrics")
	if err != nil {
		return allocation{}, err
	}
	defer answer.Body.Close()
	values := map[string]float64{}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		values[name], _ = strconv.ParseFloat(value, 64) // what is no number is not asked for
	}
	a := allocation{values["go_memstats_mallocs_total"], values["go_memstats_alloc_bytes_total"]}
	if err := lines.Err(); err != nil || a.objects == 0 || a.bytes == 0 {
		return a, fmt.Errorf("the product's metrics don't say what it allocated: %v", err)
	}
	return a, nil
}
