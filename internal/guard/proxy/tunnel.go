package proxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// maxTunnels limits the open WebSockets. Each costs about 15 KB.
const maxTunnels = 4096

// smallBuffer is the size of the buffer that a direction of a tunnel holds while nothing
// arrives. Most messages of a WebSocket fit.
const smallBuffer = 512

// errTunnelOpen tells handleError that the response was sent. It is no failure.
var errTunnelOpen = errors.New("the connection is a tunnel now")

var errTooManyTunnels = errors.New("too many open WebSockets")

// openTunnel sends the upstream's 101 response and connects the visitor with the upstream.
// It returns errTunnelOpen if it succeeds.
//
// The standard library's ReverseProxy would do the same, but keep the request's goroutine, its buffers
// and 64 KB for copying for as long as the WebSocket is open.
func (p *Proxy) openTunnel(e *exchange, res *http.Response) error {
	upstream, ok := res.Body.(io.ReadWriteCloser)
	if !ok || !isWebSocket(res.Request) || !strings.EqualFold(res.Header.Get("Upgrade"), "websocket") {
		return errors.New("the app switched to a protocol that wasn't requested")
	}
	if p.tunnels.Add(1) > maxTunnels {
		p.tunnels.Add(-1)
		return errTooManyTunnels
	}
	visitor, buffered, err := e.response.control.Hijack()
	if err != nil {
		p.tunnels.Add(-1)
		return err
	}
	e.response.hijacked = true
	res.Body = http.NoBody // ReverseProxy closes it
	t := &tunnel{visitor: deadlineConn{visitor, p.opts.Timeouts.Idle}, upstream: upstream}
	if !e.stream.becomeTunnel(t.close) {
		t.close()
	}
	if err := t.begin(res, buffered); err != nil {
		t.close()
	}
	go p.relayTunnel(t, e.stream)
	return errTunnelOpen
}

// tunnel is an open WebSocket.
type tunnel struct {
	visitor  net.Conn
	upstream io.ReadWriteCloser
}

func (t *tunnel) close() {
	t.visitor.Close()
	t.upstream.Close()
}

// begin sends the 101 response, and to the upstream what the visitor has sent already.
func (t *tunnel) begin(res *http.Response, buffered *bufio.ReadWriter) error {
	_ = t.visitor.SetDeadline(time.Time{})
	if err := (&http.Response{StatusCode: res.StatusCode, ProtoMajor: 1, ProtoMinor: 1, Header: res.Header}).Write(t.visitor); err != nil {
		return err
	}
	if n := buffered.Reader.Buffered(); n > 0 {
		early, _ := buffered.Reader.Peek(n)
		if _, err := t.upstream.Write(early); err != nil {
			return err
		}
	}
	return nil
}

// relayTunnel copies in both directions until one of them ends.
func (p *Proxy) relayTunnel(t *tunnel, s *stream) {
	go func() {
		relay(t.upstream, t.visitor)
		s.end()
	}()
	relay(t.visitor, t.upstream)
	s.end()
	p.tunnels.Add(-1)
}

// deadlineConn limits how long a visitor may take to read.
type deadlineConn struct {
	net.Conn
	timeout time.Duration
}

// Write writes to the connection.
func (c deadlineConn) Write(b []byte) (int, error) {
	_ = c.SetWriteDeadline(time.Now().Add(c.timeout))
	return c.Conn.Write(b)
}

// relay copies from src to dst until one of them fails. It waits with a small buffer and
// takes a large one only while data arrives faster than that.
func relay(dst io.Writer, src io.Reader) {
	small := make([]byte, smallBuffer)
	for {
		n, err := copyOnce(dst, src, small)
		if err == nil && n == len(small) {
			err = relayBurst(dst, src)
		}
		if err != nil {
			return
		}
	}
}

// relayBurst copies with a large buffer while reads fill it.
func relayBurst(dst io.Writer, src io.Reader) error {
	buf := bufferPool{}.Get()
	defer bufferPool{}.Put(buf)
	for {
		n, err := copyOnce(dst, src, buf)
		if err != nil || n < len(buf) {
			return err
		}
	}
}

func copyOnce(dst io.Writer, src io.Reader, buf []byte) (int, error) {
	n, err := src.Read(buf)
	if n > 0 {
		if _, writeErr := dst.Write(buf[:n]); writeErr != nil {
			return n, writeErr
		}
	}
	return n, err
}
