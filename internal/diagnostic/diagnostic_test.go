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

// says is a check that finds something at once.
func says(name string, f Finding, after ...string) Check {
	return Check{Name: name, After: after, Look: func(context.Context) Finding { return f }}
}

func run(t *testing.T, checks []Check, within time.Duration) []string {
	t.Helper()
	var told []string
	Run(t.Context(), checks, within, func(f Finding) {
		told = append(told, strings.TrimSpace(string(f.Status)+" "+f.Check+": "+f.Text))
	})
	return told
}

func TestWhatAFindingHidesAndWhatNot(t *testing.T) {
	t.Parallel()
	got := run(t, []Check{
		says("database", Fail("", "Nobody listens.")),
		says("tables", Pass("All there."), "database"),
		says("people", Pass("Many."), "tables"),
		says("Stytch", Warn("", "It is slow.")),
		says("clock", Pass("It agrees."), "Stytch"),
		says("mail", Pass("It is taken.")),
	}, time.Second)
	want := []string{
		"problem database: Nobody listens.",
		"skipped tables: Not looked at, for database comes before it.",
		"skipped people: Not looked at, for tables comes before it.",
		"warning Stytch: It is slow.",
		"ok clock: It agrees.",
		"ok mail: It is taken.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEachCheckHasATimeOfItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context) Finding {
			<-ctx.Done()
			return Fail("", "It gave up.")
		}
		begun := time.Now()
		got := run(t, []Check{
			{Name: "waits", Look: slow},
			{Name: "hangs", Look: func(context.Context) Finding {
				time.Sleep(time.Hour)
				return Pass("It heard nothing.")
			}},
			{Name: "warns late", Look: func(ctx context.Context) Finding {
				<-ctx.Done()
				return Warn("", "It is late.")
			}},
			{Name: "waits after", After: []string{"warns late"}, Look: slow},
			says("quick", Pass("It is well.")),
		}, 10*time.Second)
		want := []string{
			"problem waits: It gave up.", "problem hangs: There was no answer in 10s.", "warning warns late: It is late.",
			"problem waits after: It gave up.", "ok quick: It is well.",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if took := time.Since(begun); took != 20*time.Second {
			t.Errorf("it took %v, want the time of two, one after the other", took)
		}
		time.Sleep(time.Hour) // the one that hangs ends, too
	})
}

func TestFindingsAreToldAsSoonAsTheyCanBe(t *testing.T) {
	t.Parallel()
	first, told := make(chan struct{}), false
	Run(t.Context(), []Check{
		says("first", Pass("It is well.")),
		{Name: "second", Look: func(ctx context.Context) Finding {
			select {
			case <-first:
				return Pass("The first was told.")
			case <-ctx.Done():
				return Fail("", "The first was held back.")
			}
		}},
	}, 10*time.Second, func(f Finding) {
		if !told {
			close(first)
		}
		told = true
		if f.Status != OK {
			t.Error(f.Text)
		}
	})
}

// advised is an error of somebody whose part it is.
type advised struct{ error }

func (advised) Advice() string { return "Mend it." }

func TestAnErrorsOwnWordsComeFirst(t *testing.T) {
	t.Parallel()
	wrapped := errors.Join(advised{errors.New("it is broken")})
	if got, want := FromError(wrapped, "Look at IT_URL."), Fail("Mend it.", "It is broken."); got != want {
		t.Errorf("got %+v", got)
	}
	if got, want := FromError(errors.New("no idea."), "Look at IT_URL."), Fail("Look at IT_URL.", "No idea."); got != want {
		t.Errorf("got %+v", got)
	}
}
