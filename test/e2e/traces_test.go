package e2e

import (
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

const (
	clientTrace = "0af7651916cd43dd8448eb211c80319c"
	clientSpan  = "b7ad6b7169203331"
)

func TestTraces_RequestQueriesAndStytch(t *testing.T) {
	t.Parallel()
	c := harness.NewTraceCollector(t)
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), c.Flag(), "--otel-exporter-otlp-headers=x-team=door")
	eventfulDay(t, s)
	log := s.Log.String()
	s.Close() // sends the remaining spans

	find := func(name string) *tracepb.Span {
		t.Helper()
		found := c.SpansNamed(name)
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
	if polled := c.SpansNamed("NextJob"); len(polled) > 0 {
		t.Errorf("background polling was traced: %v", polled[0])
	}
	if !strings.Contains(c.About, `"guestlist"`) || !strings.HasSuffix(c.About, "door") {
		t.Errorf("they are sent as %s", c.About)
	}
	line := regexp.MustCompile(`path=/api/authenticate_magic_link status=303 .*trace_id=` + hex.EncodeToString(request.TraceId))
	if !line.MatchString(log) {
		t.Errorf("the log does not name the trace %x", request.TraceId)
	}
	for _, secret := range append(s.Log.Secrets, "ada@", "grace@", "127.0.0.1", "Firefox", "nowhere") {
		if secret != "" && strings.Contains(c.Raw, secret) {
			t.Errorf("the traces hold %q", secret)
		}
	}
}

func TestTraces_ParentFromATrustedProxyOnly(t *testing.T) {
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
			c := harness.NewTraceCollector(t)
			s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), c.Flag(), "--guestlist-trusted-proxies="+row.proxies)
			r := harness.NewVisitor(s).NewRequest("GET", s.URL+"/healthz", nil)
			r.Header.Set("Traceparent", "00-"+clientTrace+"-"+clientSpan+"-01")
			harness.NewVisitor(s).DoOnce(r)
			s.Close()
			found := c.SpansNamed("GET /healthz")
			if len(found) != 1 {
				t.Fatalf("%d spans", len(found))
			}
			if got := hex.EncodeToString(found[0].TraceId) == clientTrace && hex.EncodeToString(found[0].ParentSpanId) == clientSpan; got != row.believed {
				t.Errorf("the trace is %x, its parent %x", found[0].TraceId, found[0].ParentSpanId)
			}
		})
	}
}

func TestTraces_CollectorUnavailable(t *testing.T) {
	t.Parallel()
	down := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(down.Close)
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--otel-exporter-otlp-endpoint="+down.URL)
	harness.WantPage(t, s.NewPerson("ada@example.com").SignIn(), 200, "My apps", "People")
	s.Close()
	if log := s.Log.String(); strings.Count(log, "traces could not be sent") != 1 {
		t.Errorf("the log says it more or less than once:\n%s", log)
	}
}
