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

// countAllocations restarts the product with metrics and records its heap allocations per request
// for each row. The product must not be running.
func (t table) countAllocations(ctx context.Context, program, dir string, g *target) error {
	metrics, err := freeAddr()
	if err != nil {
		return err
	}
	p, err := startAt(ctx, program, dir, g.databaseURL, g.addr, "GUESTLIST_METRICS_ADDR="+metrics)
	if err != nil {
		return err
	}
	defer p.stop()
	p.waitIdle()
	fmt.Println("                                          allocations     KB")
	for _, r := range t.Order {
		job := loadJob{Addr: p.addr, Requests: r.requests, Then: r.then, Status: r.status, Conns: 32, Seconds: 0.1}
		if _, err := drive(ctx, p.pid(), job); err != nil { // warm up
			return err
		}
		before, err := readAllocations(metrics)
		if err != nil {
			return err
		}
		o, err := drive(ctx, p.pid(), job)
		if err != nil {
			return err
		}
		after, err := readAllocations(metrics)
		if err != nil {
			return err
		}
		f := t.Rows[r.name]
		f.Allocations = (after.objects - before.objects) / float64(o.N)
		f.AllocatedKB = (after.bytes - before.bytes) / float64(o.N) / 1000
		t.Rows[r.name] = f
		fmt.Printf("%-45s %7.0f %6.1f\n", r.name, f.Allocations, f.AllocatedKB)
	}
	return nil
}

// allocations are the heap allocations of a process since its start.
type allocations struct{ objects, bytes float64 }

// readAllocations reads the product's allocations from its metrics.
func readAllocations(metricsAddr string) (allocations, error) {
	resp, err := http.Get("http://" + metricsAddr + "/metrics")
	if err != nil {
		return allocations{}, err
	}
	defer resp.Body.Close()
	values := map[string]float64{}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		values[name], _ = strconv.ParseFloat(value, 64)
	}
	a := allocations{values["go_memstats_mallocs_total"], values["go_memstats_alloc_bytes_total"]}
	if err := lines.Err(); err != nil || a.objects == 0 || a.bytes == 0 {
		return a, fmt.Errorf("the metrics contain no allocations: %v", err)
	}
	return a, nil
}
