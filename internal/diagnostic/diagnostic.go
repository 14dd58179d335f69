// Package diagnostic is the form of what a look at an installation finds, and the running
// of such looks. What there is to look at, and what it means, is known to those whose
// part it is: a package that finds something wrong returns a fault, with a sentence and
// with what can be done about it.
package diagnostic

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/fault"
)

// Status is how bad it is.
type Status string

// A problem keeps people out, or will. A warning may be as it should be, and somebody
// should know of it. What was skipped could not be looked at because of something else.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Problem Status = "problem"
	Skipped Status = "skipped"
)

// Finding is what a check has found.
type Finding struct {
	Check  string `json:"check"` // its name
	Status Status `json:"status"`
	Text   string `json:"text"`             // one sentence
	Action string `json:"action,omitempty"` // what to do; empty if there is nothing
}

// Pass is the finding that all is well.
func Pass(format string, args ...any) Finding {
	return Finding{Status: OK, Text: fmt.Sprintf(format, args...)}
}

// Warn is the finding of something that may be as it should be.
func Warn(action, format string, args ...any) Finding {
	return Finding{Status: Warning, Text: fmt.Sprintf(format, args...), Action: action}
}

// Fail is the finding of something that is not as it should be.
func Fail(action, format string, args ...any) Finding {
	return Finding{Status: Problem, Text: fmt.Sprintf(format, args...), Action: action}
}

// Skip is the finding that there could be none.
func Skip(format string, args ...any) Finding {
	return Finding{Status: Skipped, Text: fmt.Sprintf(format, args...)}
}

// Check is one thing to look at.
type Check struct {
	Name  string
	After []string                          // checks before it in the list; it is skipped unless all of them found something to go by
	Look  func(ctx context.Context) Finding // returns soon after ctx ends
}

// Run makes all checks at once, each with so much time from when it can begin, and
// tells what they found in the order of the list.
func Run(ctx context.Context, checks []Check, within time.Duration, tell func(Finding)) {
	found := make([]Finding, len(checks))
	done := make([]chan struct{}, len(checks))
	for i := range checks {
		done[i] = make(chan struct{})
	}
	for i, c := range checks {
		go func() {
			defer close(done[i])
			for before := range checks[:i] {
				if !slices.Contains(c.After, checks[before].Name) {
					continue
				}
				<-done[before]
				if s := found[before].Status; s == Problem || s == Skipped {
					found[i] = Skip("Not looked at, for %s comes before it.", checks[before].Name)
					found[i].Check = c.Name
					return
				}
			}
			found[i] = runCheck(ctx, c, within)
		}()
	}
	for i := range checks {
		<-done[i]
		tell(found[i])
	}
}

// runCheck makes one check, and leaves it alone if it does not end in time.
func runCheck(ctx context.Context, c Check, within time.Duration) Finding {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	answer := make(chan Finding, 1)
	go func() { answer <- c.Look(ctx) }()
	var f Finding
	select {
	case f = <-answer:
	case <-time.After(within + grace):
		f = Fail("", "There was no answer in %s.", within)
	}
	f.Check = c.Name
	return f
}

// grace is how soon a check is over when its time is.
const grace = 2 * time.Second

// FromError is the finding of an error, in the words of the fault in it if there is one.
// The hint says where to look, for an error of a network that knows no more.
func FromError(err error, hint string) Finding {
	text, action := fault.Explain(err)
	if !fault.IsFault(err) {
		action = strings.TrimSpace(action + " " + hint)
	}
	return Fail(action, "%s", fault.Sentence(text))
}
