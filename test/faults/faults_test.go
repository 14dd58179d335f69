package faults

import (
	"os"
	"sync"
	"testing"
	"time"
)

// experiments are the rows of the table.
var experiments = []experiment{
	{"one of two killed", sqlite, hidesKilledCalls, killInstances},
	{"one of two killed", mariadb, hidesKilledCalls, killInstances},
	{"database killed", killable, hidesAnyCall, killDatabase},
	{"database connections cut", proxied, hidesAnyCall, cutDatabaseConnections},
	{"database slow by 500 ms", proxied, hidesAnyCall, slowDatabase},
	{"told to stop", sqlite, hidesNothing, stopInstances},
	{"told to stop", mariadb, hidesNothing, stopInstances},
	{"disk full", smallDisk, hidesAnyCall, fillDisk},

	{"Stytch down", mariadb, hidesNothing, failStytch(10*time.Second, time.Minute, rule{Route: "*", Kind: "down", Share: 1})},
	{"Stytch answers 429 to half", sqlite, hidesNothing, failStytch(5*time.Second, time.Minute, rule{Route: "*", Kind: "status", Status: 429, Share: 0.5})},
	{"Stytch answers 500 to half", mariadb, hidesNothing, failStytch(5*time.Second, time.Minute, rule{Route: "*", Kind: "status", Status: 500, Share: 0.5})},
	{"Stytch hangs", sqlite, hidesNothing, failStytch(7*time.Second, time.Minute, rule{Route: "*", Kind: "hang", Share: 1})},
	{"Stytch acts and spoils its answers", sqlite, hidesAnyCall, failStytch(5*time.Second, time.Minute,
		rule{Route: "*", Kind: "garbage", Share: 0.15, After: true}, rule{Route: "*", Kind: "empty", Share: 0.15, After: true},
		rule{Route: "*", Kind: "cut", Share: 0.15}, rule{Route: "*", Kind: "status", Status: 500, Share: 0.15, After: true})},
	{"Stytch removes no users", sqlite, hidesNothing, failStytch(4*time.Second, time.Minute, rule{Route: "/v1/users/*", Kind: "status", Status: 500, Share: 1})},
	{"clocks step by an hour", mariadb, hidesAnyCall, stepClocks(2)},
	{"one clock steps by an hour", sqlite, hidesAnyCall, stepClocks(1)},
}

func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute and a half")
	}
	program := build(t)
	long := os.Getenv("GUESTLIST_FAULTS") == "long"
	rows := make([]row, len(experiments))
	slots := make(chan struct{}, maxParallel)
	var all sync.WaitGroup
	for i, e := range experiments {
		all.Go(func() {
			t.Run(e.name+" on "+e.engine.name, func(t *testing.T) {
				x := &trial{T: t, long: long, client: newHTTPClient(), ledger: newLedger(), inbox: newInbox()}
				rows[i] = x.run(program, e, slots)
			})
		})
	}
	all.Wait()
	t.Log("\n" + table(rows))
}
