//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// pressure is what becomes of ten times the load that the product can carry, on
// two thousand connections.
type pressure struct {
	outcome
	Best      float64 // the good answers a second that it can give
	MostMB    float64 // the most memory there was
	Others    int     // answers that were neither good nor a 503 with Retry-After
	RecoverMS float64 // from the end of the load to an answer as quick as any
}

// soon is how quick an answer is when nothing else is asked.
const soon = 100 * time.Millisecond

// press asks for the list.
func press(ctx context.Context, w *writer, best, seconds float64) (pressure, error) {
	p := pressure{Best: best}
	job := load{
		Addr: w.addr, Requests: w.get("/api/users?sort=name"), Status: http.StatusOK,
		Conns: 2000, Rate: best * 10, Seconds: seconds,
	}
	ended := make(chan error, 1)
	go func() { ended <- ask(ctx, clientCore, "load", job, &p.outcome) }()
	for over := false; !over; {
		select {
		case err := <-ended:
			if err != nil {
				return p, err
			}
			over = true
		case <-time.After(50 * time.Millisecond):
		}
		p.MostMB = max(p.MostMB, resident(w.cmd.Process.Pid))
	}
	p.Others = -p.RetryAfter
	for status, n := range p.Answers {
		if status != job.Status {
			p.Others += n
		}
	}
	for begin := time.Now(); ; {
		asked := time.Now()
		a, err := look(w.addr, job.Requests[0])
		if err == nil && a.Status == job.Status && time.Since(asked) < soon {
			p.RecoverMS = time.Since(begin).Seconds() * 1000
			return p, nil
		}
		if time.Since(begin) > time.Minute {
			return p, fmt.Errorf("no quick answer a minute after the pressure: %d, %w", a.Status, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (p pressure) String() string {
	return fmt.Sprintf("Ten times the load on 2,000 connections: %.0f good answers a second of %.0f at best, p99 %.0f ms; %d refused with "+
		"Retry-After, p99 %.0f ms; %d other answers; most memory %.0f MB; a quick answer again after %.0f ms.",
		p.Rate, p.Best, p.P99, p.RetryAfter, p.RefusedP99, p.Others, p.MostMB, p.RecoverMS)
}

func (p pressure) bars(where string) []bar {
	where += "ten times the load, "
	return []bar{
		{where + "good answers by the best", p.Rate / p.Best, 0.8, false},
		{where + "answers that are neither good nor 503 with Retry-After", float64(p.Others), 0, true},
		{where + "until it recovers, ms", p.RecoverMS, 2000, true},
	}
}
