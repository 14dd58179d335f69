// Guestlist is browser login plus a user directory in one program: the people on
// the list get in, nobody else does. Run it without settings for a list on this
// machine; README.md says how to run it for others.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/mattn/go-isatty"

	"github.com/guestlist/guestlist/internal/fault"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "guestlist:", err)
		os.Exit(exitCode(err))
	}
}

// run does what was asked, until it is done or ctx ends. The error is a sentence.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) error {
	p := &cli{env: environ, in: stdin, out: stdout, err: stderr, flags: map[string]string{}}
	root := p.newRootCommand()
	root.SetArgs(append([]string{}, args...)) // nil would stand for the arguments of the process
	return explained(root.ExecuteContext(ctx))
}

// explainedError is an error in the words that doctor has for the fault in it.
type explainedError struct {
	error
	message string
}

func (e explainedError) Error() string { return e.message }
func (e explainedError) Unwrap() error { return e.error }

// explained returns an error that says what happened and what to do, as doctor does.
func explained(err error) error {
	if err == nil {
		return nil
	}
	return explainedError{err, fault.Message(err)}
}

// usageError is the error of a command that was asked for what cannot be: an unknown
// word or flag, a setting or a value that can't be right. Nothing was done.
type usageError struct{ error }

func (m usageError) Unwrap() error { return m.error }

// exitCode tells a script whether to mend its own call (2) or to look at what
// the program met (1).
func exitCode(err error) int {
	if errors.As(err, new(usageError)) {
		return 2
	}
	return 1
}

func newLog(format string, w io.Writer, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// isTerminal reports whether a person sits at the other end of a stream.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}
