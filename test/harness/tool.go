package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"
)

// Tool is a small web application, to be protected. It shows the headers that it received,
// and has a WebSocket that answers each message and counts those that are open.
type Tool struct {
	URL string

	mu      sync.Mutex
	last    http.Header
	count   int
	sockets atomic.Int64
}

// StartTool starts a tool that listens on a free port until the end of the test.
func StartTool(t testing.TB) *Tool {
	t.Helper()
	tool := &Tool{}
	mux := http.NewServeMux()
	mux.HandleFunc("/", tool.show)
	mux.HandleFunc("/ws", tool.serveSocket)
	mux.HandleFunc("/headers.json", tool.serveHeaders)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	tool.URL = server.URL
	return tool
}

// Requests returns the number of requests so far and the headers of the last one.
func (tool *Tool) Requests() (int, http.Header) {
	tool.mu.Lock()
	defer tool.mu.Unlock()
	return tool.count, tool.last
}

// Sockets returns the number of open WebSockets.
func (tool *Tool) Sockets() int64 { return tool.sockets.Load() }

func (tool *Tool) note(r *http.Request) {
	tool.mu.Lock()
	defer tool.mu.Unlock()
	tool.count++
	tool.last = r.Header.Clone()
}

// toolPage opens a WebSocket and shows its state.
const toolPage = `<!doctype html>
<html lang="en">
<meta name="viewport" content="width=device-width">
<title>The tool</title>
<h1>The tool</h1>
<p>Hello <strong id="who">%s</strong>, this is <code id="path">%s</code>.</p>
<p>WebSocket: <output id="ws">connecting</output></p>
<p><button id="ask">Ask</button> <a href="/.guestlist/signout">Sign out</a></p>
<script>
const state = document.getElementById("ws");
const ws = new WebSocket(location.href.replace("http", "ws").replace(location.pathname + location.search, "/ws"));
ws.onopen = () => { state.textContent = "open"; };
ws.onmessage = (event) => { state.textContent = event.data; };
ws.onclose = () => { state.textContent = "closed"; };
document.getElementById("ask").onclick = () => ws.send("echo " + document.getElementById("who").textContent);
</script>
`

func (tool *Tool) show(w http.ResponseWriter, r *http.Request) {
	tool.note(r)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	http.SetCookie(w, &http.Cookie{Name: "tool", Value: "kept-by-the-tool", Path: "/"})
	fmt.Fprintf(w, toolPage, r.Header.Get("Remote-Email"), strings.ReplaceAll(r.URL.RequestURI(), "<", "&lt;"))
}

func (tool *Tool) serveHeaders(w http.ResponseWriter, r *http.Request) {
	tool.note(r)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(r.Header)
}

func (tool *Tool) serveSocket(w http.ResponseWriter, r *http.Request) {
	tool.note(r)
	conn, err := websocket.Accept(w, r, nil) // which checks that Origin and Host agree
	if err != nil {
		return
	}
	defer conn.CloseNow()
	tool.sockets.Add(1)
	defer tool.sockets.Add(-1)
	for {
		kind, message, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		if err := conn.Write(context.Background(), kind, message); err != nil {
			return
		}
	}
}

// LocalNames is a transport to servers on this machine for all names below localhost, which
// browsers look for on this machine, too.
func LocalNames(t testing.TB) *http.Transport {
	t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(addr)
		if err == nil && (host == "localhost" || strings.HasSuffix(host, ".localhost")) {
			addr = net.JoinHostPort("127.0.0.1", port)
		}
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}
