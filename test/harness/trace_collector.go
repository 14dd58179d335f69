package harness

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// TraceCollector receives traces by OTLP.
type TraceCollector struct {
	url string

	mu    sync.Mutex
	spans []*tracepb.Span
	About string // the resource, and the header X-Team
	Raw   string // all bodies
}

// NewTraceCollector starts a collector.
func NewTraceCollector(t testing.TB) *TraceCollector {
	c := &TraceCollector{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var data tracepb.TracesData // has the wire format of an export request
		if err == nil {
			err = proto.Unmarshal(body, &data)
		}
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || len(data.ProtoReflect().GetUnknown()) > 0 {
			t.Errorf("%s: invalid export: %v", r.URL.Path, err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.Raw += string(body)
		for _, of := range data.ResourceSpans {
			c.About = of.Resource.String() + r.Header.Get("X-Team")
			for _, in := range of.ScopeSpans {
				c.spans = append(c.spans, in.Spans...)
			}
		}
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// Flag returns the flag that makes an instance send its traces here.
func (c *TraceCollector) Flag() string { return "--otel-exporter-otlp-endpoint=" + c.url }

// SpansNamed returns the received spans with a name.
func (c *TraceCollector) SpansNamed(name string) []*tracepb.Span {
	var found []*tracepb.Span
	for _, s := range c.spans {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}
