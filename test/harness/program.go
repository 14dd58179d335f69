package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// FindPeer returns the path of a program that `make peers` gets: the first candidate that exists. It
// skips the test unless `make peers` runs it, in which a missing program is a failure.
func FindPeer(t testing.TB, name string, candidates ...string) string {
	t.Helper()
	if os.Getenv("GUESTLIST_TEST_PEERS") == "" {
		t.Skipf("make peers runs %s", name)
	}
	for _, candidate := range candidates {
		if path, err := exec.LookPath(candidate); err == nil {
			return path
		}
	}
	t.Fatalf("no %s: make peers gets it", name)
	return ""
}

// Program is a program of others and how to run it.
type Program struct {
	Path string
	Args []string
	Dir  string   // its home
	Env  []string // added to the environment, as NAME=value
}

// Start starts the program and returns its output when ready returns true. It ends with the test; if
// the test has failed, what the program has printed is logged.
func (p Program) Start(t testing.TB, ready func() bool) *Log {
	t.Helper()
	out := &Log{}
	name := filepath.Base(p.Path)
	cmd := exec.Command(p.Path, p.Args...)
	cmd.Env = append(append(os.Environ(), "HOME="+p.Dir), p.Env...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
		if t.Failed() {
			t.Logf("%s: %s", name, out.String())
		}
	})
	Eventually(t, name+" serving", func() bool {
		select {
		case <-ended:
			t.Fatalf("%s: %s", name, out.String())
		default:
		}
		return ready()
	})
	return out
}
