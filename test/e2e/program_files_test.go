package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/guestlist/guestlist/test/harness"
)

// held is a connection that is kept open.
type held struct {
	net.Conn
	answers *bufio.Reader
}

// connects opens a connection to a program and keeps it until the test ends.
func connects(t *testing.T, p *harness.Process) held {
	t.Helper()
	conn, err := net.Dial("tcp", p.Config.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return held{conn, bufio.NewReader(conn)}
}

// asks sends a request and returns the status of the response, or 0 if there is none.
func (h held) asks(p *harness.Process, path string) int {
	h.SetDeadline(time.Now().Add(15 * time.Second))
	fmt.Fprintf(h, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, p.Config.BaseURL.Host)
	answer, err := http.ReadResponse(h.answers, nil)
	if err != nil {
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

func TestProgram_WithFewFileDescriptorsRefusesExcessClients(t *testing.T) {
	t.Parallel()
	path := harness.BuildProgram(t)
	p := harness.LaunchAs(t, []string{"sh", "-c", `ulimit -n 64; exec "$0" "$@"`, path})
	ada := p.NewPerson("ada@example.com")
	ada.SignIn()
	early := connects(t, p)
	if got := early.asks(p, "/readyz"); got != http.StatusOK {
		t.Fatalf("before: %d", got)
	}

	var crowd []held
	for range 200 {
		crowd = append(crowd, connects(t, p))
	}
	harness.Eventually(t, "a word in the log", func() bool { return strings.Contains(p.Log.String(), "too many open files") })
	// Connected clients are served, and the database is reachable.
	for range 20 {
		if got := early.asks(p, "/"); got != http.StatusOK { // it counts administrators
			t.Errorf("with all descriptors in use: %d", got)
		}
	}
	if err := p.Cmd.Process.Signal(syscall.Signal(0)); err != nil {
		t.Fatalf("the program has ended: %v\n%s", err, p.Log)
	}
	for _, c := range crowd {
		c.Close()
	}
	begin := time.Now()
	harness.WantPage(t, ada.Get("/users"), 200, "People")
	harness.WantPage(t, ada.Submit(ada.Get("/users/new"), "Send invitation", "Email address", "grace@example.com"), 200, "People", "Invitation sent")
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("when they have gone, it takes %v", took)
	}
}
