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

// outcome classifies a request; see the package comment.
type outcome int

const (
	unsent outcome = iota
	acknowledged
	refused
	unknown
)

// response is what a client knows about a request.
type response struct {
	outcome outcome
	status  int    // 0 without a complete response
	body    string // empty without a complete response
	cookie  string // of a new session; may be empty
	cut     bool   // whether the server closed the connection in order without a complete response

	location    string // may be empty
	appCookie   string // may be empty
	remoteEmail string // the user, as the app knows them; may be empty
}

// requestTimeout is longer than any response should take.
const requestTimeout = 30 * time.Second

// cookieName is the name of the session cookie on plain HTTP.
const cookieName = "guestlist"

// newHTTPClient returns a client that doesn't follow redirects and opens a connection for each
// request. On a reused connection, a request can be sent while the server closes it, and it's unknown
// whether the server read it.
func newHTTPClient() *http.Client {
	dialer := &net.Dialer{Timeout: requestTimeout}
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &resetConn{Conn: conn}, nil
	}
	return &http.Client{
		Timeout:       requestTimeout,
		Transport:     &http.Transport{DisableKeepAlives: true, DialContext: dial},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// do sends a request with a session cookie to one of the instances and records it in the ledger.
func (x *trial) do(cookie, method, path, body string) response {
	r := newRequest(x.anyInstance(), cookie, method, path, body)
	begin := time.Now()
	resp := x.send(r)
	x.ledger.record(resp, time.Since(begin), method+" "+path)
	return resp
}

// newRequest returns a request to an instance. cookie and body may be empty.
func newRequest(i *instance, cookie, method, path, body string) *http.Request {
	r, err := http.NewRequest(method, "http://"+i.addr+path, strings.NewReader(body))
	if err != nil {
		panic(err) // method and path are constants and ids
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

// send sends a request without recording it.
func (x *trial) send(r *http.Request) response {
	res, err := x.client.Do(r)
	var opErr *net.OpError
	if errors.As(err, &opErr) && opErr.Op == "dial" {
		return response{outcome: unsent}
	}
	if err != nil {
		return incomplete(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return incomplete(err)
	}
	resp := response{
		outcome: acknowledged, status: res.StatusCode, body: string(body),
		location: res.Header.Get("Location"), remoteEmail: res.Header.Get("Remote-Email"),
	}
	switch {
	case resp.status >= 500:
		resp.outcome = unknown
	case resp.status >= 400:
		resp.outcome = refused
	}
	for _, c := range res.Cookies() {
		switch {
		case c.MaxAge < 0:
		case c.Name == cookieName:
			resp.cookie = c.Value
		case c.Name == appCookieName:
			resp.appCookie = c.Value
		}
	}
	return resp
}

// incomplete returns the response to a request that was sent and failed with err. If the connection
// was closed in order, the server had accepted the request. A reset says nothing, because the kernel
// also resets connections that the server never accepted.
func incomplete(err error) response {
	return response{outcome: unknown, cut: errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)}
}

// resetConn is a connection whose Read reports a reset as such. The kernel reports a reset once: if
// Write gets it, Read gets an orderly end.
type resetConn struct {
	net.Conn
	mu    sync.Mutex
	reset bool
}

func (c *resetConn) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.Conn.Write(b)
	c.reset = c.reset || err != nil
	return n, err
}

func (c *resetConn) Read(b []byte) (int, error) {
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
