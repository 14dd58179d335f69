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

// closeTimeout bounds the export of the last traces at shutdown.
const closeTimeout = 3 * time.Second

// traces creates a span for each request, and within it for queries and calls to Stytch. A
// nil traces creates none. Names and attributes follow OpenTelemetry's conventions where
// there are any (https://opentelemetry.io/docs/specs/semconv/).
type traces struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

func newTraces(o Options) (*traces, error) {
	about, err := resource.New(context.Background(),
		resource.WithAttributes(attribute.String("service.name", "guestlist"), attribute.String("service.version", o.Version)),
		resource.WithTelemetrySDK(),
		resource.WithFromEnv(), // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES take precedence
	)
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	provider := sdk.NewTracerProvider(sdk.WithResource(about), sdk.WithBatcher(newExporter(o)))
	return &traces{provider, provider.Tracer("github.com/guestlist/guestlist")}, nil
}

func (t *traces) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = t.provider.Shutdown(ctx) // the exporter logs failures
}

// request starts the span of a request. endRequest names it after the route.
func (t *traces) request(r *http.Request, trusted bool) (context.Context, trace.Span) {
	ctx := r.Context()
	if t == nil {
		return ctx, nil
	}
	if trusted {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	}
	method := r.Method
	if !slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, method) {
		method = "_OTHER" // clients can send any method
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
	end(span, status >= 500, attribute.Int("http.response.status_code", status))
}

// query starts the span of a query within another span. Background polling has no span
// around it and isn't traced.
func (t *traces) query(ctx context.Context, name string) trace.Span {
	if t == nil || !trace.SpanContextFromContext(ctx).IsValid() {
		return nil
	}
	_, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("db.query.summary", name)))
	return span
}

// call starts the span of a call to Stytch. The trace id isn't sent to Stytch.
func (t *traces) call(ctx context.Context, method string) trace.Span {
	if t == nil {
		return nil
	}
	_, span := t.tracer.Start(ctx, "Stytch: "+method, trace.WithSpanKind(trace.SpanKindClient))
	return span
}

// end ends a span, which may be nil.
func end(span trace.Span, failed bool, attributes ...attribute.KeyValue) {
	if span == nil {
		return
	}
	span.SetAttributes(attributes...)
	if failed {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
