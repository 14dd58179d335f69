//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// overload is the product's behavior at ten times the load it can handle, on 2,000 connections.
type overload struct {
	outcome
	BestRate  float64 // good responses per second without overload
	MaxMB     float64 // peak of resident memory
	Others    int     // responses that were neither good nor a 503 with Retry-After
	RecoverMS float64 // from the end of the load to the first quick response
}

// quickResponse is the longest time of a response without other load.
const quickResponse = 100 * time.Millisecond

// measureOverload requests a list page at ten times bestRate.
func measureOverload(ctx context.Context, g *target, bestRate, seconds float64) (overload, error) {
	v := overload{BestRate: bestRate}
	job := loadJob{
		Addr: g.addr, Requests: g.get("/api/users?sort=name"), Status: http.StatusOK,
		Conns: 2000, Rate: bestRate * 10, Seconds: seconds,
	}
	ended := make(chan error, 1)
	go func() { ended <- runRole(ctx, clientCore, "load", job, &v.outcome) }()
	for running := true; running; {
		select {
		case err := <-ended:
			if err != nil {
				return v, err
			}
			running = false
		case <-time.After(50 * time.Millisecond):
		}
		v.MaxMB = max(v.MaxMB, resident(g.pid()))
	}
	v.Others = -v.RetryAfter
	for status, n := range v.Responses {
		if status != job.Status {
			v.Others += n
		}
	}
	for begin := time.Now(); ; {
		sent := time.Now()
		resp, err := fetch(g.addr, job.Requests[0])
		if err == nil && resp.Status == job.Status && time.Since(sent) < quickResponse {
			v.RecoverMS = time.Since(begin).Seconds() * 1000
			return v, nil
		}
		if time.Since(begin) > time.Minute {
			return v, fmt.Errorf("no quick response a minute after the overload: status %d, %w", resp.Status, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (v overload) String() string {
	return fmt.Sprintf("Ten times the load on 2,000 connections: %.0f good responses per second (%.0f without overload), p99 %.0f ms; %d refused with "+
		"Retry-After, p99 %.0f ms; %d other responses; peak memory %.0f MB; quick responses again after %.0f ms.",
		v.Rate, v.BestRate, v.P99, v.RetryAfter, v.RefusedP99, v.Others, v.MaxMB, v.RecoverMS)
}

func (v overload) goals(prefix string) []goal {
	prefix += "ten times the load, "
	return []goal{
		{prefix + "good responses, of the rate without overload", v.Rate / v.BestRate, 0.8, false},
		{prefix + "responses that are neither good nor 503 with Retry-After", float64(v.Others), 0, true},
		{prefix + "recovery, ms", v.RecoverMS, 2000, true},
	}
}
