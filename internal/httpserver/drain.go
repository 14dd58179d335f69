package httpserver

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// ConnGrace is how long an idle connection may take to send a request after a shutdown
// has begun; ShutdownTimeout limits requests in progress from then on. fly.toml,
// deploy/compose.yaml and deploy/guestlist.service leave time for both.
const (
	ConnGrace       = time.Second
	ShutdownTimeout = 8 * time.Second
)

// connTracker records the connections on which a request may be arriving. net/http drops
// a request that it reads after Shutdown was called without a response
// (https://go.dev/src/net/http/server.go, conn.serve), so Shutdown must be called when
// there are none.
type connTracker struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
}

type connKey struct{}

// track starts recording the server's connections.
func (t *connTracker) track(server *http.Server) {
	t.conns = map[net.Conn]bool{}
	server.ConnState = func(c net.Conn, state http.ConnState) {
		t.set(c, state == http.StateNew || state == http.StateActive)
	}
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	}
	handler := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(net.Conn); ok {
			t.set(c, false) // the request has arrived
		}
		handler.ServeHTTP(w, r)
	})
}

func (t *connTracker) set(c net.Conn, arriving bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if arriving {
		t.conns[c] = true
	} else {
		delete(t.conns, c)
	}
}

// waitIdle returns when no request is arriving, after ConnGrace at the latest. Call it
// after the listener is closed.
func (t *connTracker) waitIdle() {
	for deadline := time.After(ConnGrace); ; {
		t.mu.Lock()
		n := len(t.conns)
		t.mu.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-deadline:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}
