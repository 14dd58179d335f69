// Package telemetry exports metrics for Prometheus (meters.go, gauges.go) on a listener of
// their own (handler.go), and traces for OpenTelemetry (traces.go) by OTLP (export.go,
// otlp.go).
//
// It imports no other package of the program. Those have observer hooks that are nil by
// default and match the methods of [Telemetry], so nothing is measured unless it is
// enabled. Labels and span names come from the code: route patterns, query names and
// methods. No user, address, token or path is exported.
package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// Options configure New.
type Options struct {
	Metrics  bool
	Endpoint string            // OTLP base URL, without /v1/traces; "" disables traces
	Headers  map[string]string // sent with every OTLP request; may be nil
	Version  string            // of the program
	Now      func() time.Time
	Log      *slog.Logger // for failed exports
}

// Telemetry records metrics and traces. It is safe for concurrent use.
type Telemetry struct {
	meters *meters // nil disables metrics
	traces *traces // nil disables traces
}

// New returns nil if metrics and traces are disabled; Log, Handler and Close accept a nil
// Telemetry. The caller must close it.
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

// Close sends pending traces, within a few seconds.
func (t *Telemetry) Close() {
	if t != nil && t.traces != nil {
		t.traces.close()
	}
}

// ObserveRequest is called when a request begins. trusted reports whether its traceparent
// header may be used. It returns the context for the handler, and a function to call at the
// end with the route ("" if none matched) and the status.
func (t *Telemetry) ObserveRequest(r *http.Request, trusted bool) (context.Context, func(route string, status int)) {
	begin := time.Now() // not Options.Now, whose time may stand still
	ctx, span := t.traces.request(r, trusted)
	return ctx, func(route string, status int) {
		t.meters.request(route, status, time.Since(begin))
		endRequest(span, route, status)
	}
}

// ObserveQuery is called when a named query begins. It returns a function to call with its
// error.
func (t *Telemetry) ObserveQuery(ctx context.Context, name string) func(error) {
	begin := time.Now()
	span := t.traces.query(ctx, name)
	return func(err error) {
		t.meters.query(name, err != nil, time.Since(begin))
		end(span, err != nil) // without the error, which may contain an address
	}
}

// ObserveCall is called when a call to Stytch begins. It returns a function to call with
// its outcome.
func (t *Telemetry) ObserveCall(ctx context.Context, method string) func(outcome string) {
	begin := time.Now()
	span := t.traces.call(ctx, method)
	return func(outcome string) {
		t.meters.call(method, outcome, time.Since(begin))
		end(span, outcome == "unavailable", attribute.String("guestlist.outcome", outcome))
	}
}

// SignIn counts a finished sign-in.
func (t *Telemetry) SignIn(outcome string) { t.meters.signIn(outcome) }

// TokenRequest counts a token request of an OpenID Connect client.
func (t *Telemetry) TokenRequest(grant, result string) { t.meters.tokenRequest(grant, result) }
