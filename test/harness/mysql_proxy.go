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

// MySQLProxy is a connection to a MySQL server that can be cut, or left hanging, and
// whose server can be made to refuse a statement.
type MySQLProxy struct {
	DSN    string // of the near end
	server string // address of the far end

	mu       sync.Mutex
	refusing bool
	hanging  bool
	at       []byte // cut when a client sends this
	after    bool
	refused  []byte // answered with the error when a client sends this
	number   uint16
	times    int

	Silent atomic.Int64 // connections on which nothing is answered any more
}

// NewMySQLProxy returns a wire to the server of a DSN; edit, if not nil, changes the
// settings of the near end.
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
	w := &MySQLProxy{server: cfg.Addr}
	cfg.Addr = listener.Addr().String()
	if edit != nil {
		edit(cfg)
	}
	w.DSN = cfg.FormatDSN()
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go w.carry(near)
		}
	}()
	return w
}

func (w *MySQLProxy) carry(near net.Conn) {
	defer near.Close()
	w.mu.Lock()
	refusing := w.refusing
	w.mu.Unlock()
	if refusing {
		return
	}
	if w.hangs() {
		w.swallow(near)
		return
	}
	far, err := net.Dial("tcp", w.server)
	if err != nil {
		return
	}
	defer far.Close()
	var lost atomic.Bool
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		defer near.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := far.Read(buffer)
			if err != nil || lost.Load() { // the server has done it when it begins to answer
				return
			}
			if w.hangs() {
				continue
			}
			if _, err := near.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := near.Read(buffer)
		if err != nil {
			return
		}
		if w.hangs() {
			w.swallow(near) // what comes later would not follow on what came before
			return
		}
		if answer := w.refusal(buffer[:n]); answer != nil {
			near.Write(answer)
			continue
		}
		cut, after := w.cuts(buffer[:n])
		if cut && !after {
			return
		}
		lost.Store(cut)
		if _, err := far.Write(buffer[:n]); err != nil {
			return
		}
		if cut {
			<-answers
			return
		}
	}
}

// cuts reports whether to cut at this statement; each cut is for one.
func (w *MySQLProxy) cuts(statement []byte) (cut, after bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.at) == 0 || !bytes.Contains(statement, w.at) {
		return false, false
	}
	w.at = nil
	return true, w.after
}

// refusal is the server's error packet if it is to refuse this statement; nil if not.
func (w *MySQLProxy) refusal(statement []byte) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.times == 0 || !bytes.Contains(statement, w.refused) {
		return nil
	}
	w.times--
	payload := binary.LittleEndian.AppendUint16([]byte{0xff}, w.number)
	payload = append(payload, "#HY000The statement for 'ada@example.com' is refused, says the server"...)
	return append([]byte{byte(len(payload)), 0, 0, 1}, payload...)
}

// RefuseAt has the server refuse the next statements that have the text.
func (w *MySQLProxy) RefuseAt(text string, number uint16, times int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refused, w.number, w.times = []byte(text), number, times
}

// Hang has the server go silent: it still takes connections and statements.
func (w *MySQLProxy) Hang(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hanging = yes
}

func (w *MySQLProxy) hangs() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hanging
}

// swallow takes all that comes until the connection ends.
func (w *MySQLProxy) swallow(c net.Conn) {
	w.Silent.Add(1)
	io.Copy(io.Discard, c)
}

func (w *MySQLProxy) CutAt(text string, after bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at, w.after = []byte(text), after
}

func (w *MySQLProxy) CutPending() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.at) > 0
}

func (w *MySQLProxy) RefuseConnections() { w.set(true) }

func (w *MySQLProxy) AcceptConnections() { w.set(false) }

func (w *MySQLProxy) set(refusing bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refusing = refusing
}
