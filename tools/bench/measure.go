//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// figures are what came of one row.
type figures struct {
	Product, Bare, Raw outcome // at full load; without requests where there is no such thing
	Half               outcome // the product at half of what it can, in an open loop
	DatabaseCPU        float64 // milliseconds a request of the product's
	Bytes              int     // of an answer's body
	Allocations        float64 // a request of the product's
	AllocatedKB        float64
}

// pace is how long and how often something is measured.
type pace struct {
	conns   int
	seconds float64
	rounds  int
}

// measure drives the product, the bare server and the raw loop in turn, and
// again, so that what else the machine does strikes them alike.
func measure(ctx context.Context, w *writer, e engine, r row, p pace) (figures, error) {
	var f figures
	said, err := look(w.addr, numbered(r.requests[0], newNumber()))
	if err != nil {
		return f, err
	}
	if said.Status != r.status {
		return f, fmt.Errorf("the product answers %d: %.300s", said.Status, said.Body)
	}
	f.Bytes = len(said.Body)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	job := load{Addr: w.addr, Requests: r.requests, Status: r.status, Conns: p.conns, Seconds: min(p.seconds, 0.3)}
	if _, err := drive(ctx, w.cmd.Process.Pid, job); err != nil { // warm
		return f, err
	}
	job.Seconds = p.seconds
	bare := job
	barePID := 0
	if r.full {
		cmd, a, err := startBare(ctx, said)
		if err != nil {
			return f, err
		}
		defer cmd.Wait()
		defer cancel()
		bare.Addr, barePID = a.Addr, cmd.Process.Pid
	}
	var product, bares, raws, halves []outcome
	database, n := 0.0, 0
	for range p.rounds {
		before := cpu(e.pid)
		o, err := drive(ctx, w.cmd.Process.Pid, job)
		if err != nil {
			return f, err
		}
		database, n = database+cpu(e.pid)-before, n+o.N
		product = append(product, o)
		if r.full {
			if o, err = drive(ctx, barePID, bare); err != nil {
				return f, fmt.Errorf("bare: %w", err)
			}
			bares = append(bares, o)
		}
		if r.raw != nil {
			loop := *r.raw
			loop.DatabaseURL, loop.Loops, loop.Seconds = w.databaseURL, p.conns, p.seconds
			if err := ask(ctx, serverCore, "raw", loop, &o); err != nil {
				return f, err
			}
			raws = append(raws, o)
		}
	}
	f.Product, f.Bare, f.Raw, f.DatabaseCPU = middle(product), middle(bares), middle(raws), database/max(1, float64(n))
	job.Rate = f.Product.Rate / 2
	for range (p.rounds + 1) / 2 {
		o, err := drive(ctx, w.cmd.Process.Pid, job)
		if err != nil {
			return f, err
		}
		halves = append(halves, o)
	}
	f.Half = middle(halves)
	return f, nil
}

// drive lets the load generator go, and notes what that cost the server.
func drive(ctx context.Context, pid int, job load) (outcome, error) {
	before := cpu(pid)
	var o outcome
	if err := ask(ctx, clientCore, "load", job, &o); err != nil {
		return o, err
	}
	all := 0
	for _, n := range o.Answers {
		all += n
	}
	o.CPU = (cpu(pid) - before) / max(1, float64(all))
	if all != o.Answers[job.Status] && job.Status != 0 {
		return o, fmt.Errorf("not all answers are %d: %v, such as %q", job.Status, o.Answers, o.Wrong)
	}
	return o, nil
}

// middle takes the median of each figure, and all the processor time by all the
// requests.
func middle(all []outcome) outcome {
	of := func(figure func(outcome) float64) float64 {
		var values []float64
		for _, o := range all {
			values = append(values, figure(o))
		}
		return median(values)
	}
	cpu, n := 0.0, 0
	for _, o := range all {
		cpu, n = cpu+o.CPU*float64(o.N), n+o.N
	}
	return outcome{
		N: n, CPU: cpu / max(1, float64(n)),
		Rate: of(func(o outcome) float64 { return o.Rate }),
		P50:  of(func(o outcome) float64 { return o.P50 }), P99: of(func(o outcome) float64 { return o.P99 }),
		P999: of(func(o outcome) float64 { return o.P999 }),
	}
}

func median[T cmp.Ordered](all []T) T {
	var none T
	if len(all) == 0 {
		return none
	}
	all = slices.Sorted(slices.Values(all))
	return all[(len(all)-1)/2]
}
