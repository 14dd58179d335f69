package faults

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

// experiments is everything that breaks.
var experiments = []experiment{
	{"one of two killed", onSQLite, whenKilled, kills},
	{"one of two killed", onMariaDB, whenKilled, kills},
	{"database killed", onKillable, anything, databaseKilled},
	{"database connections cut", behindProxy, anything, databaseCut},
	{"database slow by 500 ms", behindProxy, anything, databaseSlow},
	{"told to stop", onSQLite, nothing, stops},
	{"told to stop", onMariaDB, nothing, stops},
	{"disk full", onSmallDisk, anything, diskFull},

	{"Stytch down", onMariaDB, nothing, stytch(10*time.Second, time.Minute, rule{Route: "*", Kind: "down", Share: 1})},
	{"Stytch answers 429 to half", onSQLite, nothing, stytch(5*time.Second, time.Minute, rule{Route: "*", Kind: "status", Status: 429, Share: 0.5})},
	{"Stytch answers 500 to half", onMariaDB, nothing, stytch(5*time.Second, time.Minute, rule{Route: "*", Kind: "status", Status: 500, Share: 0.5})},
	{"Stytch hangs", onSQLite, nothing, stytch(7*time.Second, time.Minute, rule{Route: "*", Kind: "hang", Share: 1})},
	{"Stytch acts and spoils its answers", onSQLite, anything, stytch(5*time.Second, time.Minute,
		rule{Route: "*", Kind: "garbage", Share: 0.15, After: true}, rule{Route: "*", Kind: "empty", Share: 0.15, After: true},
		rule{Route: "*", Kind: "cut", Share: 0.15}, rule{Route: "*", Kind: "status", Status: 500, Share: 0.15, After: true})},
	{"Stytch removes nobody", onSQLite, nothing, stytch(4*time.Second, time.Minute, rule{Route: "/v1/users/*", Kind: "status", Status: 500, Share: 1})},
	{"clocks step by an hour", onMariaDB, anything, clockSteps(2)},
	{"one clock steps by an hour", onSQLite, anything, clockSteps(1)},
}

// row is one of the table.
type row struct {
	experiment, engine string
	acknowledged       int
	wrong              [findings]int
	slowest            time.Duration
}

func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("breaks things for a minute and a half")
	}
	program, long := build(t), os.Getenv("GUESTLIST_FAULTS") == "long"
	rows := make([]row, len(experiments))
	turn := make(chan struct{}, turns)
	var all sync.WaitGroup
	for i, e := range experiments {
		all.Go(func() {
			t.Run(e.name+" on "+e.engine.name, func(t *testing.T) {
				x := &trial{T: t, long: long, client: newClient(), ledger: newLedger(), mails: newMails()}
				rows[i] = x.run(program, e, turn)
			})
		})
	}
	all.Wait()
	t.Log("\n" + table(rows))
}

// row sums a trial up, and says what went wrong.
func (x *trial) row(e experiment) row {
	r := row{experiment: e.name, engine: e.engine.name, acknowledged: x.ledger.acknowledged, slowest: x.ledger.slowest}
	for f, all := range x.ledger.wrong {
		r.wrong[f] = len(all)
		for _, text := range all[:min(len(all), 20)] {
			x.Errorf("%v: %s", finding(f), text)
		}
	}
	if n := x.ledger.statuses[500]; n > 0 {
		x.Errorf("%d answers were 500: nobody thought of that", n)
	}
	if x.ledger.signIns == 0 {
		x.Error("nobody could sign in, so that nothing is known about sessions")
	}
	if x.mails.missed {
		x.Log("the inbox was not looked at often enough: some mails may not be counted")
	}
	x.Logf("answers by status: %v; %d people signed in; the slowest request: %s", x.ledger.statuses, x.ledger.signIns, x.ledger.slowestWhat)
	if x.Failed() {
		for _, i := range x.instances {
			x.Logf("the log of %s:\n%s", i.addr, i.problems())
		}
	}
	return r
}

// table is what came out, for people.
func table(rows []row) string {
	rows = slices.DeleteFunc(rows, func(r row) bool { return r.experiment == "" }) // skipped, or ended early
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "experiment\tengine\tacknowledged\tlost\tdoubled\tlet in wrongly\tlongest stall")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%v\n", r.experiment, r.engine, r.acknowledged,
			r.wrong[lost], r.wrong[doubled], r.wrong[letIn], r.slowest.Round(10*time.Millisecond))
	}
	w.Flush()
	return text.String()
}
