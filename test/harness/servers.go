package harness

import (
	"io"
	"net"
	"testing"
)

// AcceptConnections listens on an address and calls answer for each connection. It returns
// the address.
func AcceptConnections(t *testing.T, addr string, answer func(c net.Conn)) net.Addr {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				answer(c)
			}()
		}
	}()
	return listener.Addr()
}

// SilentServer starts a server that accepts connections and never sends anything. It
// returns its address.
func SilentServer(t *testing.T) (addr string) {
	t.Helper()
	return AcceptConnections(t, "127.0.0.1:0", func(c net.Conn) { io.Copy(io.Discard, c) }).String()
}
