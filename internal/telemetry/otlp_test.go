package telemetry

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
)

var (
	traceID  = trace.TraceID{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	rootID   = trace.SpanID{1, 1, 1, 1, 1, 1, 1, 1}
	childID  = trace.SpanID{2, 2, 2, 2, 2, 2, 2, 2}
	began    = time.Unix(1_795_000_000, 1)
	finished = time.Unix(1_795_000_001, 2)
)

// TestMarshalSpans_OfficialDefinitions decodes spans with OpenTelemetry's generated messages.
func TestMarshalSpans_OfficialDefinitions(t *testing.T) {
	t.Parallel()
	state, err := trace.ParseTraceState("vendor=value")
	if err != nil {
		t.Fatal(err)
	}
	root := trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: rootID, TraceState: state})
	child := trace.NewSpanContext(trace.SpanContextConfig{TraceID: traceID, SpanID: childID})
	about := resource.NewSchemaless(attribute.String("service.name", "guestlist"), attribute.String("service.version", ""))
	scope := instrumentation.Scope{Name: "scope"}
	spans := tracetest.SpanStubs{
		{
			Name: "GET /users", SpanContext: root, SpanKind: trace.SpanKindServer, StartTime: began, EndTime: finished,
			Attributes: []attribute.KeyValue{attribute.Int("http.response.status_code", 503), attribute.Int("negative", -1), attribute.Bool("other", true)},
			Status:     sdk.Status{Code: codes.Error}, Resource: about, InstrumentationScope: scope,
		},
		{Name: "NextJob", SpanContext: child, Parent: root, SpanKind: trace.SpanKindClient, StartTime: began, EndTime: finished, Resource: about, InstrumentationScope: scope},
	}.Snapshots()

	start, end := uint64(1_795_000_000_000_000_001), uint64(1_795_000_001_000_000_002)
	want := &tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{
		Resource: &resourcepb.Resource{Attributes: []*commonpb.KeyValue{text("service.name", "guestlist"), text("service.version", "")}},
		ScopeSpans: []*tracepb.ScopeSpans{{
			Scope: &commonpb.InstrumentationScope{Name: "scope"},
			Spans: []*tracepb.Span{
				{
					TraceId: traceID[:], SpanId: rootID[:], TraceState: "vendor=value", Name: "GET /users", Kind: tracepb.Span_SPAN_KIND_SERVER,
					StartTimeUnixNano: start, EndTimeUnixNano: end,
					Attributes: []*commonpb.KeyValue{number("http.response.status_code", 503), number("negative", -1), text("other", "true")},
					Status:     &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR},
				},
				{
					TraceId: traceID[:], SpanId: childID[:], ParentSpanId: rootID[:], Name: "NextJob", Kind: tracepb.Span_SPAN_KIND_CLIENT,
					StartTimeUnixNano: start, EndTimeUnixNano: end,
				},
			},
		}},
	}}}
	var got tracepb.TracesData // has the wire format of an export request
	if err := proto.Unmarshal(marshalSpans(spans), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, &got, protocmp.Transform()); diff != "" {
		t.Errorf("decoded spans (-want +got):\n%s", diff)
	}
	if b := marshalSpans(nil); len(b) != 0 {
		t.Errorf("no spans are %x", b)
	}
}

func text(key, value string) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: value}}}
}

func number(key string, value int64) *commonpb.KeyValue {
	return &commonpb.KeyValue{Key: key, Value: &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: value}}}
}
