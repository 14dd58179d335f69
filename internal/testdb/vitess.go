package testdb

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Vitess is a MySQL server that takes no more than PlanetScale's does. What is
// between it and its clients knows the rules of [refusedByVitess], ends a
// transaction after as long as PlanetScale does, and can be set to refuse changes
// of tables. Whatever breaks a rule is answered with an error, and fails the test.
type Vitess struct {
	DSN string // go-sql-driver's, of an empty database

	server  string // host:port
	mu      sync.Mutex
	safe    bool
	refused int  // changes of tables
	ends    bool // the transaction that comes to after statements
	after   int
	broken  []string
	longest int // statements of the longest transaction
	widest  int // rows of the largest result
	changed int // rows that one transaction changed at most
}

// NewVitess returns a server with an empty database, gone at the end of the test.
func NewVitess(t testing.TB) *Vitess {
	t.Helper()
	return BehindVitess(t, MySQL(t))
}

// BehindVitess puts the rules before a database that can also be had without.
func BehindVitess(t testing.TB, dsn string) *Vitess {
	t.Helper()
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Net != "tcp" || cfg.TLSConfig != "" {
		t.Fatal("GUESTLIST_TEST_MYSQL_DSN must name a server that is reached by TCP and without TLS: what is sent there is looked at")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := &Vitess{server: cfg.Addr}
	cfg.Addr = listener.Addr().String()
	v.DSN = cfg.FormatDSN()
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go v.serve(near)
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, what := range v.broken {
			t.Error(what)
		}
	})
	return v
}

// SafeMigrations has changes of tables refused from now on, or not any more. It
// returns how many were until now.
func (v *Vitess) SafeMigrations(on bool) (refused int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.safe = on
	return v.refused
}

// EndTransaction ends the first transaction that comes to that many statements, not
// counting its start, when the next one comes, a commit or another: as if it had
// taken too long.
func (v *Vitess) EndTransaction(after int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ends, v.after = true, after
}

// Ended reports whether a transaction was ended since EndTransaction. If not, none
// is any more.
func (v *Vitess) Ended() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	ended := !v.ends
	v.ends = false
	return ended
}

// Largest returns how many statements a transaction had at most so far, how many
// rows it changed, and how many rows a result had.
func (v *Vitess) Largest() (statements, changed, rows int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.longest, v.changed, v.widest
}

// link is a client's connection.
type link struct {
	v         *Vitess
	near, far net.Conn
	swallowed chan struct{} // told when an answer to our own statement has come

	mu         sync.Mutex
	swallow    bool
	tx         bool // in a transaction
	failed     bool // of which a statement has failed
	since      time.Time
	statements int
	changed    int
	packets    int // of the answer so far
}

func (v *Vitess) serve(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", v.server)
	if err != nil {
		return
	}
	defer far.Close()
	l := &link{v: v, near: near, far: far, swallowed: make(chan struct{})}
	go l.answers()
	r := bufio.NewReader(near)
	for {
		packet, err := readPacket(r)
		if err != nil {
			return
		}
		// A client begins to count with each command, and not while it signs in.
		if packet[3] == 0 {
			if refusal := l.command(packet[4:]); refusal != nil {
				if _, err := near.Write(refusal); err != nil {
					return
				}
				continue
			}
		}
		if _, err := far.Write(packet); err != nil {
			return
		}
	}
}

// answers carries what the server says.
func (l *link) answers() {
	defer l.near.Close()
	r := bufio.NewReaderSize(l.far, 64<<10)
	w := bufio.NewWriterSize(l.near, 64<<10)
	for {
		packet, err := readPacket(r)
		if err != nil {
			return
		}
		if l.heard(packet[4:]) {
			l.swallowed <- struct{}{}
			continue
		}
		w.Write(packet)
		if r.Buffered() == 0 && w.Flush() != nil {
			return
		}
	}
}

// readPacket reads a packet of the MySQL protocol: three bytes of length, a number, what it says.
func readPacket(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	packet := make([]byte, 4+(int(head[0])|int(head[1])<<8|int(head[2])<<16))
	copy(packet, head[:])
	_, err := io.ReadFull(r, packet[4:])
	return packet, err
}

// refusal is an answer that is an error.
func refusal(number uint16, state, text string) []byte {
	payload := binary.LittleEndian.AppendUint16([]byte{0xff}, number)
	payload = fmt.Appendf(payload, "#%s%s", state, text)
	return append([]byte{byte(len(payload)), byte(len(payload) >> 8), 0, 1}, payload...)
}
