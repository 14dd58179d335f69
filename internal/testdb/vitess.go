package testdb

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"regexp"
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
	name    string // of the database
	mu      sync.Mutex
	safe    bool
	away    bool   // there is no primary
	locked  bool   // the primary is read-only
	full    bool   // there are no connections left
	cut     int    // cut connections after so many changes, if above 0
	alias   string // the database's name for clients and in database(); empty for its own name
	refused int    // number of refused schema changes
	ends    bool   // whether to abort the transaction that reaches that many statements
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
	v := &Vitess{server: cfg.Addr, name: cfg.DBName}
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

// Name has clients call the database by another name, as PlanetScale's may say @primary or
// guestlist@primary, and returns the DSN. DATABASE() answers guestlist@primary then, which
// information_schema knows nothing of.
func (v *Vitess) Name(alias string) string {
	cfg, err := mysql.ParseDSN(v.DSN)
	if err != nil {
		panic(err) // a packet of this proxy
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.alias, cfg.DBName = alias, alias
	return cfg.FormatDSN()
}

// PrimaryAway has whatever needs a primary answered as vtgate does while there is none.
func (v *Vitess) PrimaryAway(on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.away = on
}

// ReadOnly has changes answered as by a primary that is read-only.
func (v *Vitess) ReadOnly(on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.locked = on
}

// NoConnections has new connections refused as by a server that has none left.
func (v *Vitess) NoConnections(on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.full = on
}

// CutAfter cuts all connections, old and new, once the server has taken so many changes of
// rows or tables, before it has answered the last: as if the program were killed then. With
// 0 none is cut any more.
func (v *Vitess) CutAfter(changes int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cut = changes
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
	swallowed chan struct{} // receives when the response to the proxy's own statement has arrived

	mu         sync.Mutex
	swallow    bool
	tx         bool // in a transaction
	failed     bool // a statement of the transaction has failed
	since      time.Time
	statements int
	changed    int
	packets    int // of the response so far
}

func (v *Vitess) serve(near net.Conn) {
	defer near.Close()
	v.mu.Lock()
	full, dead := v.full, v.cut < 0
	v.mu.Unlock()
	if dead {
		return
	}
	if full {
		answer := refusal(1040, "08004", "Too many connections")
		answer[3] = 0 // it is the first packet
		near.Write(answer)
		return
	}
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
		// A client restarts the sequence with each command, but not while it authenticates.
		if packet[3] == 0 {
			if refusal := l.command(packet[4:]); refusal != nil {
				if _, err := near.Write(refusal); err != nil {
					return
				}
				continue
			}
		}
		packet = v.rename(packet)
		if v.cuts(packet) {
			// The server runs it, and its response is dropped.
			l.mu.Lock()
			l.swallow = true
			l.mu.Unlock()
			if _, err := far.Write(packet); err == nil {
				<-l.swallowed
			}
			return
		}
		if _, err := far.Write(packet); err != nil {
			return
		}
	}
}

// cuts reports whether a connection is cut with a packet: it is the change with which all
// are, or comes after it.
func (v *Vitess) cuts(packet []byte) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.cut == 0 {
		return false
	}
	if v.cut > 0 && packet[3] == 0 && packet[4] == comQuery && changes.MatchString(stripLiterals(string(packet[5:]))) {
		v.cut--
		if v.cut == 0 {
			v.cut = -1
			return true
		}
	}
	return v.cut < 0
}

// rename has a packet name the database as the server knows it, and answers DATABASE().
func (v *Vitess) rename(packet []byte) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.alias == "" {
		return packet
	}
	said := packet[4:]
	switch {
	case packet[3] == 1: // the client's authentication
		said = bytes.Replace(said, []byte(v.alias+"\x00"), []byte(v.name+"\x00"), 1)
	case packet[3] == 0 && packet[4] == comQuery:
		said = databaseFunction.ReplaceAll(said, []byte("'guestlist@primary'"))
	}
	return append([]byte{byte(len(said)), byte(len(said) >> 8), byte(len(said) >> 16), packet[3]}, said...)
}

var databaseFunction = regexp.MustCompile(`(?i)\bDATABASE\(\)`)

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
		if l.onServerPacket(packet[4:]) {
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
