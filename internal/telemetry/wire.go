package telemetry

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/protobuf/encoding/protowire"
)

// marshalSpans encodes spans of one provider and scope as an ExportTraceServiceRequest.
// Field numbers are those of trace/v1/trace.proto in
// https://github.com/open-telemetry/opentelemetry-proto. The generated messages would add
// 1.7 MB to the program (docs/decisions/0017); the tests decode with them.
func marshalSpans(spans []sdk.ReadOnlySpan) []byte {
	if len(spans) == 0 {
		return nil
	}
	return appendMessage(nil, 1, func(resourceSpans []byte) []byte {
		resourceSpans = appendMessage(resourceSpans, 1, func(resource []byte) []byte {
			return appendAttributes(resource, 1, spans[0].Resource().Attributes())
		})
		return appendMessage(resourceSpans, 2, func(scopeSpans []byte) []byte {
			scopeSpans = appendMessage(scopeSpans, 1, func(scope []byte) []byte {
				return appendText(scope, 1, spans[0].InstrumentationScope().Name)
			})
			for _, s := range spans {
				scopeSpans = appendMessage(scopeSpans, 2, func(b []byte) []byte { return appendSpan(b, s) })
			}
			return scopeSpans
		})
	})
}

func appendSpan(b []byte, s sdk.ReadOnlySpan) []byte {
	own := s.SpanContext()
	traceID := own.TraceID()
	spanID := own.SpanID()
	b = appendText(b, 1, string(traceID[:]))
	b = appendText(b, 2, string(spanID[:]))
	b = appendText(b, 3, own.TraceState().String())
	if parent := s.Parent().SpanID(); parent.IsValid() {
		b = appendText(b, 4, string(parent[:]))
	}
	b = appendText(b, 5, s.Name())
	b = appendNumber(b, 6, uint64(s.SpanKind())) // the numbers are the same
	b = appendTime(b, 7, s.StartTime())
	b = appendTime(b, 8, s.EndTime())
	b = appendAttributes(b, 9, s.Attributes())
	if s.Status().Code == codes.Error {
		b = appendMessage(b, 15, func(status []byte) []byte { return appendNumber(status, 3, 2) }) // STATUS_CODE_ERROR
	}
	return b
}

func appendAttributes(b []byte, field protowire.Number, all []attribute.KeyValue) []byte {
	for _, a := range all {
		b = appendMessage(b, field, func(pair []byte) []byte {
			pair = appendText(pair, 1, string(a.Key))
			return appendMessage(pair, 2, func(value []byte) []byte {
				if a.Value.Type() == attribute.INT64 {
					return appendNumber(value, 3, uint64(a.Value.AsInt64()))
				}
				return appendText(value, 1, a.Value.String())
			})
		})
	}
	return b
}

// appendMessage appends a message whose content fill appends.
func appendMessage(b []byte, field protowire.Number, fill func([]byte) []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), fill(nil))
}

// appendText appends a string or bytes, which have one encoding.
func appendText(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func appendNumber(b []byte, field protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
}

func appendTime(b []byte, field protowire.Number, t time.Time) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), uint64(t.UnixNano()))
}
