package main

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// When the program is to stop, hearing is how long somebody who has connected may
// take to say what they want, and drain how long a request that was begun may take
// from then on. fly.toml, deploy/compose.yaml and deploy/guestlist.service leave it time for both.
const (
	connGrace       = time.Second
	shutdownTimeout = 8 * time.Second
)

// connTracker are the connections on which a request may be on its way. net/http
// drops, without an answer, a request that it reads after Shutdown was called
// (https://go.dev/src/net/http/server.go, conn.serve), so that is called when there
// are none.
type connTracker struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
}

type connKey struct{}

// track notes the server's connections from now on.
func (a *connTracker) track(server *http.Server) {
	a.conns = map[net.Conn]bool{}
	server.ConnState = func(c net.Conn, state http.ConnState) {
		a.set(c, state == http.StateNew || state == http.StateActive)
	}
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	}
	handler := server.Handler
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connKey{}).(net.Conn); ok {
			a.set(c, false) // it has arrived
		}
		handler.ServeHTTP(w, r)
	})
}

func (a *connTracker) set(c net.Conn, underWay bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if underWay {
		a.conns[c] = true
	} else {
		delete(a.conns, c)
	}
}

// waitIdle returns when no request is on its way, or when the hearing is over. Nobody may
// be let in any more.
func (a *connTracker) waitIdle() {
	for over := time.After(connGrace); ; {
		a.mu.Lock()
		n := len(a.conns)
		a.mu.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-over:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}
