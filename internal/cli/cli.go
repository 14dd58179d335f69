// Package cli is the command line: flags, output and exit codes. Each command has a file of
// its own.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/guestlist/guestlist/internal/fault"
)

// Main runs the command line of the process and returns its exit status. The first
// interrupt or termination signal ends the command in order, the second one at once.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	err := Run(ctx, Invocation{Args: os.Args[1:], Env: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
	if err != nil {
		fmt.Fprintln(os.Stderr, "guestlist:", err)
	}
	return exitCode(err)
}

// Invocation is one call of the command line.
type Invocation struct {
	Args           []string // without the name of the program
	Env            []string // as "NAME=value"
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	Now         func() time.Time // time.Now if nil
	Interactive bool             // ask for confirmation even if Stdin is no terminal
}

// Run executes a command. It returns when the command finishes or ctx is cancelled. The
// error's text is a message for the user.
func Run(ctx context.Context, in Invocation) error {
	err := NewRootCommand(in).ExecuteContext(ctx)
	if err == nil {
		return nil
	}
	return explainedError{err, fault.Message(err)}
}

// explainedError is an error with a message that says what to do about it.
type explainedError struct {
	error
	message string
}

func (e explainedError) Error() string { return e.message }

func (e explainedError) Unwrap() error { return e.error }

// usageError reports an invalid invocation: an unknown argument or flag, or an invalid
// value or setting. Nothing was changed.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// exitCode returns 0 for nil, 2 for usage errors and 1 for all other errors.
func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.As(err, new(usageError)):
		return 2
	}
	return 1
}
