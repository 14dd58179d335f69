package peers

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// tool is a protected web application. It records the requests that reach it.
type tool struct {
	name string
	addr string

	mu   sync.Mutex
	seen []received
}

// received is a request as the tool receives it, and the tool's response to it.
type received struct {
	Tool   string // its name
	Method string
	Target string // the request target, undecoded
	Header http.Header
	Size   int64 // of the body
}

// newTool starts a tool. It answers every path with the request as JSON, and has
//
//	/ws            a WebSocket that repeats each message
//	/events        server-sent events: one at once, and then silence
//	/status/418    a response with this status and headers of the tool's own
//	/download      largeSize bytes
func newTool(t testing.TB, name string) *tool {
	t.Helper()
	app := &tool{name: name}
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	app.addr = server.Listener.Addr().String()
	return app
}

func (app *tool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	got := received{Tool: app.name, Method: r.Method, Target: r.RequestURI, Header: r.Header}
	record := func() {
		app.mu.Lock()
		defer app.mu.Unlock()
		app.seen = append(app.seen, got)
	}
	var status int
	fmt.Sscanf(r.URL.Path, "/status/%d", &status)
	switch {
	case status != 0:
		record()
		w.Header().Set("WWW-Authenticate", `Basic realm="tool"`)
		w.Header().Set("Location", "/elsewhere")
		w.Header().Add("Set-Cookie", "tool=1; Path=/")
		w.Header().Add("Set-Cookie", "theme=dark; Path=/")
		w.WriteHeader(status)
		io.WriteString(w, "the tool's own words")
	case r.URL.Path == "/download":
		record()
		io.CopyN(w, zeros{}, largeSize)
	case r.URL.Path == "/ws":
		record()
		repeatMessages(w, r)
	case r.URL.Path == "/events":
		record()
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "data: %s\n\n", app.name)
		w.(http.Flusher).Flush()
		<-r.Context().Done() // until the client leaves
	default:
		got.Size, _ = io.Copy(io.Discard, r.Body)
		record()
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(got)
	}
}

// repeatMessages sends back each message of a WebSocket.
func repeatMessages(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	for {
		kind, message, err := c.Read(r.Context())
		if err != nil {
			return
		}
		if err := c.Write(r.Context(), kind, message); err != nil {
			return
		}
	}
}

// largeSize is more than any proxy buffers in memory.
const largeSize = 20 << 20

// zeros is an endless reader.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// saw returns the requests whose target contains a text.
func (app *tool) saw(part string) []received {
	app.mu.Lock()
	defer app.mu.Unlock()
	var found []received
	for _, r := range app.seen {
		if strings.Contains(r.Target, part) {
			found = append(found, r)
		}
	}
	return found
}

// relay starts a server that forwards the bytes of TLS connections to another address. It stands for
// the TLS that a platform such as Fly puts in front.
func relay(t testing.TB, tlsListener net.Listener, to string) {
	t.Cleanup(func() { tlsListener.Close() })
	go func() {
		for {
			near, err := tlsListener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer near.Close()
				far, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer far.Close()
				go func() {
					io.Copy(far, near)
					far.(*net.TCPConn).CloseWrite()
				}()
				io.Copy(near, far)
			}()
		}
	}()
}
