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

// Vitess is a proxy for a MySQL server that accepts no more than PlanetScale. It applies
// the rules of [refusedByVitess], ends long transactions as PlanetScale does, and can
// refuse schema changes. A statement that breaks a rule gets an error and fails the test.
type Vitess struct {
	DSN string // go-sql-driver DSN of an empty database

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

// NewVitess returns a server with an empty database for the duration of the test.
func NewVitess(t testing.TB) *Vitess {
	t.Helper()
	return BehindVitess(t, MySQL(t))
}

// BehindVitess returns a proxy for an existing database.
func BehindVitess(t testing.TB, dsn string) *Vitess {
	t.Helper()
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Net != "tcp" || cfg.TLSConfig != "" {
		t.Fatal("GUESTLIST_TEST_MYSQL_DSN must name a server that is reached by TCP and without TLS, because this proxy reads the statements")
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

// SafeMigrations turns the refusal of schema changes on or off. It returns the number of
// refused ones so far.
func (v *Vitess) SafeMigrations(on bool) (refused int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.safe = on
	return v.refused
}

// Name gives the database another name for clients, like PlanetScale's @primary or
// guestlist@primary, and returns the new DSN. DATABASE() then returns guestlist@primary,
// which information_schema doesn't contain.
func (v *Vitess) Name(alias string) string {
	cfg, err := mysql.ParseDSN(v.DSN)
	if err != nil {
		panic(err) // unreachable: BehindVitess formatted the DSN
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.alias, cfg.DBName = alias, alias
	return cfg.FormatDSN()
}

// PrimaryAway makes statements that need a primary fail as in vtgate without one.
func (v *Vitess) PrimaryAway(on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.away = on
}

// ReadOnly makes changes fail as on a read-only primary.
func (v *Vitess) ReadOnly(on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.locked = on
}

// NoConnections makes new connections fail as on a server at its connection limit.
func (v *Vitess) NoConnections(on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.full = on
}

// CutAfter closes all connections, including new ones, after a number of changes of rows
// or tables, before the response to the last one, as if the program were killed then. 0
// turns this off.
func (v *Vitess) CutAfter(changes int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cut = changes
}

// EndTransaction aborts the first transaction that has reached a number of statements,
// not counting its start, at its next statement or commit, as if it had taken too long.
func (v *Vitess) EndTransaction(after int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ends, v.after = true, after
}

// Ended reports whether a transaction was aborted since EndTransaction, and turns that off.
func (v *Vitess) Ended() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	ended := !v.ends
	v.ends = false
	return ended
}

// Largest returns the maximum numbers so far of statements in a transaction, of rows that
// a transaction changed, and of rows in a result.
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
	go l.copyResponses()
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

// cuts reports whether to close the connection that sent a packet; see CutAfter.
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

// rename replaces the alias in a client's packet with the database's name, and DATABASE()
// with the alias.
func (v *Vitess) rename(packet []byte) []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.alias == "" {
		return packet
	}
	payload := packet[4:]
	switch {
	case packet[3] == 1: // the client's authentication
		payload = bytes.Replace(payload, []byte(v.alias+"\x00"), []byte(v.name+"\x00"), 1)
	case packet[3] == 0 && packet[4] == comQuery:
		payload = databaseFunction.ReplaceAll(payload, []byte("'guestlist@primary'"))
	}
	return append([]byte{byte(len(payload)), byte(len(payload) >> 8), byte(len(payload) >> 16), packet[3]}, payload...)
}

var databaseFunction = regexp.MustCompile(`(?i)\bDATABASE\(\)`)

// copyResponses copies the server's packets to the client.
func (l *link) copyResponses() {
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

// readPacket reads a packet of the MySQL protocol: its length in three bytes, its sequence
// number, and its payload.
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

// refusal returns an error packet.
func refusal(number uint16, state, text string) []byte {
	payload := binary.LittleEndian.AppendUint16([]byte{0xff}, number)
	payload = fmt.Appendf(payload, "#%s%s", state, text)
	return append([]byte{byte(len(payload)), byte(len(payload) >> 8), 0, 1}, payload...)
}
