package httpserver

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// maxConnections limits the connections of the public listener. Each costs about 20 KB,
// plus the part of a request body that is held before the request is admitted
// (internal/web/loadshed/bodies.go).
const maxConnections = 4096

// limitListener is a listener with a limited number of connections. When it is full, a new
// connection replaces the one that has been idle longest, which the client can open again.
// If none is idle, the new connection waits until one ends. The server's timeouts end
// connections of slow clients.
type limitListener struct {
	net.Listener
	max int

	mu       sync.Mutex
	changed  sync.Cond // signals that a connection ended or became idle, or the listener closed
	open     int
	idle     *list.List // of net.Conn, the longest idle first
	elements map[net.Conn]*list.Element
	closed   bool
}

// limitConnections returns the listener limited to max connections. The server's ConnState
// must not be set afterwards.
func limitConnections(listener net.Listener, server *http.Server, max int) *limitListener {
	l := &limitListener{Listener: listener, max: max, idle: list.New(), elements: map[net.Conn]*list.Element{}}
	l.changed.L = &l.mu
	before := server.ConnState
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		l.note(conn, state)
		if before != nil {
			before(conn, state)
		}
	}
	return l
}

// Accept returns the next connection once there are fewer than the maximum.
func (l *limitListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.open >= l.max && !l.closed {
		if longest := l.idle.Front(); longest != nil {
			l.forget(longest.Value.(net.Conn))
			longest.Value.(net.Conn).Close() // the server then reports StateClosed
		}
		l.changed.Wait()
	}
	if l.closed {
		conn.Close()
		return nil, net.ErrClosed
	}
	l.open++
	return conn, nil
}

// Close closes the listener and ends a waiting Accept.
func (l *limitListener) Close() error {
	l.mu.Lock()
	l.closed = true
	l.changed.Broadcast()
	l.mu.Unlock()
	return l.Listener.Close()
}

// note records the state of a connection that Accept has returned.
func (l *limitListener) note(conn net.Conn, state http.ConnState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(conn)
	switch state {
	case http.StateIdle:
		l.elements[conn] = l.idle.PushBack(conn)
		l.changed.Broadcast()
	case http.StateClosed, http.StateHijacked:
		l.open--
		l.changed.Broadcast()
	}
}

// forget removes a connection from the idle ones. The caller must hold l.mu.
func (l *limitListener) forget(conn net.Conn) {
	if e, ok := l.elements[conn]; ok {
		l.idle.Remove(e)
		delete(l.elements, conn)
	}
}
