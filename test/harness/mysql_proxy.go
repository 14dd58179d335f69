package harness

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// MySQLProxy forwards connections to a MySQL server. It can cut them, leave them hanging,
// and refuse statements.
type MySQLProxy struct {
	DSN    string // of the proxy
	server string // the address of the MySQL server

	mu       sync.Mutex
	refusing bool
	hanging  bool
	at       []byte // cut the connection when a statement contains this
	after    bool
	refused  []byte // respond with an error when a statement contains this
	number   uint16
	times    int
	clients  map[net.Conn]bool // the open connections

	Silent atomic.Int64 // the number of hanging connections
}

// NewMySQLProxy starts a proxy to the server of a DSN. edit changes the settings of the
// proxy's DSN; it may be nil.
func NewMySQLProxy(t *testing.T, dsn string, edit func(*mysql.Config)) *MySQLProxy {
	t.Helper()
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	p := &MySQLProxy{server: cfg.Addr, clients: map[net.Conn]bool{}}
	cfg.Addr = listener.Addr().String()
	if edit != nil {
		edit(cfg)
	}
	p.DSN = cfg.FormatDSN()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.forward(client)
		}
	}()
	return p
}

func (p *MySQLProxy) forward(client net.Conn) {
	defer client.Close()
	p.mu.Lock()
	refusing := p.refusing
	p.clients[client] = true
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.clients, client)
	}()
	if refusing {
		return
	}
	if p.hangs() {
		p.discard(client)
		return
	}
	upstream, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer upstream.Close()
	var lost atomic.Bool
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		defer client.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := upstream.Read(buffer)
			if err != nil || lost.Load() { // the server has executed it when it begins to respond
				return
			}
			if p.hangs() {
				continue
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		if p.hangs() {
			p.discard(client) // a later statement would not fit the interrupted one
			return
		}
		if answer := p.refusal(buffer[:n]); answer != nil {
			client.Write(answer)
			continue
		}
		cut, after := p.cuts(buffer[:n])
		if cut && !after {
			return
		}
		lost.Store(cut)
		if _, err := upstream.Write(buffer[:n]); err != nil {
			return
		}
		if cut {
			<-answers
			return
		}
	}
}

// cuts reports whether to cut the connection at this statement, and whether after the
// server has received it. A cut happens once.
func (p *MySQLProxy) cuts(statement []byte) (cut, after bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.at) == 0 || !bytes.Contains(statement, p.at) {
		return false, false
	}
	p.at = nil
	return true, p.after
}

// refusal returns the error packet for a statement to be refused, or nil.
func (p *MySQLProxy) refusal(statement []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.times == 0 || !bytes.Contains(statement, p.refused) {
		return nil
	}
	p.times--
	payload := binary.LittleEndian.AppendUint16([]byte{0xff}, p.number)
	payload = append(payload, "#HY000The statement for 'ada@example.com' is refused, says the server"...)
	return append([]byte{byte(len(payload)), 0, 0, 1}, payload...)
}

// RefuseAt refuses the next statements that contain the text, with a MySQL error number.
func (p *MySQLProxy) RefuseAt(text string, number uint16, times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused, p.number, p.times = []byte(text), number, times
}

// Hang sets whether the server is silent: it accepts connections and statements, and
// doesn't respond.
func (p *MySQLProxy) Hang(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hanging = yes
}

func (p *MySQLProxy) hangs() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hanging
}

// discard reads everything until the connection ends.
func (p *MySQLProxy) discard(c net.Conn) {
	p.Silent.Add(1)
	io.Copy(io.Discard, c)
}

// CutAt cuts the connection at the next statement that contains the text: before the
// server receives it, or after.
func (p *MySQLProxy) CutAt(text string, after bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.after = []byte(text), after
}

// CutPending reports whether a cut is still to happen.
func (p *MySQLProxy) CutPending() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.at) > 0
}

// CutAll cuts all open connections.
func (p *MySQLProxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for client := range p.clients {
		client.Close()
	}
}

// RefuseConnections closes new connections at once.
func (p *MySQLProxy) RefuseConnections() { p.set(true) }

// AcceptConnections ends RefuseConnections.
func (p *MySQLProxy) AcceptConnections() { p.set(false) }

func (p *MySQLProxy) set(refusing bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = refusing
}
