// Package telemetry tells whoever runs the program how it is doing: metrics for
// Prometheus (meters.go, and what is asked for at each scrape in gauges.go), on a
// listener with Go's profiles (handler.go), and traces for OpenTelemetry
// (traces.go), sent by OTLP (export.go, wire.go).
//
// It knows nothing of ours. The other packages have hooks that are nil by default,
// and the methods of a [Telemetry] fit these, so that nothing is measured, and
// nothing runs, where nobody looks. No person, address, token or path is in what it
// tells: routes and queries go by the names that the code has for them.
package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Options say what is to be told.
type Options struct {
	Metrics  bool
	Endpoint string            // of OTLP, without /v1/traces; empty: no traces
	Headers  map[string]string // with every request there
	Version  string            // of the program
	Now      func() time.Time
	Log      *slog.Logger // where traces can't be sent
}

// Telemetry is told what happens. Its methods may be called by many goroutines.
type Telemetry struct {
	meters *meters // nil: no metrics
	traces *traces // nil: no traces
}

// New returns nil where nothing is to be told; Log, Handler and Close are fine with that. Close it.
func New(o Options) (*Telemetry, error) {
	if !o.Metrics && o.Endpoint == "" {
		return nil, nil
	}
	t := &Telemetry{}
	if o.Metrics {
		t.meters = newMeters(o)
	}
	if o.Endpoint != "" {
		var err error
		if t.traces, err = newTraces(o); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Close sends the traces that were not sent yet, within a few seconds.
func (t *Telemetry) Close() {
	if t != nil && t.traces != nil {
		t.traces.close()
	}
}

// ObserveRequest is told of a request when it begins, and whether the trace that it says
// it belongs to is to be believed. It returns the context to answer it in, and whom
// to tell the route, empty where there is none, and the status.
func (t *Telemetry) ObserveRequest(r *http.Request, believed bool) (context.Context, func(route string, status int)) {
	begin := time.Now() // a stopwatch
	ctx, span := t.traces.request(r, believed)
	return ctx, func(route string, status int) {
		t.meters.request(route, status, time.Since(begin))
		endRequest(span, route, status)
	}
}

// ObserveQuery is told of a statement by its name, and returns whom to tell how it ended.
func (t *Telemetry) ObserveQuery(ctx context.Context, name string) func(error) {
	begin := time.Now() // a stopwatch
	span := t.traces.query(ctx, name)
	return func(err error) {
		t.meters.query(name, err != nil, time.Since(begin))
		endQuery(span, err != nil)
	}
}

// ObserveCall is told of a call to Stytch, and returns whom to tell the outcome.
func (t *Telemetry) ObserveCall(ctx context.Context, method string) func(outcome string) {
	begin := time.Now() // a stopwatch
	span := t.traces.call(ctx, method)
	return func(outcome string) {
		t.meters.call(method, outcome, time.Since(begin))
		endCall(span, outcome)
	}
}

// SignIn is told how a sign-in ended.
func (t *Telemetry) SignIn(outcome string) { t.meters.signIn(outcome) }
