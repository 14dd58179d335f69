// Package diagnostic runs health checks and defines their result. The checks belong to the
// packages they are about, which report problems as faults with advice.
package diagnostic

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guestlist/guestlist/internal/fault"
)

// Status is the severity of a finding.
type Status string

// Statuses. A problem prevents people from signing in, now or later; a warning may be
// intended. A skipped check depends on one that found a problem.
const (
	OK      Status = "ok"
	Warning Status = "warning"
	Problem Status = "problem"
	Skipped Status = "skipped"
)

// Finding is the result of a check.
type Finding struct {
	Check  string `json:"check"` // the name of the check
	Status Status `json:"status"`
	Text   string `json:"text"`             // one sentence
	Action string `json:"action,omitempty"` // what to do; empty if there is nothing to do
}

// Pass returns a finding with status OK.
func Pass(format string, args ...any) Finding {
	return Finding{Status: OK, Text: fmt.Sprintf(format, args...)}
}

// Warn returns a finding with status Warning.
func Warn(action, format string, args ...any) Finding {
	return Finding{Status: Warning, Text: fmt.Sprintf(format, args...), Action: action}
}

// Fail returns a finding with status Problem.
func Fail(action, format string, args ...any) Finding {
	return Finding{Status: Problem, Text: fmt.Sprintf(format, args...), Action: action}
}

// Skip returns a finding with status Skipped.
func Skip(format string, args ...any) Finding {
	return Finding{Status: Skipped, Text: fmt.Sprintf(format, args...)}
}

// Check is one health check.
type Check struct {
	Name  string
	After []string                          // earlier checks; if one of them is a problem or skipped, this one is skipped
	Look  func(ctx context.Context) Finding // must return soon after ctx ends
}

// Run runs the checks concurrently, each for at most limit once those it depends on have
// finished, and reports their findings in the order of the list.
func Run(ctx context.Context, checks []Check, limit time.Duration, report func(Finding)) {
	findings := make([]Finding, len(checks))
	done := make([]chan struct{}, len(checks))
	for i := range checks {
		done[i] = make(chan struct{})
	}
	for i, c := range checks {
		go func() {
			defer close(done[i])
			findings[i] = runAfter(ctx, c, checks[:i], done, findings, limit)
			findings[i].Check = c.Name
		}()
	}
	for i := range checks {
		<-done[i]
		report(findings[i])
	}
}

func runAfter(ctx context.Context, c Check, earlier []Check, done []chan struct{}, findings []Finding, limit time.Duration) Finding {
	for i, e := range earlier {
		if !slices.Contains(c.After, e.Name) {
			continue
		}
		<-done[i]
		if s := findings[i].Status; s == Problem || s == Skipped {
			return Skip("Not checked: %s must pass first.", e.Name)
		}
	}
	return run(ctx, c, limit)
}

// run runs one check. It abandons a check that doesn't return in time.
func run(ctx context.Context, c Check, limit time.Duration) Finding {
	const grace = 2 * time.Second // to return after ctx has ended
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	result := make(chan Finding, 1)
	go func() { result <- c.Look(ctx) }()
	select {
	case f := <-result:
		return f
	case <-time.After(limit + grace):
		return Fail("", "There was no response in %s.", limit)
	}
}

// FromError returns the finding for an error, with its advice if it has some. hint is
// added for errors without advice of their own; it says where to look.
func FromError(err error, hint string) Finding {
	text, action := fault.Explain(err)
	if !fault.IsFault(err) {
		action = strings.TrimSpace(action + " " + hint)
	}
	return Fail(action, "%s", fault.Sentence(text))
}
