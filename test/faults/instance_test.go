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

// build makes the program, as it is shipped.
func build(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "guestlist")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../..").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// instance is the program, which can be ended in every way and started again.
type instance struct {
	program string
	dir     string // it runs in; holds its log
	addr    string
	args    []string
	key     string // of the developer pages
	cmd     *exec.Cmd
	ended   chan struct{} // closed when cmd has ended
}

func newInstance(t *testing.T, program, databaseURL string) *instance {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close() // free a moment ago
	i := &instance{program: program, dir: t.TempDir(), addr: addr}
	_, port, _ := net.SplitHostPort(addr)
	i.args = []string{
		"--guestlist-addr=" + addr, "--guestlist-base-url=http://localhost:" + port, "--database-url=" + databaseURL,
		"--guestlist-local-stytch-limits=off", "--guestlist-log=json",
		"--guestlist-session-recheck=1s", // so that Stytch is asked about sessions all the time
	}
	t.Cleanup(i.kill)
	if err := i.start(); err != nil {
		t.Fatal(err)
	}
	return i
}

func (i *instance) printedFile() string { return filepath.Join(i.dir, "printed") }

// printedKey returns the key in the inbox address that a start has printed; empty
// before that.
func (i *instance) printedKey() string {
	printed, _ := os.ReadFile(i.printedFile())
	_, after, _ := strings.Cut(string(printed), "/dev/inbox?key=")
	key, _, _ := strings.Cut(after, "\n")
	return key
}

func (i *instance) logFile() string { return filepath.Join(i.dir, "log") }

// opened is a page that needs no database, and is there once the program is open.
const opened = "/signin/sent"

// start runs the program and returns when it serves.
func (i *instance) start() error {
	log, err := os.OpenFile(i.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the program has its own
	printed, err := os.Create(i.printedFile())
	if err != nil {
		return err
	}
	defer printed.Close()
	cmd, ended := exec.Command(i.program, i.args...), make(chan struct{})
	cmd.Dir, cmd.Env, cmd.Stderr = i.dir, []string{}, log
	cmd.Stdout = printed
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		cmd.Wait() // what it says is kept in cmd
		close(ended)
	}()
	i.cmd, i.ended = cmd, ended
	for giveUp := time.After(time.Minute); ; {
		client := http.Client{Timeout: time.Minute}
		if answer, err := client.Get("http://" + i.addr + opened); err == nil {
			answer.Body.Close()
			client.CloseIdleConnections()
			if i.key = i.printedKey(); answer.StatusCode == http.StatusOK && i.key != "" {
				return nil
			}
		}
		select {
		case <-i.ended:
			return fmt.Errorf("ended at once: %v\n%s", cmd.ProcessState, i.problems())
		case <-giveUp:
			return errors.New("does not serve in a minute")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// kill ends the program as kill -9 does.
func (i *instance) kill() {
	if i.cmd != nil {
		i.cmd.Process.Kill() // a no-op where it has ended
		<-i.ended
	}
}

// stop asks the program to end and returns when it has, in order and in time.
func (i *instance) stop() error {
	if err := i.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-i.ended:
	case <-time.After(20 * time.Second):
		return errors.New("told to stop, it still runs after 20 s")
	}
	if !i.cmd.ProcessState.Success() {
		return fmt.Errorf("told to stop, it ended with %v\n%s", i.cmd.ProcessState, i.problems())
	}
	return nil
}

// requests is how many of the clients' requests the program has noted in its log,
// in all its lives. Those for the local Stytch and its inbox are not noted; what
// the local Stytch says to the program is, and does not count.
func (i *instance) requests() int {
	text, _ := os.ReadFile(i.logFile())
	n := bytes.Count(text, []byte(`"msg":"request"`))
	for _, path := range []string{opened, "/webhooks/stytch"} {
		n -= bytes.Count(text, []byte(`"path":"`+path+`"`))
	}
	return n
}

// problems are the last errors in the program's log.
func (i *instance) problems() string {
	text, _ := os.ReadFile(i.logFile())
	var last []string
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, `"level":"INFO"`) {
			last = append(last, line)
		}
	}
	return strings.Join(last[max(0, len(last)-20):], "")
}
