package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// residentMemory returns the memory of a process in bytes.
func residentMemory(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("needs /proc:", err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb << 10
}

// TestBuiltInProxy_MemoryOfWebSockets isn't parallel, because it opens thousands of
// connections.
func TestBuiltInProxy_MemoryOfWebSockets(t *testing.T) {
	const sockets, limit = 2000, 60 << 20
	upstream := harness.AcceptConnections(t, "127.0.0.1:0", acceptSocket)
	addr := harness.FreeAddr(t)
	_, port, _ := net.SplitHostPort(addr)
	host := "tool.localhost:" + port
	p := harness.Launch(t, harness.BuildProgram(t), "--database-url="+testdb.SQLite(t), "--guestlist-addr="+addr, "--guestlist-apps=http://"+host+" -> http://"+upstream.String())
	p.Transport = harness.LocalNames(t)
	protected := &protected{Process: p, url: "http://" + host}
	ada := p.NewPerson("ada@example.com")
	protected.enter(t, ada, "/")
	cookie := ""
	for _, c := range ada.Jar.Cookies(ada.NewRequest("GET", protected.url, nil).URL) {
		cookie = c.Name + "=" + c.Value
	}
	before := residentMemory(t, p.Cmd.Process.Pid)
	type open struct {
		net.Conn
		*bufio.Reader
	}
	var all []open
	for range sockets {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", host, cookie)
		reader := bufio.NewReader(conn)
		if res, err := http.ReadResponse(reader, nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("WebSocket %d: %v, %v", len(all), res, err)
		}
		all = append(all, open{conn, reader})
	}
	// A message of 300 bytes each way, as a chat has, and one of 3,000.
	for _, size := range []int{300, 3000} {
		for i, socket := range all {
			message := strings.Repeat("x", size)
			if _, err := io.WriteString(socket.Conn, message); err != nil {
				t.Fatalf("WebSocket %d: %v", i, err)
			}
			if _, err := io.ReadFull(socket.Reader, make([]byte, size)); err != nil {
				t.Fatalf("WebSocket %d: %v", i, err)
			}
		}
	}
	used := residentMemory(t, p.Cmd.Process.Pid) - before
	t.Logf("%d WebSockets: %.1f MB, %.1f KB each", sockets, float64(used)/(1<<20), float64(used)/sockets/1024)
	if used > limit {
		t.Errorf("%d WebSockets cost %d MB, want at most %d", sockets, used>>20, limit>>20)
	}
}

// acceptSocket is an application that answers requests with a page and sends back what comes
// through a WebSocket, without looking at its frames.
func acceptSocket(c net.Conn) {
	reader := bufio.NewReader(c)
	for {
		r, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		if r.Header.Get("Upgrade") == "" {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<h1>Tool</h1>")
			continue
		}
		fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_, _ = io.Copy(c, reader)
		return
	}
}
