package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Tests of the program as it is shipped, built once.
func TestTheProgram(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "guestlist")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	t.Run("without settings serves this machine, from an empty folder", func(t *testing.T) {
		t.Parallel()
		withoutSettings(t, path)
	})
	t.Run("has its metrics where it is told", func(t *testing.T) {
		t.Parallel()
		hasMetrics(t, path)
	})
	t.Run("answers what was begun when it is told to stop", func(t *testing.T) {
		t.Parallel()
		stopsInOrder(t, path)
	})
	t.Run("with few files to open takes no more clients than it can, and serves those", func(t *testing.T) {
		t.Parallel()
		withFewFiles(t, path)
	})
	t.Run("killed between the two halves of an invitation leaves nothing half-done", func(t *testing.T) {
		t.Parallel()
		killedBetweenTheHalves(t, path)
	})
	t.Run("says what to do where PlanetScale refuses changes of tables", func(t *testing.T) {
		t.Parallel()
		wherePlanetScaleRefuses(t, path)
	})
	t.Run("killed in the middle of an import goes on behind it", func(t *testing.T) {
		t.Parallel()
		killedInAnImport(t, path)
	})
}

// process is the program, running in a folder of its own.
type process struct {
	*site  // without app and clock
	cmd    *exec.Cmd
	dir    string
	stdout *logged
}

// launch runs the program and returns when it serves.
func launch(t *testing.T, path string, flags ...string) *process {
	t.Helper()
	return launchAs(t, []string{path}, flags...)
}

// launchAs is launch by a command that the program's flags are put behind.
func launchAs(t *testing.T, command []string, flags ...string) *process {
	t.Helper()
	p := &process{site: &site{t: t, log: &logged{}}, dir: t.TempDir(), stdout: &logged{}}
	args := append([]string{"--guestlist-addr=" + freeAddr(t)}, flags...)
	var err error
	if p.cfg, err = load(args); err != nil {
		t.Fatal(err)
	}
	p.dev = func() string { return printedKey(p.stdout.String()) }
	p.url = p.cfg.BaseURL.String()
	p.host = p.url
	p.cmd = exec.Command(command[0], append(command[1:], args...)...)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = p.dir, []string{}, p.stdout, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.cmd.Process.Kill() // a no-op where the test has ended it
		p.cmd.Wait()
		p.log.check(t)
	})
	eventually(t, "the program serving", func() bool { return strings.Contains(p.stdout.String(), p.url) })
	return p
}

// printedKey returns the key in the inbox address that a start has printed.
func printedKey(printed string) string {
	_, after, _ := strings.Cut(printed, "/dev/inbox?key=")
	key, _, _ := strings.Cut(after, "\n")
	return key
}

// freeAddr returns a loopback address that was free a moment ago.
func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func withoutSettings(t *testing.T, path string) {
	p := launch(t, path)
	for _, words := range []string{"Guestlist is at  " + p.url, p.url + "/dev/inbox", "the first person to sign in becomes its administrator", "STYTCH_PROJECT_ID"} {
		eventually(t, words, func() bool { return strings.Contains(p.stdout.String(), words) })
	}
	ada := p.person("ada@example.com")
	wants(t, ada.signsIn(), 200, "People")
	if info, err := os.Stat(filepath.Join(p.dir, "data", "guestlist.db")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the database: %v, %v", info, err)
	}
}

func hasMetrics(t *testing.T, path string) {
	addr := freeAddr(t)
	p := launch(t, path, "--guestlist-metrics-addr="+addr)
	wants(t, p.person("ada@example.com").signsIn(), 200, "People")
	refusesForeignHosts(t, addr)
	v := newcomer(p.site).get("http://" + addr + "/metrics")
	for _, line := range []string{`guestlist_sign_ins_total{outcome="signed_in"} 1`, "go_memlimit_bytes 9223372036854775807"} {
		if !strings.Contains(v.body, line+"\n") {
			t.Errorf("%d, no line %q in\n%s", v.status, line, v.body)
		}
	}
}

// refusesForeignHosts checks that a page whose own name leads to the metrics gets none.
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

func stopsInOrder(t *testing.T, path string) {
	p := launch(t, path)
	// Somebody has sent half of a form when the program is told to stop.
	conn, err := net.Dial("tcp", p.cfg.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	late, err := net.Dial("tcp", p.cfg.Addr) // somebody who has only connected by then
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	late.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(conn, "POST /signin HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 21\r\n\r\nemail=ada@", p.cfg.BaseURL.Host)
	// An answer to a later request shows that the first one has been taken on.
	newcomer(p.site).get("/healthz")
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a new connection refused", func() bool {
		c, err := net.Dial("tcp", p.cfg.Addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	fmt.Fprintf(late, "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n", p.cfg.BaseURL.Host)
	if answer, err := http.ReadResponse(bufio.NewReader(late), nil); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("who had connected before got %v, %v", answer, err)
	}
	fmt.Fprint(conn, "example.com")
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v\n%s", err, p.log)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		t.Errorf("the answer is %s", answer.Status)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v\n%s", err, p.log)
	}
}
