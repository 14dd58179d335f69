package telemetry

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// Log returns a logger that adds the id of the trace to each line that belongs to
// one; log itself where there are no traces.
func (t *Telemetry) Log(log *slog.Logger) *slog.Logger {
	if t == nil || t.traces == nil {
		return log
	}
	return slog.New(traced{log.Handler()})
}

type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if in := trace.SpanContextFromContext(ctx); in.HasTraceID() {
		r = r.Clone()
		r.AddAttrs(slog.String("trace_id", in.TraceID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(attrs)} }

func (h traced) WithGroup(name string) slog.Handler { return traced{h.Handler.WithGroup(name)} }
