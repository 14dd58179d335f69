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

// load is what a load generator is told to do. It runs in a process of its own.
type load struct {
	Addr     string   // 127.0.0.1:port
	Requests [][]byte // sent in turn, whole; [counter] in one becomes a number that was never sent before
	Status   int      // what a good answer has
	Conns    int
	Rate     float64 // requests a second, over all connections; 0: each connection sends when it has its answer
	Seconds  float64
}

// counter stands for a number of as many digits.
const counter = "############"

// outcome is what came of it.
type outcome struct {
	Rate           float64     // good answers a second
	P50, P99, P999 float64     // in milliseconds; of an open loop counted from when the request was to be sent
	N              int         // how many
	Answers        map[int]int // of all kinds, by status
	RetryAfter     int         // answers that were not good and had that header
	RefusedP99     float64     // of those, as P99
	Late           int         // requests of an open loop that were not sent in its time, for all connections were busy
	CPU            float64     // milliseconds a request, of the process that answered
	Wrong          string      // a bad answer
}

// client is one keep-alive connection.
type client struct {
	fd       int
	answer   []byte
	intended time.Time // of the request under way
	busy     bool
}

// generator drives all connections from one thread, which never sleeps: a timer
// of the runtime is a millisecond late, longer than most answers take.
type generator struct {
	load
	epoll    int
	clients  []*client
	idle     []*client
	next     int         // of Requests
	number   uint64      // for counter
	delays   []float64   // milliseconds, of good answers
	answers  map[int]int // by status
	refusals []float64   // as delays, of answers with Retry-After
	wrong    string      // the first that was none of [load.Status]
	buffer   [64 << 10]byte
}

func (l load) run() (outcome, error) {
	g := &generator{load: l, number: newNumber(), answers: map[int]int{}}
	if err := g.connect(); err != nil {
		return outcome{}, err
	}
	defer g.close()
	begin := time.Now()
	due := begin
	for now := begin; l.goesOn(len(g.delays), now.Sub(begin)); now = time.Now() {
		for len(g.idle) > 0 && !due.After(now) {
			if l.Rate == 0 {
				due = now
			}
			if err := g.send(due); err != nil {
				return outcome{}, err
			}
			if l.Rate > 0 {
				due = due.Add(time.Duration(float64(time.Second) / l.Rate))
			}
		}
		if err := g.receive(); err != nil {
			return outcome{}, err
		}
	}
	took := time.Since(begin)
	o := outcome{Rate: float64(len(g.delays)) / took.Seconds(), N: len(g.delays), Answers: g.answers, RetryAfter: len(g.refusals), Wrong: g.wrong}
	if l.Rate > 0 {
		o.Late = max(0, int((took-due.Sub(begin)).Seconds()*l.Rate))
	}
	o.P50, o.P99, o.P999 = percentiles(g.delays)
	_, o.RefusedP99, _ = percentiles(g.refusals)
	return o, nil
}

// least is how many answers are enough to tell a percentile.
const least = 200

// goesOn gives a closed loop more time, where it has had too few answers.
func (l load) goesOn(answers int, passed time.Duration) bool {
	seconds := passed.Seconds()
	return seconds < l.Seconds || l.Rate == 0 && answers < least && seconds < 5*l.Seconds
}

// newNumber begins a row of numbers for [counter]: there are fewer requests than
// microseconds.
func newNumber() uint64 { return uint64(time.Now().UnixMicro()) % 1e12 }

// percentiles sorts what it is given.
func percentiles(all []float64) (p50, p99, p999 float64) {
	if len(all) == 0 {
		return 0, 0, 0
	}
	slices.Sort(all)
	at := func(share float64) float64 { return all[min(len(all)-1, int(share*float64(len(all))))] }
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
		watched := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(len(g.clients) - 1)}
		if err := syscall.EpollCtl(g.epoll, syscall.EPOLL_CTL_ADD, fd, &watched); err != nil {
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

// send gives the next request to a connection that has none.
func (g *generator) send(intended time.Time) error {
	c := g.idle[len(g.idle)-1]
	g.idle = g.idle[:len(g.idle)-1]
	request := g.Requests[g.next]
	g.next = (g.next + 1) % len(g.Requests)
	g.number++
	request = numbered(request, g.number)
	c.intended, c.busy, c.answer = intended, true, c.answer[:0]
	n, err := syscall.Write(c.fd, request) // small enough for the socket's buffer
	if err == nil && n < len(request) {
		err = fmt.Errorf("only %d bytes of a request were taken", n)
	}
	return err
}

// numbered replaces [counter].
func numbered(request []byte, n uint64) []byte {
	if !bytes.Contains(request, []byte(counter)) {
		return request
	}
	return bytes.ReplaceAll(request, []byte(counter), fmt.Appendf(nil, "%0*d", len(counter), n))
}

// receive takes what has come, and waits for nothing.
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
			return fmt.Errorf("the server closed a connection after %q", c.answer)
		}
		c.answer = append(c.answer, g.buffer[:n]...)
		if answered(c.answer) {
			g.note(c)
		}
	}
	return nil
}

// note counts an answer that has come whole.
func (g *generator) note(c *client) {
	status := 0
	if len(c.answer) > len("HTTP/1.1 200") {
		status, _ = strconv.Atoi(string(c.answer[9:12]))
	}
	g.answers[status]++
	delay := float64(time.Since(c.intended)) / 1e6
	if status == g.Status {
		g.delays = append(g.delays, delay)
	} else if bytes.Contains(c.answer, []byte("\r\nRetry-After: ")) {
		g.refusals = append(g.refusals, delay)
	} else if g.wrong == "" {
		g.wrong = string(c.answer[:min(len(c.answer), 600)])
	}
	c.busy = false
	g.idle = append(g.idle, c)
}

var (
	headEnd  = []byte("\r\n\r\n")
	length   = []byte("\r\nContent-Length: ")
	chunked  = []byte("\r\nTransfer-Encoding: chunked")
	lastPart = []byte("\r\n0\r\n\r\n")
)

// answered reports whether an answer, of which there is one at a time on a
// connection, has come whole.
func answered(answer []byte) bool {
	end := bytes.Index(answer, headEnd)
	if end < 0 {
		return false
	}
	head, body := answer[:end], answer[end+len(headEnd):]
	if at := bytes.Index(head, length); at >= 0 {
		digits, _, _ := bytes.Cut(head[at+len(length):], []byte("\r"))
		n, err := strconv.Atoi(string(digits))
		return err == nil && len(body) >= n
	}
	if bytes.Contains(head, chunked) {
		return bytes.HasSuffix(body, lastPart)
	}
	return true // a status without a body
}
