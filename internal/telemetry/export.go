package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// exporter sends spans by OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/). Spans
// that can't be delivered are dropped. The SDK's own exporter would add 5 MB of gRPC
// (docs/decisions/0017).
type exporter struct {
	url     string
	headers map[string]string
	client  *http.Client
	log     *slog.Logger
	failing atomic.Bool
}

func newExporter(o Options) *exporter {
	return &exporter{
		url:     strings.TrimSuffix(o.Endpoint, "/") + "/v1/traces",
		headers: o.Headers,
		log:     o.Log,
		client: &http.Client{
			Timeout:       10 * time.Second,                                                              // the specification's default
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the headers may be secret
		},
	}
}

// ExportSpans implements sdk.SpanExporter. It logs the first of consecutive failures.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := e.send(ctx, marshalSpans(spans))
	switch {
	case err == nil && e.failing.Swap(false):
		e.log.Info("traces are sent again")
	case err != nil && !e.failing.Swap(true):
		e.log.Warn("traces could not be sent and are dropped", "error", err)
	}
	return nil
}

func (e *exporter) send(ctx context.Context, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	for name, value := range e.headers {
		r.Header.Set(name, value)
	}
	response, err := e.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)) // so that the connection can be reused
	if response.StatusCode >= 300 {
		return fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT answered %s", response.Status)
	}
	return nil
}

// Shutdown implements sdk.SpanExporter.
func (e *exporter) Shutdown(context.Context) error {
	e.client.CloseIdleConnections()
	return nil
}
