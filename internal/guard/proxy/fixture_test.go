package proxy_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/guard/proxy"
	"github.com/guestlist/guestlist/internal/httpserver"
)

// site is an application behind a proxy. Its listener has limits much shorter than a
// stream, so that every test shows that they don't apply.
type site struct {
	t      *testing.T
	proxy  *proxy.Proxy
	target proxy.Target
	url    string // of the proxy's listener
	addr   string
	log    *safeBuffer
}

// options are what a test changes.
type options struct {
	proxy.Options
	target proxy.Target
}

func start(t *testing.T, app http.HandlerFunc, changes ...func(*options)) *site {
	t.Helper()
	upstream := httptest.NewServer(app)
	t.Cleanup(upstream.CloseClientConnections)
	t.Cleanup(upstream.Close)
	return startAt(t, upstream.URL, changes...)
}

// startAt starts a proxy for an upstream that runs already, or doesn't.
func startAt(t *testing.T, upstream string, changes ...func(*options)) *site {
	t.Helper()
	s := &site{t: t, log: &safeBuffer{}}
	o := options{
		Options: proxy.Options{
			ClientIP: func(*http.Request) string { return "203.0.113.9" },
			Cookies:  []string{"__Host-guestlist", "__Host-guestlist-known", "__Host-guestlist-app", "guestlist-app"},
			Timeouts: proxy.DefaultTimeouts, Installation: "people.example.com",
			Log: slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelInfo})),
		},
		target: proxy.Target{
			Name: "Wiki", URL: parse(t, "https://wiki.example.com"), Upstream: parse(t, upstream),
			Identity: http.Header{"Remote-User": {"ada"}, "X-Guestlist-Jwt": {"signed"}},
		},
	}
	for _, change := range changes {
		change(&o)
	}
	s.target, s.proxy = o.target, proxy.New(o.Options)
	server := httpserver.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.proxy.Serve(w, r, s.target) }), o.Log)
	server.ReadTimeout, server.WriteTimeout = 100*time.Millisecond, 100*time.Millisecond
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = listener.Addr().String()
	s.url = "http://" + s.addr
	go server.Serve(listener)
	t.Cleanup(func() {
		s.proxy.Close()
		server.Close()
	})
	return s
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// client is a browser without cookies that uses a connection again and follows no redirects.
func (s *site) client() *http.Client {
	transport := &http.Transport{DisableCompression: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	body string
}

func (s *site) do(method, path string, headers http.Header, body io.Reader) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	maps.Copy(r.Header, headers)
	res, err := s.client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{res, string(text)}
}

// raw sends text on a connection of its own and returns the first response.
func (s *site) raw(text string) (*http.Response, error) {
	conn, reader := s.dial()
	if _, err := io.WriteString(conn, strings.ReplaceAll(text, "\n", "\r\n")); err != nil {
		s.t.Fatal(err)
	}
	return http.ReadResponse(reader, nil)
}

func (s *site) dial() (net.Conn, *bufio.Reader) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	return conn, bufio.NewReader(conn)
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, seen func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !seen() {
		select {
		case <-ctx.Done():
			t.Fatalf("never seen: %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// safeBuffer is a log.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
