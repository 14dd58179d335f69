package main

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/guestlist/guestlist/internal/testdb"
)

// collector is a receiver of traces.
type collector struct {
	url string

	mu    sync.Mutex
	spans []*tracepb.Span
	about string // the resource and the header
	raw   string
}

func newCollector(t testing.TB) *collector {
	c := &collector{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var data tracepb.TracesData // on the wire the same as a request
		if err == nil {
			err = proto.Unmarshal(body, &data)
		}
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || len(data.ProtoReflect().GetUnknown()) > 0 {
			t.Errorf("what is sent to %s can't be read: %v", r.URL.Path, err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.raw += string(body)
		for _, of := range data.ResourceSpans {
			c.about = of.Resource.String() + r.Header.Get("X-Team")
			for _, in := range of.ScopeSpans {
				c.spans = append(c.spans, in.Spans...)
			}
		}
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *collector) flag() string { return "--otel-exporter-otlp-endpoint=" + c.url }

// named returns the spans of a name.
func (c *collector) named(name string) []*tracepb.Span {
	var found []*tracepb.Span
	for _, s := range c.spans {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

const (
	strangersTrace = "0af7651916cd43dd8448eb211c80319c"
	strangersSpan  = "b7ad6b7169203331"
)

func TestATraceLeadsFromTheRequestToTheQueryAndToStytch(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	s := start(t, testdb.SQLite(t), newClock(noon), c.flag(), "--otel-exporter-otlp-headers=x-team=door")
	eventfulDay(t, s)
	log := s.log.String()
	s.close() // sends what is left

	find := func(name string) *tracepb.Span {
		t.Helper()
		found := c.named(name)
		if len(found) == 0 {
			t.Fatalf("no span %s", name)
		}
		return found[0]
	}
	request := find("POST /api/authenticate_magic_link")
	if request.Kind != tracepb.Span_SPAN_KIND_SERVER || len(request.ParentSpanId) != 0 || len(request.TraceId) != 16 || request.EndTimeUnixNano < request.StartTimeUnixNano {
		t.Errorf("the request is %v", request)
	}
	for _, name := range []string{"Stytch: authenticate magic link", "InsertSession"} {
		if span := find(name); string(span.TraceId) != string(request.TraceId) || string(span.ParentSpanId) != string(request.SpanId) || span.Kind != tracepb.Span_SPAN_KIND_CLIENT {
			t.Errorf("%s is not in the request: %v", name, span)
		}
	}
	if invite := find("Stytch: invite"); invite.GetStatus().GetCode() != tracepb.Status_STATUS_CODE_ERROR {
		t.Errorf("the call that could not be made is %v", invite)
	}
	if polled := c.named("NextJob"); len(polled) > 0 {
		t.Errorf("what nobody waits for is a trace: %v", polled[0])
	}
	if !strings.Contains(c.about, `"guestlist"`) || !strings.HasSuffix(c.about, "door") {
		t.Errorf("they are sent as %s", c.about)
	}
	line := regexp.MustCompile(`path=/api/authenticate_magic_link status=303 .*trace_id=` + hex.EncodeToString(request.TraceId))
	if !line.MatchString(log) {
		t.Errorf("the log does not name the trace %x", request.TraceId)
	}
	for _, secret := range append(s.log.secrets, "ada@", "grace@", "127.0.0.1", "Firefox", "nowhere") {
		if secret != "" && strings.Contains(c.raw, secret) {
			t.Errorf("the traces hold %q", secret)
		}
	}
}

func TestATraceIsGoneOnWithAtATrustedProxysWordAlone(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, proxies string
		believed      bool
	}{
		{"a trusted proxy's", "127.0.0.1", true},
		{"a stranger's", "none", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := newCollector(t)
			s := start(t, testdb.SQLite(t), newClock(noon), c.flag(), "--guestlist-trusted-proxies="+row.proxies)
			r := newcomer(s).request("GET", s.url+"/healthz", nil)
			r.Header.Set("Traceparent", "00-"+strangersTrace+"-"+strangersSpan+"-01")
			newcomer(s).only(r)
			s.close()
			found := c.named("GET /healthz")
			if len(found) != 1 {
				t.Fatalf("%d spans", len(found))
			}
			if got := hex.EncodeToString(found[0].TraceId) == strangersTrace && hex.EncodeToString(found[0].ParentSpanId) == strangersSpan; got != row.believed {
				t.Errorf("the trace is %x, its parent %x", found[0].TraceId, found[0].ParentSpanId)
			}
		})
	}
}

func TestTracesThatNobodyTakesDoNoHarm(t *testing.T) {
	t.Parallel()
	down := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(down.Close)
	s := start(t, testdb.SQLite(t), newClock(noon), "--otel-exporter-otlp-endpoint="+down.URL)
	wants(t, s.person("ada@example.com").signsIn(), 200, "People")
	s.close()
	if log := s.log.String(); strings.Count(log, "traces could not be sent") != 1 {
		t.Errorf("the log says it more or less than once:\n%s", log)
	}
}
