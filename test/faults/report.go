package faults

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// row is a row of the table.
type row struct {
	experiment, engine string
	acknowledged       int
	errors             [findings]int
	slowest            time.Duration
}

// row returns the row of a trial and reports its errors.
func (x *trial) row(e experiment) row {
	r := row{experiment: e.name, engine: e.engine.name, acknowledged: x.ledger.acknowledged, slowest: x.ledger.slowest}
	for f, all := range x.ledger.errors {
		r.errors[f] = len(all)
		for _, text := range all[:min(len(all), 20)] {
			x.Errorf("%v: %s", finding(f), text)
		}
	}
	if n := x.ledger.statuses[500]; n > 0 {
		x.Errorf("%d responses had status 500", n)
	}
	if x.ledger.signIns == 0 {
		x.Error("no sign-in succeeded, so sessions weren't tested")
	}
	if x.ledger.opened == 0 || x.ledger.refusedAtApp == 0 {
		x.Errorf("%d requests for the app were answered and %d refused, so it wasn't tested", x.ledger.opened, x.ledger.refusedAtApp)
	}
	if x.ledger.claimed == 0 || x.ledger.tokensRefused == 0 {
		x.Errorf("claims were answered %d times and refresh tokens refused %d times, so OpenID Connect wasn't tested", x.ledger.claimed, x.ledger.tokensRefused)
	}
	if x.inbox.missed {
		x.Log("the inbox wasn't read often enough; some emails may not be counted")
	}
	x.Logf("responses by status: %v; %d sign-ins; the app answered %d requests, %d were refused; claims were answered %d times, %d refresh tokens refused; slowest request: %s", x.ledger.statuses, x.ledger.signIns, x.ledger.opened, x.ledger.refusedAtApp, x.ledger.claimed, x.ledger.tokensRefused, x.ledger.slowestRequest)
	if x.Failed() {
		for _, i := range x.instances {
			x.Logf("log of %s:\n%s", i.addr, i.recentErrors())
		}
	}
	return r
}

// table formats rows for a terminal.
func table(rows []row) string {
	rows = slices.DeleteFunc(rows, func(r row) bool { return r.experiment == "" }) // skipped or failed early
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "experiment\tengine\tacknowledged\tlost\tdoubled\tlet in wrongly\tlongest stall")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%v\n", r.experiment, r.engine, r.acknowledged,
			r.errors[lost], r.errors[doubled], r.errors[letIn], r.slowest.Round(10*time.Millisecond))
	}
	w.Flush()
	return text.String()
}
