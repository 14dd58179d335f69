package openid

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// Outcome is how a module ended.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "passed"
	Warned  Outcome = "warning" // it passed, with warnings
	Skipped Outcome = "skipped" // the provider does not support what it checks, and need not
	Failed  Outcome = "failed"
)

// Result is the outcome of a module with its failures, warnings or the reason for skipping it.
type Result struct {
	Module  string
	Outcome Outcome
	Reports []string
}

// run is a run of a module.
type run struct {
	ctx      context.Context
	p        *Provider
	http     *http.Client
	metadata object
	keys     []key

	failures []string
	warnings []string
	skipped  string
}

// ended is the panic that ends a module early.
type ended struct{}

// fail records a failure and continues.
func (r *run) fail(format string, args ...any) {
	r.failures = add(r.failures, fmt.Sprintf(format, args...))
}

// warn records a warning.
func (r *run) warn(format string, args ...any) {
	r.warnings = add(r.warnings, fmt.Sprintf(format, args...))
}

// add adds a report, unless it is there.
func add(reports []string, text string) []string {
	if slices.Contains(reports, text) {
		return reports
	}
	return append(reports, text)
}

// stop records a failure and ends the module.
func (r *run) stop(format string, args ...any) {
	r.fail(format, args...)
	panic(ended{})
}

// skip ends the module because the provider does not support what it checks.
func (r *run) skip(reason string) {
	r.skipped = reason
	panic(ended{})
}

// must ends the module if err is not nil.
func (r *run) must(err error) {
	if err != nil {
		r.stop("%v", err)
	}
}

// Run runs a module.
func (p *Provider) Run(ctx context.Context, m Module) Result {
	r := &run{ctx: ctx, p: p, http: &http.Client{Transport: p.Transport, CheckRedirect: noRedirects}}
	func() {
		defer func() {
			if cause := recover(); cause != nil && cause != (ended{}) {
				panic(cause)
			}
		}()
		m.run(r)
	}()
	return r.result(m.Name)
}

// result returns the result of a run that has ended.
func (r *run) result(name string) Result {
	switch {
	case len(r.failures) > 0:
		return Result{name, Failed, append(r.failures, r.warnings...)}
	case r.skipped != "":
		return Result{name, Skipped, append([]string{r.skipped}, r.warnings...)}
	case len(r.warnings) > 0:
		return Result{name, Warned, r.warnings}
	}
	return Result{name, Passed, nil}
}

// report logs what a module has reported.
func (r Result) report(t *testing.T) {
	t.Helper()
	for _, text := range r.Reports {
		t.Log(text)
	}
}
