package telemetry

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/protobuf/encoding/protowire"
)

// marshalSpans writes spans, which are of one provider and scope, as an
// ExportTraceServiceRequest. The numbers are those of the fields in
// https://github.com/open-telemetry/opentelemetry-proto, trace/v1/trace.proto.
func marshalSpans(spans []sdk.ReadOnlySpan) []byte {
	if len(spans) == 0 {
		return nil
	}
	return message(nil, 1, func(resourceSpans []byte) []byte {
		resourceSpans = message(resourceSpans, 1, func(resource []byte) []byte {
			return attributes(resource, 1, spans[0].Resource().Attributes())
		})
		return message(resourceSpans, 2, func(scopeSpans []byte) []byte {
			scopeSpans = message(scopeSpans, 1, func(scope []byte) []byte {
				return text(scope, 1, spans[0].InstrumentationScope().Name)
			})
			for _, s := range spans {
				scopeSpans = message(scopeSpans, 2, func(b []byte) []byte { return span(b, s) })
			}
			return scopeSpans
		})
	})
}

func span(b []byte, s sdk.ReadOnlySpan) []byte {
	own, parent := s.SpanContext(), s.Parent()
	traceID, spanID := own.TraceID(), own.SpanID()
	b = text(b, 1, string(traceID[:]))
	b = text(b, 2, string(spanID[:]))
	b = text(b, 3, own.TraceState().String())
	if parent.HasSpanID() {
		id := parent.SpanID()
		b = text(b, 4, string(id[:]))
	}
	b = text(b, 5, s.Name())
	b = number(b, 6, uint64(s.SpanKind())) // the numbers are the same
	b = at(b, 7, s.StartTime())
	b = at(b, 8, s.EndTime())
	b = attributes(b, 9, s.Attributes())
	if s.Status().Code == codes.Error {
		b = message(b, 15, func(status []byte) []byte { return number(status, 3, 2) }) // STATUS_CODE_ERROR
	}
	return b
}

func attributes(b []byte, field protowire.Number, all []attribute.KeyValue) []byte {
	for _, a := range all {
		b = message(b, field, func(pair []byte) []byte {
			pair = text(pair, 1, string(a.Key))
			return message(pair, 2, func(value []byte) []byte {
				if a.Value.Type() == attribute.INT64 {
					return number(value, 3, uint64(a.Value.AsInt64()))
				}
				return text(value, 1, a.Value.String())
			})
		})
	}
	return b
}

// message appends a message that fill writes.
func message(b []byte, field protowire.Number, fill func([]byte) []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), fill(nil))
}

// text appends a string or bytes, which look the same.
func text(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func number(b []byte, field protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
}

func at(b []byte, field protowire.Number, t time.Time) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), uint64(t.UnixNano()))
}
