//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// loadJob configures the load generator, which runs in a process of its own.
type loadJob struct {
	Addr     string   // 127.0.0.1:port
	Requests [][]byte // sent in turn; [counter] in a request is replaced by a unique number
	Then     []byte   // sent after each response, with its code; see withCode; nil for none
	Status   int      // of a good response; of the last one if Then is set
	Conns    int
	Rate     float64 // requests per second over all connections; 0 means that each connection sends when it has its response
	Seconds  float64
}

// counter is a placeholder for a number with the same number of digits.
const counter = "############"

// outcome is the result of a load job or a raw loop.
type outcome struct {
	Rate           float64     // good responses per second
	P50, P99, P999 float64     // latency in milliseconds; with a fixed rate, since the time the request was due
	N              int         // good responses
	Responses      map[int]int // all responses by status
	RetryAfter     int         // other responses with a Retry-After header
	RefusedP99     float64     // p99 of these
	CPU            float64     // milliseconds of the server's processor time per request
	Wrong          string      // one of the remaining responses
}

// client is a keep-alive connection.
type client struct {
	fd       int
	response []byte
	due      time.Time // of the request in progress
	busy     bool
	last     bool // the request in progress is loadJob.Then
}

// generator drives all connections from one thread that never sleeps, because the timers of Go's
// runtime are up to a millisecond late, which is longer than most responses take.
type generator struct {
	loadJob
	epoll     int
	clients   []*client
	idle      []*client
	next      int    // index into Requests
	number    uint64 // for [counter]
	latencies []float64
	refusals  []float64 // latencies of responses with Retry-After
	responses map[int]int
	wrong     string
	buffer    [64 << 10]byte
}

func (j loadJob) run() (outcome, error) {
	g := &generator{loadJob: j, number: firstNumber(), responses: map[int]int{}}
	if err := g.connect(); err != nil {
		return outcome{}, err
	}
	defer g.close()
	begin := time.Now()
	due := begin
	for now := begin; j.running(len(g.latencies), now.Sub(begin)); now = time.Now() {
		for len(g.idle) > 0 && !due.After(now) {
			if j.Rate == 0 {
				due = now
			}
			if err := g.send(due); err != nil {
				return outcome{}, err
			}
			if j.Rate > 0 {
				due = due.Add(time.Duration(float64(time.Second) / j.Rate))
			}
		}
		if err := g.receive(); err != nil {
			return outcome{}, err
		}
	}
	n := len(g.latencies)
	o := outcome{Rate: float64(n) / time.Since(begin).Seconds(), N: n, Responses: g.responses, RetryAfter: len(g.refusals), Wrong: g.wrong}
	o.P50, o.P99, o.P999 = percentiles(g.latencies)
	_, o.RefusedP99, _ = percentiles(g.refusals)
	return o, nil
}

// minResponses is the number of responses that percentiles need.
const minResponses = 200

// running reports whether the job continues. Without a fixed rate it takes longer than configured if
// there are too few responses.
func (j loadJob) running(responses int, elapsed time.Duration) bool {
	seconds := elapsed.Seconds()
	return seconds < j.Seconds || j.Rate == 0 && responses < minResponses && seconds < 5*j.Seconds
}

// firstNumber returns the first number for [counter]. Numbers of later jobs are larger, because a job
// sends fewer requests than it takes microseconds.
func firstNumber() uint64 { return uint64(time.Now().UnixMicro()) % 1e12 }

// percentiles sorts values and returns three of their percentiles.
func percentiles(values []float64) (p50, p99, p999 float64) {
	if len(values) == 0 {
		return 0, 0, 0
	}
	slices.Sort(values)
	at := func(share float64) float64 { return values[min(len(values)-1, int(share*float64(len(values))))] }
	return at(0.5), at(0.99), at(0.999)
}

