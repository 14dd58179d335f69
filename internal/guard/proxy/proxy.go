// Package proxy passes requests to the web application behind Guestlist. The caller has
// checked each request and says which application it is for and which identity it carries.
//
// Requests and responses are streamed in both directions, without a limit on their size or
// duration. A connection ends when its peer makes no progress for Timeouts.Idle, and a
// response or a WebSocket ends soon after the user has lost access (see stream.go).
//
// The application sees the visitor's request with these differences: headers and cookies
// that belong to Guestlist are removed, and the headers that describe the client are set
// (see headers.go).
package proxy

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"
)

// Timeouts are the limits of New that tests shorten. Nothing limits the duration of a body.
type Timeouts struct {
	Response time.Duration // from the end of the request to the response's headers
	Idle     time.Duration // without progress, while a visitor's connection is read or written
	Recheck  time.Duration // how often an open response or WebSocket is checked
}

// DefaultTimeouts leave time for long polls, which take about a minute. With a check of one
// query every 15 seconds, 1,000 open WebSockets cost 67 queries a second.
var DefaultTimeouts = Timeouts{Response: 2 * time.Minute, Idle: 2 * time.Minute, Recheck: 15 * time.Second}

const (
	dialTimeout = 10 * time.Second
	tlsTimeout  = 10 * time.Second
	// Shorter than the 2 to 5 seconds after which common application servers close an idle
	// connection: a POST on a connection that the server is closing can't be repeated.
	keepAliveTimeout = 1500 * time.Millisecond
)

// flushInterval is how long a part of a response may wait for more. Responses of unknown
// length and event streams don't wait.
const flushInterval = 100 * time.Millisecond

const (
	maxIdlePerUpstream = 64
	copyBufferSize     = 32 << 10
)

// Options are the dependencies and settings of New.
type Options struct {
	// ClientIP returns the address that a request came from, or "" if it is unknown.
	ClientIP func(*http.Request) string
	// Cookies are the names of Guestlist's own cookies. Applications neither see nor set them.
	Cookies []string
	// Installation distinguishes this installation from other Guestlists in CDN-Loop. It
	// consists of letters, digits, dots and dashes.
	Installation string
	// Refuse returns an error for addresses that must not be connected to in addition to
	// those of netutil.IsMetadata, such as Guestlist's own listeners. It may be nil.
	Refuse func(netip.AddrPort) error
	// WriteError answers a request that could not be passed on. It may be nil, in which case
	// a plain page or JSON is written.
	WriteError func(w http.ResponseWriter, r *http.Request, p Problem)
	Timeouts   Timeouts
	Log        *slog.Logger
}

// Target says where a request goes and what it carries.
type Target struct {
	Name     string      // of the application, for messages
	URL      *url.URL    // address of the application as visitors see it: scheme and host
	Upstream *url.URL    // scheme and host to send requests to
	Identity http.Header // headers to set; nil for a visitor who is not signed in

	// Recheck reports whether the visitor may still use the application. It is called
	// every Timeouts.Recheck while a response or a WebSocket is open. An error means that
	// this is unknown at the moment. It may be nil, in which case nothing is checked.
	Recheck func(context.Context) (bool, error)
}

// Proxy passes requests to upstreams. It is safe for concurrent use.
type Proxy struct {
	opts      Options
	cookies   map[string]bool // names in lower case
	loopID    string          // our entry in CDN-Loop
	reverse   *httputil.ReverseProxy
	transport *http.Transport

	tunnels atomic.Int64 // open ones

	mu      sync.Mutex
	streams map[*stream]bool
	closed  bool
}

