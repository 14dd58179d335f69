package faults

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"
)

// outcome is what a request came to; see the package comment.
type outcome int

const (
	unsent outcome = iota
	acknowledged
	refused
	unknown
)

// answer is what a client knows of a request.
type answer struct {
	outcome outcome
	status  int // 0: no answer, or not the whole of it
	body    string
	cookie  string // the session that was begun; empty for none
	cut     bool   // the connection was closed in order, and no answer or half of one was on it
}

// requestTimeout is longer than any answer may take.
const requestTimeout = 30 * time.Second

// cookieName is what the program calls its cookie on plain http.
const cookieName = "guestlist"

// newClient returns a client that follows nothing. Every request has a
// connection of its own: on one that is kept, a request can cross its end, and
// nobody can say whether it was read.
func newClient() *http.Client {
	dialer := &net.Dialer{Timeout: requestTimeout}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &plainConn{Conn: conn}, nil
	}
	return &http.Client{
		Timeout:       requestTimeout,
		Transport:     &http.Transport{DisableKeepAlives: true, DialContext: dial},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask has a client send a request to one of the instances, as a program that
// holds the cookie, and counts it.
func (x *trial) ask(cookie, method, path, body string) answer {
	r := newRequest(x.any(), cookie, method, path, body)
	begin := time.Now()
	a := x.send(r)
	x.ledger.took(a, time.Since(begin), method+" "+path)
	return a
}

func newRequest(i *instance, cookie, method, path, body string) *http.Request {
	r, err := http.NewRequest(method, "http://"+i.addr+path, strings.NewReader(body))
	if err != nil {
		panic(err) // made of constants and ids
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if strings.HasPrefix(path, "/dev/") {
		r.Header.Set("Authorization", "Bearer "+i.key)
	}
	if strings.HasPrefix(body, "{") {
		r.Header.Set("Content-Type", "application/json")
	} else if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: cookie})
	}
	return r
}

// send sends a request and says what came of it.
func (x *trial) send(r *http.Request) answer {
	res, err := x.client.Do(r)
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return answer{outcome: unsent}
	case err != nil:
		return unanswered(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return unanswered(err)
	}
	a := answer{outcome: acknowledged, status: res.StatusCode, body: string(body)}
	switch {
	case a.status >= 500:
		a.outcome = unknown
	case a.status >= 400:
		a.outcome = refused
	}
	for _, c := range res.Cookies() {
		if c.Name == cookieName && c.MaxAge >= 0 {
			a.cookie = c.Value
		}
	}
	return a
}

// unanswered is what a request came to that was sent and has no whole answer. The
// program has taken it on if the connection was closed in order. A reset says
// nothing: the kernel resets connections too that the program never saw.
func unanswered(err error) answer {
	return answer{outcome: unknown, cut: errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)}
}

// plainConn is a connection whose reset is told as one. The kernel tells of it
// once; where it has told the writer, the reader hears of an end in order.
type plainConn struct {
	net.Conn
	mu    sync.Mutex
	reset bool
}

func (c *plainConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.Conn.Write(b)
	c.reset = c.reset || err != nil
	return n, err
}

func (c *plainConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != io.EOF {
		return n, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reset {
		err = syscall.ECONNRESET
	}
	return n, err
}
