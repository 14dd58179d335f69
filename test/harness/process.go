package harness

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Process is the built program, running in a directory of its own.
type Process struct {
	*Site  // without App and Clock
	Cmd    *exec.Cmd
	Dir    string
	Stdout *Log
}

// Launch runs the program at path until the end of the test. It returns when the program
// has printed its address.
func Launch(t *testing.T, path string, flags ...string) *Process {
	t.Helper()
	return LaunchAs(t, []string{path}, flags...)
}

// LaunchAs is Launch with a command to which the flags are appended.
func LaunchAs(t *testing.T, command []string, flags ...string) *Process {
	t.Helper()
	p := &Process{Site: &Site{T: t, Log: &Log{}}, Dir: t.TempDir(), Stdout: &Log{}}
	args := append([]string{"--guestlist-addr=" + FreeAddr(t)}, flags...)
	var err error
	if p.Config, err = LoadConfig(args); err != nil {
		t.Fatal(err)
	}
	p.DevKeyFunc = func() string { return printedKey(p.Stdout.String()) }
	p.URL = p.Config.BaseURL.String()
	p.Host = p.URL
	p.Cmd = exec.Command(command[0], append(command[1:], args...)...)
	p.Cmd.Dir, p.Cmd.Env, p.Cmd.Stdout, p.Cmd.Stderr = p.Dir, []string{}, p.Stdout, p.Log
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Cmd.Process.Kill() // no effect if the test has ended it
		p.Cmd.Wait()
		p.Log.check(t)
	})
	Eventually(t, "the program serving", func() bool { return strings.Contains(p.Stdout.String(), p.URL) })
	return p
}

// printedKey returns the key in the printed inbox address.
func printedKey(printed string) string {
	_, after, _ := strings.Cut(printed, "/dev/inbox?key=")
	key, _, _ := strings.Cut(after, "\n")
	return key
}

// FreeAddr returns a loopback address that was free a moment ago.
func FreeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// program is what BuildProgram has built.
var program struct {
	build sync.Once
	dir   string
	err   error
}

// BuildProgram builds the program once per test process and returns its path. The
// package's TestMain must call RemoveProgram.
func BuildProgram(t testing.TB) string {
	t.Helper()
	program.build.Do(func() {
		if program.dir, program.err = os.MkdirTemp("", "guestlist-test-"); program.err != nil {
			return
		}
		out, err := exec.Command("go", "build", "-o", program.dir, "github.com/guestlist/guestlist").CombinedOutput()
		if err != nil {
			program.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return filepath.Join(program.dir, "guestlist")
}

// RemoveProgram deletes the program that BuildProgram has built, if any.
func RemoveProgram() {
	if program.dir != "" {
		os.RemoveAll(program.dir)
	}
}