// New returns a Proxy.
func New(o Options) *Proxy {
	p := &Proxy{opts: o, cookies: map[string]bool{}, loopID: "guestlist-" + o.Installation, streams: map[*stream]bool{}}
	for _, name := range o.Cookies {
		p.cookies[strings.ToLower(name)] = true
	}
	p.transport = p.newTransport()
	p.reverse = &httputil.ReverseProxy{
		Rewrite: p.rewrite, Transport: p.transport, BufferPool: bufferPool{}, FlushInterval: flushInterval,
		ModifyResponse: p.modifyResponse, ErrorHandler: p.handleError,
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	return p
}

// exchange is a request in progress.
type exchange struct {
	target   Target
	request  *http.Request // as it arrived
	response *responseWriter
	body     *requestBody // nil without a body
	stream   *stream
	clientIP string
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	return ctx.Value(exchangeKey{}).(*exchange)
}

// Serve passes a request to the target and writes its response. The caller must not have
// set response headers, because they would be added to those of the application.
func (p *Proxy) Serve(w http.ResponseWriter, r *http.Request, t Target) {
	if problem, ok := p.refuse(r, t); ok {
		p.writeError(w, r, problem)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	e := &exchange{target: t, request: r, clientIP: p.opts.ClientIP(r)}
	e.response = newResponseWriter(w, p)
	e.stream = p.openStream(t, cancel)
	if e.stream == nil { // shutting down
		p.writeError(w, r, problemShutdown)
		return
	}
	defer e.stream.endExchange()
	out := r.WithContext(context.WithValue(ctx, exchangeKey{}, e))
	if r.Body != nil && r.Body != http.NoBody {
		e.body = &requestBody{ReadCloser: r.Body, control: e.response.control, timeout: p.opts.Timeouts.Idle}
		out.Body = e.body
	}
	defer e.response.finish()
	p.reverse.ServeHTTP(e.response, out)
}

// refuse returns the problem with a request that must not be passed on.
func (p *Proxy) refuse(r *http.Request, t Target) (Problem, bool) {
	switch {
	case r.Method == http.MethodConnect || r.Method == http.MethodTrace: // TRACE would show the identity headers to scripts
		return problemMethod, true
	case !strings.HasPrefix(r.URL.Path, "/"), !isASCII(r.Header.Get("Upgrade")):
		return problemMalformed, true
	case p.isLoop(r.Header):
		return problemLoop(t), true
	}
	return Problem{}, false
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

// rewrite turns a visitor's request into the one for the upstream.
func (p *Proxy) rewrite(pr *httputil.ProxyRequest) {
	e := exchangeOf(pr.In.Context())
	out := pr.Out
	out.URL.Scheme, out.URL.Host = e.target.Upstream.Scheme, e.target.Upstream.Host
	out.URL.RawQuery = pr.In.URL.RawQuery // ReverseProxy has removed what Go can't parse
	out.URL.User, out.URL.Opaque, out.URL.Fragment = nil, "", ""
	out.Host = e.target.URL.Host
	out.Trailer = nil // headers in trailers would escape removal
	if !isWebSocket(out) {
		out.Header.Del("Connection")
		out.Header.Del("Upgrade") // h2c would let the visitor send requests that aren't checked
	}
	p.removeOwn(out.Header)
	setForwarded(out.Header, e.target.URL, e.clientIP)
	out.Header.Add("Cdn-Loop", p.loopID)
	for name, values := range e.target.Identity {
		out.Header[name] = values
	}
}

// isWebSocket reports whether a request opens a WebSocket, after ReverseProxy has reduced
// Connection to "Upgrade" or nothing.
func isWebSocket(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket") && r.ContentLength == 0
}

func (p *Proxy) modifyResponse(res *http.Response) error {
	p.removeOwnSetCookies(res.Header)
	if isEventStream(res.Header) {
		exchangeOf(res.Request.Context()).stream.markLasting()
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		return nil
	}
	return p.openTunnel(exchangeOf(res.Request.Context()), res)
}

func isEventStream(h http.Header) bool {
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "text/event-stream")
}

// handleError answers a request that failed before the upstream's response began.
func (p *Proxy) handleError(_ http.ResponseWriter, out *http.Request, err error) {
	e := exchangeOf(out.Context())
	isStalled := e.body != nil && e.body.stalled()
	switch {
	case errors.Is(err, errTunnelOpen):
		return
	case e.stream.ended(), e.request.Context().Err() != nil && !isStalled: // the visitor may not have the answer, or is gone
		panic(http.ErrAbortHandler)
	}
	problem := problemOf(err, e)
	if problem.Status >= http.StatusInternalServerError {
		p.opts.Log.Warn("an app didn't answer", "component", "proxy", "app", e.target.URL.Host, "upstream", e.target.Upstream.Host, "status", problem.Status, "error", err)
	}
	p.writeError(e.response, e.request, problem)
}

// EndStreams ends open WebSockets and event streams, and lets other responses finish.
func (p *Proxy) EndStreams() {
	for _, s := range p.open() {
		if s.lasting() {
			s.end()
		}
	}
}

// Close ends all open responses and WebSockets. Later requests are refused.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	for _, s := range p.open() {
		s.end()
	}
	p.transport.CloseIdleConnections()
}

func (p *Proxy) open() []*stream {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.streams))
}

// bufferPool keeps the buffers of ReverseProxy and of tunnels.
type bufferPool struct{}

var buffers = sync.Pool{New: func() any { return new([copyBufferSize]byte) }}

// Get returns a buffer of copyBufferSize bytes.
func (bufferPool) Get() []byte { return buffers.Get().(*[copyBufferSize]byte)[:] }

// Put takes a buffer back.
func (bufferPool) Put(b []byte) { buffers.Put((*[copyBufferSize]byte)(b)) }

// Open returns the number of requests in progress and open WebSockets.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.streams)
}
