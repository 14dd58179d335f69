package faults

import (
	"bytes"
	"errors"
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

// build builds the program and returns its path.
func build(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "guestlist")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../..").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// instance is an instance of the program.
type instance struct {
	program string
	dir     string // working directory with logs
	addr    string
	args    []string
	key     string // for local pages; changes with each start
	cmd     *exec.Cmd
	ended   chan struct{} // closed when cmd has ended
}

// newInstance starts an instance, which ends with the test.
func newInstance(t *testing.T, program, databaseURL string) *instance {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	i := &instance{program: program, dir: t.TempDir(), addr: addr}
	_, port, _ := net.SplitHostPort(addr)
	i.args = []string{
		"--guestlist-addr=" + addr, "--guestlist-base-url=http://localhost:" + port, "--database-url=" + databaseURL,
		"--guestlist-local-stytch-limits=off", "--guestlist-log=json",
		"--guestlist-session-recheck=1s", // verify sessions with Stytch often
	}
	t.Cleanup(i.kill)
	if err := i.start(); err != nil {
		t.Fatal(err)
	}
	return i
}

func (i *instance) outputFile() string { return filepath.Join(i.dir, "stdout") }

// printedKey returns the key for local pages that the program printed, or an empty string.
func (i *instance) printedKey() string {
	output, _ := os.ReadFile(i.outputFile())
	_, after, _ := strings.Cut(string(output), "/dev/inbox?key=")
	key, _, _ := strings.Cut(after, "\n")
	return key
}

func (i *instance) logFile() string { return filepath.Join(i.dir, "log") }

// readyPath is a page that needs no database. It's served once the program has started.
const readyPath = "/signin/sent"

// start starts the program and waits until it serves.
func (i *instance) start() error {
	log, err := os.OpenFile(i.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own descriptor
	output, err := os.Create(i.outputFile())
	if err != nil {
		return err
	}
	defer output.Close()
	cmd := exec.Command(i.program, i.args...)
	cmd.Dir = i.dir
	cmd.Env = []string{}
	cmd.Stdout = output
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait() // its error is in cmd.ProcessState
		close(ended)
	}()
	i.cmd = cmd
	i.ended = ended
	for timeout := time.After(time.Minute); ; {
		client := http.Client{Timeout: time.Minute}
		if resp, err := client.Get("http://" + i.addr + readyPath); err == nil {
			resp.Body.Close()
			client.CloseIdleConnections()
			if i.key = i.printedKey(); resp.StatusCode == http.StatusOK && i.key != "" {
				return nil
			}
		}
		select {
		case <-i.ended:
			return fmt.Errorf("ended during start: %v\n%s", cmd.ProcessState, i.recentErrors())
		case <-timeout:
			return errors.New("doesn't serve after a minute")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// kill kills the program.
func (i *instance) kill() {
	if i.cmd != nil {
		i.cmd.Process.Kill() // does nothing if it has ended
		<-i.ended
	}
}

// stop shuts the program down. It returns an error if that fails or takes too long.
func (i *instance) stop() error {
	if err := i.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-i.ended:
	case <-time.After(20 * time.Second):
		return errors.New("still running 20 s after SIGTERM")
	}
	if !i.cmd.ProcessState.Success() {
		return fmt.Errorf("after SIGTERM: %v\n%s", i.cmd.ProcessState, i.recentErrors())
	}
	return nil
}

// loggedRequests returns the number of clients' requests in the program's log, since the first start.
// The local Stytch's webhooks are logged and don't count.
func (i *instance) loggedRequests() int {
	text, _ := os.ReadFile(i.logFile())
	n := bytes.Count(text, []byte(`"msg":"request"`))
	for _, path := range []string{readyPath, "/webhooks/stytch"} {
		n -= bytes.Count(text, []byte(`"path":"`+path+`"`))
	}
	return n
}

// recentErrors returns the last warnings and errors in the program's log.
func (i *instance) recentErrors() string {
	text, _ := os.ReadFile(i.logFile())
	var last []string
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, `"level":"INFO"`) {
			last = append(last, line)
		}
	}
	return strings.Join(last[max(0, len(last)-20):], "")
}
