package httpserver

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// limited is a server with a low connection limit.
type limited struct {
	t    *testing.T
	addr string
	most atomic.Int64
	let  chan struct{}
}

func newLimited(t *testing.T, room int) *limited {
	t.Helper()
	l := &limited{t: t, let: make(chan struct{})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			<-l.let
		}
		io.WriteString(w, "ok")
	}), slog.New(slog.DiscardHandler))
	var open atomic.Int64
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			l.most.Store(max(l.most.Load(), open.Add(1)))
		case http.StateClosed:
			open.Add(-1)
		}
	}
	bounded := limitConnections(listener, server, room)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(bounded) }()
	t.Cleanup(func() {
		server.Close()
		<-ended
	})
	l.addr = listener.Addr().String()
	return l
}

// connect opens a connection and requests path, unless it is empty.
func (l *limited) connect(path string) *bufio.Reader {
	l.t.Helper()
	conn, err := net.Dial("tcp", l.addr)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(time.Minute))
	if path != "" {
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path)
	}
	return bufio.NewReader(conn)
}

func (l *limited) answered(r *bufio.Reader) bool {
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return false
	}
	io.Copy(io.Discard, answer.Body)
	return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}

func TestLimitListener_ReplacesIdleConnections(t *testing.T) {
	t.Parallel()
	l := newLimited(t, 4)
	for i := range 50 { // each stays open
		if !l.answered(l.connect("/")) {
			t.Fatalf("connection %d gets no answer", i)
		}
	}
	if most := l.most.Load(); most > 4 {
		t.Errorf("%d were open at once", most)
	}
}

func TestLimitListener_WaitsForActiveConnections(t *testing.T) {
	t.Parallel()
	l := newLimited(t, 4)
	var busy []*bufio.Reader
	for range 4 {
		busy = append(busy, l.connect("/hang"))
	}
	next := l.connect("/")
	answered := make(chan bool)
	go func() { answered <- l.answered(next) }()
	for range 4 {
		l.let <- struct{}{}
	}
	for i, r := range busy {
		if !l.answered(r) {
			t.Errorf("connection %d at work was closed", i)
		}
	}
	if !<-answered {
		t.Error("the one that waited gets no answer")
	}
	if most := l.most.Load(); most > 4 {
		t.Errorf("%d were open at once", most)
	}
}

func TestLimitListener_CloseEndsTheWait(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bounded := limitConnections(listener, &http.Server{}, 1)
	for range 2 {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	first, err := bounded.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	ended := make(chan error)
	go func() {
		_, err := bounded.Accept()
		ended <- err
	}()
	bounded.Close()
	if err := <-ended; err == nil {
		t.Error("a second connection was let in")
	}
}