func (g *generator) connect() error {
	addr, err := netip.ParseAddrPort(g.Addr)
	if err != nil {
		return err
	}
	if g.epoll, err = syscall.EpollCreate1(0); err != nil {
		return err
	}
	for range g.Conns {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		c := &client{fd: fd}
		g.clients = append(g.clients, c)
		g.idle = append(g.idle, c)
		if err := syscall.Connect(fd, &syscall.SockaddrInet4{Addr: addr.Addr().As4(), Port: int(addr.Port())}); err != nil {
			return err
		}
		if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
			return err
		}
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(len(g.clients) - 1)}
		if err := syscall.EpollCtl(g.epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
			return err
		}
	}
	return nil
}

func (g *generator) close() {
	for _, c := range g.clients {
		syscall.Close(c.fd)
	}
	syscall.Close(g.epoll)
}

// send sends the next request on an idle connection.
func (g *generator) send(due time.Time) error {
	c := g.idle[len(g.idle)-1]
	g.idle = g.idle[:len(g.idle)-1]
	g.number++
	request := withNumber(g.Requests[g.next], g.number)
	g.next = (g.next + 1) % len(g.Requests)
	c.due = due
	c.busy = true
	c.response = c.response[:0]
	n, err := syscall.Write(c.fd, request) // fits the socket's buffer
	if err == nil && n < len(request) {
		err = fmt.Errorf("only %d bytes of a request were sent", n)
	}
	return err
}

// sendThen sends the request that follows the response of a connection.
func (g *generator) sendThen(c *client) error {
	request, err := withCode(g.Then, c.response)
	if err != nil {
		return err
	}
	c.last = true
	c.response = c.response[:0]
	n, err := syscall.Write(c.fd, request)
	if err == nil && n < len(request) {
		err = fmt.Errorf("only %d bytes of a request were sent", n)
	}
	return err
}

// withNumber replaces [counter] in a request.
func withNumber(request []byte, n uint64) []byte {
	if !bytes.Contains(request, []byte(counter)) {
		return request
	}
	return bytes.ReplaceAll(request, []byte(counter), fmt.Appendf(nil, "%0*d", len(counter), n))
}

// receive reads the available parts of responses, without waiting.
func (g *generator) receive() error {
	var events [64]syscall.EpollEvent
	n, err := syscall.EpollWait(g.epoll, events[:], 0)
	if err == syscall.EINTR {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range events[:n] {
		c := g.clients[e.Fd]
		n, err := syscall.Read(c.fd, g.buffer[:])
		if err != nil {
			return err
		}
		if n == 0 || !c.busy {
			return fmt.Errorf("the server closed a connection after %q", c.response)
		}
		c.response = append(c.response, g.buffer[:n]...)
		if !isComplete(c.response) {
			continue
		}
		if g.Then != nil && !c.last {
			if err := g.sendThen(c); err != nil {
				return err
			}
			continue
		}
		g.record(c)
	}
	return nil
}

// record counts a complete response.
func (g *generator) record(c *client) {
	status := 0
	if len(c.response) > len("HTTP/1.1 200") {
		status, _ = strconv.Atoi(string(c.response[9:12]))
	}
	g.responses[status]++
	latency := float64(time.Since(c.due)) / 1e6
	switch {
	case status == g.Status:
		g.latencies = append(g.latencies, latency)
	case bytes.Contains(c.response, []byte("\r\nRetry-After: ")):
		g.refusals = append(g.refusals, latency)
	case g.wrong == "":
		g.wrong = string(c.response[:min(len(c.response), 600)])
	}
	c.busy, c.last = false, false
	g.idle = append(g.idle, c)
}

var (
	headerEnd     = []byte("\r\n\r\n")
	contentLength = []byte("\r\nContent-Length: ")
	chunked       = []byte("\r\nTransfer-Encoding: chunked")
	lastChunk     = []byte("\r\n0\r\n\r\n")
)

// isComplete reports whether response is all of a response. There is no pipelining.
func isComplete(response []byte) bool {
	header, body, found := bytes.Cut(response, headerEnd)
	if !found {
		return false
	}
	if _, after, found := bytes.Cut(header, contentLength); found {
		digits, _, _ := bytes.Cut(after, []byte("\r"))
		n, err := strconv.Atoi(string(digits))
		return err == nil && len(body) >= n
	}
	if bytes.Contains(header, chunked) {
		return bytes.HasSuffix(body, lastChunk)
	}
	return true // a status without a body
}
