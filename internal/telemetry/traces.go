package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// closeTimeout bounds how long the end of the program waits for the last traces.
const closeTimeout = 3 * time.Second

// scope is who says that it made the spans.
const scope = "github.com/guestlist/guestlist"

// traces makes spans: of a request, and in it of queries and calls. A nil one makes
// none. Names and attributes are OpenTelemetry's where it has some
// (https://opentelemetry.io/docs/specs/semconv/).
type traces struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

func newTraces(o Options) (*traces, error) {
	about, err := resource.New(context.Background(),
		resource.WithAttributes(attribute.String("service.name", "guestlist"), attribute.String("service.version", o.Version)),
		resource.WithTelemetrySDK(),
		resource.WithFromEnv(), // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES, which count before
	)
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdk.NewTracerProvider(sdk.WithResource(about), sdk.WithBatcher(newExporter(o)))
	return &traces{provider: provider, tracer: provider.Tracer(scope)}, nil
}

func (t *traces) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // what could not be sent is in the log
}

// request begins the span of a request. It has its name when the route is known.
func (t *traces) request(r *http.Request, believed bool) (context.Context, trace.Span) {
	ctx := r.Context()
	if t == nil {
		return ctx, nil
	}
	if believed {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	}
	method := r.Method
	if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, method) {
		method = "_OTHER" // a stranger's word
	}
	return t.tracer.Start(ctx, "HTTP", trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(attribute.String("http.request.method", method)))
}

func endRequest(span trace.Span, route string, status int) {
	if span == nil {
		return
	}
	if _, path, ok := strings.Cut(route, " "); ok {
		span.SetName(route)
		span.SetAttributes(attribute.String("http.route", path))
	}
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	end(span, status >= 500)
}

// query begins the span of a statement that is part of something: what the program
// looks for by itself every few seconds is no trace of its own.
func (t *traces) query(ctx context.Context, name string) trace.Span {
	if t == nil || !trace.SpanContextFromContext(ctx).IsValid() {
		return nil
	}
	_, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("db.query.summary", name)))
	return span
}

// endQuery leaves out what the database said of an error, which may hold an address.
func endQuery(span trace.Span, failed bool) {
	if span != nil {
		end(span, failed)
	}
}

// call begins the span of a call to Stytch. Stytch is told nothing of it.
func (t *traces) call(ctx context.Context, method string) trace.Span {
	if t == nil {
		return nil
	}
	_, span := t.tracer.Start(ctx, "Stytch: "+method, trace.WithSpanKind(trace.SpanKindClient))
	return span
}

func endCall(span trace.Span, outcome string) {
	if span == nil {
		return
	}
	span.SetAttributes(attribute.String("guestlist.outcome", outcome))
	end(span, outcome == "unavailable")
}

func end(span trace.Span, failed bool) {
	if failed {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
