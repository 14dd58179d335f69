package cli_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/guestlist/guestlist/internal/cli"
	"github.com/guestlist/guestlist/test/harness"
)

// TestMain makes the test binary serve as the guestlist command of transcripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"guestlist": func() { os.Exit(cli.Main()) }})
}

// TestTranscripts runs the transcripts in testdata/script, one for each command, each in its
// own directory. `exits 2 users` runs guestlist users and wants exit status 2; `soon health`
// repeats guestlist health until it succeeds. $ADDR is a free address to listen on, and
// nothing listens at $UNUSED_ADDR.
func TestTranscripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("ADDR", harness.FreeAddr(t))
			e.Setenv("UNUSED_ADDR", "127.0.0.1:1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "fetch": fetch, "soon": soon},
	})
}

// soon repeats a command until it succeeds, for instances that are starting.
func soon(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: soon WORD…")
	}
	for deadline := time.Now().Add(30 * time.Second); ts.Exec("guestlist", args...) != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("it never succeeded: %s", ts.ReadFile("stderr"))
		}
	}
}

// fetch prints what a URL answers, and wants it to be 200.
func fetch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: fetch URL")
	}
	response, err := http.Get(args[0])
	ts.Check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	ts.Check(err)
	if response.StatusCode != http.StatusOK {
		ts.Fatalf("%s: %s", args[0], response.Status)
	}
	fmt.Fprintln(ts.Stdout(), string(body))
}

// exits wants an exit status, and one error message as the last line of standard error.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: exits STATUS [WORD…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var ended *exec.ExitError
	if err := ts.Exec("guestlist", args[1:]...); !errors.As(err, &ended) || ended.ExitCode() != want {
		ts.Fatalf("it ended with %v, want status %d", err, want)
	}
	lines := strings.SplitAfter(ts.ReadFile("stderr"), "\n")
	for len(lines) > 1 && strings.HasPrefix(lines[0], `{"time":`) {
		lines = lines[1:]
	}
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "guestlist: ") || lines[1] != "" {
		ts.Fatalf("standard error does not end in one sentence: %q", lines)
	}
}
