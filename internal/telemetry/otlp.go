package telemetry

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/protobuf/encoding/protowire"
)

// marshalSpans encodes spans of one provider and scope as an ExportTraceServiceRequest in
// protobuf. The numbers of the fields are those of
// https://github.com/open-telemetry/opentelemetry-proto/tree/v1.11.0/opentelemetry/proto; the
// generated messages would link protobuf's reflection (docs/decisions/0064).
func marshalSpans(spans []sdk.ReadOnlySpan) []byte {
	if len(spans) == 0 {
		return nil
	}
	scope := appendString(nil, 1, spans[0].InstrumentationScope().Name)
	scopeSpans := appendBytes(nil, 1, scope)
	for _, s := range spans {
		scopeSpans = appendBytes(scopeSpans, 2, marshalSpan(s))
	}
	resource := appendAttributes(nil, 1, spans[0].Resource().Attributes())
	resourceSpans := appendBytes(nil, 1, resource)
	resourceSpans = appendBytes(resourceSpans, 2, scopeSpans)
	return appendBytes(nil, 1, resourceSpans)
}

// marshalSpan encodes a Span.
func marshalSpan(s sdk.ReadOnlySpan) []byte {
	traceID := s.SpanContext().TraceID()
	spanID := s.SpanContext().SpanID()
	b := appendBytes(nil, 1, traceID[:])
	b = appendBytes(b, 2, spanID[:])
	b = appendString(b, 3, s.SpanContext().TraceState().String())
	if parent := s.Parent().SpanID(); parent.IsValid() {
		b = appendBytes(b, 4, parent[:])
	}
	b = appendString(b, 5, s.Name())
	b = appendInt(b, 6, int64(s.SpanKind())) // the numbers are the same
	b = appendFixed64(b, 7, uint64(s.StartTime().UnixNano()))
	b = appendFixed64(b, 8, uint64(s.EndTime().UnixNano()))
	b = appendAttributes(b, 9, s.Attributes())
	if s.Status().Code == codes.Error {
		const statusCodeError = 2
		b = appendBytes(b, 15, appendInt(nil, 3, statusCodeError))
	}
	return b
}

// appendAttributes appends a repeated KeyValue.
func appendAttributes(b []byte, field protowire.Number, attributes []attribute.KeyValue) []byte {
	for _, a := range attributes {
		var value []byte
		if a.Value.Type() == attribute.INT64 {
			value = appendInt(nil, 3, a.Value.AsInt64())
		} else {
			value = appendString(nil, 1, a.Value.String())
		}
		b = appendBytes(b, field, appendBytes(appendString(nil, 1, string(a.Key)), 2, value))
	}
	return b
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func appendString(b []byte, field protowire.Number, v string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func appendInt(b []byte, field protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), uint64(v))
}

func appendFixed64(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), v)
}
