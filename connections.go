package main

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// maxConnections is how many connections the public listener holds at once. Each
// costs about 20 KB, and what a client may have held of a body before its request
// has a place (internal/web/bodies.go).
const maxConnections = 4096

// connections is a listener that holds a bounded number of connections. Where it
// is full, a new one takes the place of the one that has been idle longest, which
// the client can open again; where none is idle, it waits until one ends. Slow
// clients end by the server's timeouts.
type connections struct {
	net.Listener
	room int // how many connections there may be

	mu      sync.Mutex
	changed sync.Cond // a connection has ended or become idle, or the listener is closed
	open    int
	idle    *list.List // of net.Conn, the longest idle first
	at      map[net.Conn]*list.Element
	closed  bool
}

// limitConnections returns the listener with its bound. The server that it is for
// must not have another ConnState set afterwards.
func limitConnections(listener net.Listener, server *http.Server, room int) *connections {
	c := &connections{Listener: listener, room: room, idle: list.New(), at: map[net.Conn]*list.Element{}}
	c.changed.L = &c.mu
	before := server.ConnState
	server.ConnState = func(conn net.Conn, state http.ConnState) {
		c.note(conn, state)
		if before != nil {
			before(conn, state)
		}
	}
	return c
}

// Accept returns the next connection once there is room for it.
func (c *connections) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.open >= c.room && !c.closed {
		if longest := c.idle.Front(); longest != nil {
			c.forget(longest.Value.(net.Conn))
			longest.Value.(net.Conn).Close() // the server then says that it has ended
		}
		c.changed.Wait()
	}
	if c.closed {
		conn.Close()
		return nil, net.ErrClosed
	}
	c.open++
	return conn, nil
}

// Close ends the listener, also for a connection that waits for room.
func (c *connections) Close() error {
	c.mu.Lock()
	c.closed = true
	c.changed.Broadcast()
	c.mu.Unlock()
	return c.Listener.Close()
}

// note follows a connection that Accept has returned.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(conn)
	switch state {
	case http.StateIdle:
		c.at[conn] = c.idle.PushBack(conn)
		c.changed.Broadcast()
	case http.StateClosed, http.StateHijacked:
		c.open--
		c.changed.Broadcast()
	}
}

// forget takes a connection out of those that are idle. It is called with the lock
// held.
func (c *connections) forget(conn net.Conn) {
	if at, ok := c.at[conn]; ok {
		c.idle.Remove(at)
		delete(c.at, conn)
	}
}
