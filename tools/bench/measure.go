//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// figures are the results of one row. Outcomes that weren't measured are zero.
type figures struct {
	Product, Bare, Raw outcome // at full load
	Peer               outcome // of another program at full load
	Half               outcome // of the product at half of its full rate
	DatabaseCPU        float64 // milliseconds of the database process per request to the product
	Bytes              int     // of the response body
	Allocations        float64 // of the product per request
	AllocatedKB        float64
}

// pace says how long and how often something is measured.
type pace struct {
	conns   int
	seconds float64
	rounds  int
}

// measure drives the product, the bare server and the raw loop in turn, for several rounds, so that
// other activity on the machine affects them alike.
func measure(ctx context.Context, g *target, e engine, r row, p pace) (figures, error) {
	var f figures
	resp, err := fetch(g.addr, withNumber(r.requests[0], firstNumber()))
	if err != nil {
		return f, err
	}
	if resp.Status != r.status && r.then == nil {
		return f, fmt.Errorf("status %d of the product: %.300s", resp.Status, resp.Body)
	}
	f.Bytes = len(resp.Body)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	job := loadJob{Addr: g.addr, Requests: r.requests, Then: r.then, Status: r.status, Conns: p.conns, Seconds: min(p.seconds, 0.3)}
	if _, err := drive(ctx, g.pid(), job); err != nil { // warm up
		return f, err
	}
	job.Seconds = p.seconds
	bareJob := job
	barePID := 0
	if r.full {
		cmd, addr, err := startBare(ctx, resp)
		if err != nil {
			return f, err
		}
		defer cmd.Wait()
		defer cancel()
		bareJob.Addr = addr
		barePID = cmd.Process.Pid
	}
	var product, bare, raw, peer, half []outcome
	databaseCPU, n := 0.0, 0
	for range p.rounds {
		before := cpu(e.pid)
		o, err := drive(ctx, g.pid(), job)
		if err != nil {
			return f, err
		}
		databaseCPU += cpu(e.pid) - before
		n += o.N
		product = append(product, o)
		if r.full {
			if o, err = drive(ctx, barePID, bareJob); err != nil {
				return f, fmt.Errorf("bare: %w", err)
			}
			bare = append(bare, o)
		}
		if r.peer != nil {
			peerJob := loadJob{Addr: r.peer.addr, Requests: r.peer.requests, Status: r.peer.status, Conns: p.conns, Seconds: p.seconds}
			if o, err = drive(ctx, r.peer.pid, peerJob); err != nil {
				return f, fmt.Errorf("peer: %w", err)
			}
			peer = append(peer, o)
		}
		if r.raw != nil {
			loop := *r.raw
			loop.DatabaseURL = g.databaseURL
			loop.Loops = p.conns
			loop.Seconds = p.seconds
			if err := runRole(ctx, serverCore, "raw", loop, &o); err != nil {
				return f, err
			}
			raw = append(raw, o)
		}
	}
	f.Product = combine(product)
	f.Bare = combine(bare)
	f.Raw = combine(raw)
	f.Peer = combine(peer)
	f.DatabaseCPU = databaseCPU / max(1, float64(n))
	job.Rate = f.Product.Rate / 2
	for range (p.rounds + 1) / 2 {
		o, err := drive(ctx, g.pid(), job)
		if err != nil {
			return f, err
		}
		half = append(half, o)
	}
	f.Half = combine(half)
	return f, nil
}

// drive runs a load job and measures the processor time of the server. If job.Status is set, it
// returns an error if any response has another status.
func drive(ctx context.Context, pid int, job loadJob) (outcome, error) {
	before := cpu(pid)
	var o outcome
	if err := runRole(ctx, clientCore, "load", job, &o); err != nil {
		return o, err
	}
	total := 0
	for _, n := range o.Responses {
		total += n
	}
	o.CPU = (cpu(pid) - before) / max(1, float64(total))
	if total != o.Responses[job.Status] && job.Status != 0 {
		return o, fmt.Errorf("want only status %d, got %v, such as %q", job.Status, o.Responses, o.Wrong)
	}
	return o, nil
}

// combine returns the median of each figure, and the mean processor time of all requests.
func combine(outcomes []outcome) outcome {
	medianOf := func(figure func(outcome) float64) float64 {
		var values []float64
		for _, o := range outcomes {
			values = append(values, figure(o))
		}
		return median(values)
	}
	cpu, n := 0.0, 0
	for _, o := range outcomes {
		cpu += o.CPU * float64(o.N)
		n += o.N
	}
	return outcome{
		N:    n,
		CPU:  cpu / max(1, float64(n)),
		Rate: medianOf(func(o outcome) float64 { return o.Rate }),
		P50:  medianOf(func(o outcome) float64 { return o.P50 }),
		P99:  medianOf(func(o outcome) float64 { return o.P99 }),
		P999: medianOf(func(o outcome) float64 { return o.P999 }),
	}
}

// median returns the lower median of values, or zero if there are none.
func median[T cmp.Ordered](values []T) T {
	if len(values) == 0 {
		var zero T
		return zero
	}
	values = slices.Sorted(slices.Values(values))
	return values[(len(values)-1)/2]
}
