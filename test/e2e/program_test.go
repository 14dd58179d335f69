package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/guestlist/guestlist/test/harness"
)

func TestMain(m *testing.M) {
	code := m.Run()
	harness.RemoveProgram()
	os.Exit(code)
}

func TestProgram_ServesWithoutSettings(t *testing.T) {
	t.Parallel()
	path := harness.BuildProgram(t)
	p := harness.Launch(t, path)
	for _, words := range []string{"Guestlist:  " + p.URL, p.URL + "/dev/inbox", "the first person to sign in becomes its administrator", "STYTCH_PROJECT_ID"} {
		harness.Eventually(t, words, func() bool { return strings.Contains(p.Stdout.String(), words) })
	}
	ada := p.NewPerson("ada@example.com")
	harness.WantPage(t, ada.SignIn(), 200, "My apps", "People")
	if info, err := os.Stat(filepath.Join(p.Dir, "data", "guestlist.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the database: %v, %v", info, err)
	}
}

func TestProgram_ServesMetrics(t *testing.T) {
	t.Parallel()
	path := harness.BuildProgram(t)
	addr := harness.FreeAddr(t)
	p := harness.Launch(t, path, "--guestlist-metrics-addr="+addr)
	harness.WantPage(t, p.NewPerson("ada@example.com").SignIn(), 200, "My apps", "People")
	refusesForeignHosts(t, addr)
	v := harness.NewVisitor(p.Site).Get("http://" + addr + "/metrics")
	for _, line := range []string{`guestlist_sign_ins_total{outcome="signed_in"} 1`, "go_memlimit_bytes 9223372036854775807"} {
		if !strings.Contains(v.Body, line+"\n") {
			t.Errorf("%d, no line %q in\n%s", v.Status, line, v.Body)
		}
	}
}

// refusesForeignHosts checks that metrics are not served under a public host name.
func refusesForeignHosts(t *testing.T, addr string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+addr+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "evil.example"
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("under another name: %s", answer.Status)
	}
}

func TestProgram_AnswersPendingRequestsWhenItStops(t *testing.T) {
	t.Parallel()
	path := harness.BuildProgram(t)
	p := harness.Launch(t, path)
	// One client has sent half of a form when the program is stopped.
	conn, err := net.Dial("tcp", p.Config.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	late, err := net.Dial("tcp", p.Config.Addr) // another has only connected
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	late.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(conn, "POST /signin HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 21\r\n\r\nemail=ada@", p.Config.BaseURL.Host)
	// The response to a later request shows that the first one was accepted.
	harness.NewVisitor(p.Site).Get("/healthz")
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, "a new connection refused", func() bool {
		c, err := net.Dial("tcp", p.Config.Addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	fmt.Fprintf(late, "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n", p.Config.BaseURL.Host)
	if answer, err := http.ReadResponse(bufio.NewReader(late), nil); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("who had connected before got %v, %v", answer, err)
	}
	fmt.Fprint(conn, "example.com")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v\n%s", err, p.Log)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		t.Errorf("the answer is %s", answer.Status)
	}
	if err := p.Cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, p.Log)
	}
}
