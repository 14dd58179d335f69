package diagnostic

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fixed returns a check that finds f at once.
func fixed(name string, f Finding, after ...string) Check {
	return Check{Name: name, After: after, Look: func(context.Context) Finding { return f }}
}

func runAll(t *testing.T, checks []Check, limit time.Duration) []string {
	t.Helper()
	var reported []string
	Run(t.Context(), checks, limit, func(f Finding) {
		reported = append(reported, strings.TrimSpace(string(f.Status)+" "+f.Check+": "+f.Text))
	})
	return reported
}

func TestRun_ProblemsSkipDependentChecks(t *testing.T) {
	t.Parallel()
	got := runAll(t, []Check{
		fixed("database", Fail("", "Unreachable.")),
		fixed("tables", Pass("Complete."), "database"),
		fixed("people", Pass("Many."), "tables"),
		fixed("Stytch", Warn("", "Slow.")),
		fixed("clock", Pass("Correct."), "Stytch"),
		fixed("mail", Pass("Accepted.")),
	}, time.Second)
	want := []string{
		"problem database: Unreachable.",
		"skipped tables: Not checked: database must pass first.",
		"skipped people: Not checked: tables must pass first.",
		"warning Stytch: Slow.",
		"ok clock: Correct.",
		"ok mail: Accepted.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRun_LimitAppliesToEachCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context) Finding {
			<-ctx.Done()
			return Fail("", "Cancelled.")
		}
		begin := time.Now()
		got := runAll(t, []Check{
			{Name: "slow", Look: slow},
			{Name: "stuck", Look: func(context.Context) Finding {
				time.Sleep(time.Hour)
				return Pass("Not cancelled.")
			}},
			{Name: "slow warning", Look: func(ctx context.Context) Finding {
				<-ctx.Done()
				return Warn("", "Late.")
			}},
			{Name: "slow after", After: []string{"slow warning"}, Look: slow},
			fixed("quick", Pass("Fine.")),
		}, 10*time.Second)
		want := []string{
			"problem slow: Cancelled.", "problem stuck: There was no response in 10s.", "warning slow warning: Late.",
			"problem slow after: Cancelled.", "ok quick: Fine.",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if took := time.Since(begin); took != 20*time.Second {
			t.Errorf("took %v, want twice the limit", took)
		}
		time.Sleep(time.Hour) // so that the stuck check ends as well
	})
}

func TestRun_ReportsFindingsAsTheyCome(t *testing.T) {
	t.Parallel()
	first, reported := make(chan struct{}), false
	Run(t.Context(), []Check{
		fixed("first", Pass("Fine.")),
		{Name: "second", Look: func(ctx context.Context) Finding {
			select {
			case <-first:
				return Pass("The first was reported.")
			case <-ctx.Done():
				return Fail("", "The first was held back.")
			}
		}},
	}, 10*time.Second, func(f Finding) {
		if !reported {
			close(first)
		}
		reported = true
		if f.Status != OK {
			t.Error(f.Text)
		}
	})
}

type errorWithAdvice struct{ error }

func (errorWithAdvice) Advice() string { return "Replace it." }

func TestFromError(t *testing.T) {
	t.Parallel()
	wrapped := errors.Join(errorWithAdvice{errors.New("it is broken")})
	if got, want := FromError(wrapped, "Check IT_URL."), Fail("Replace it.", "It is broken."); got != want {
		t.Errorf("with advice: got %+v", got)
	}
	if got, want := FromError(errors.New("no idea."), "Check IT_URL."), Fail("Check IT_URL.", "No idea."); got != want {
		t.Errorf("without advice: got %+v", got)
	}
}
