package faults

import (
	"math/rand/v2"
	"net/http"
	"time"
)

// kills ends one instance at a time as kill -9 does, whatever it is at.
func kills(x *trial) {
	for range lasts(x, 10, 200) {
		x.pause(5*time.Millisecond + rand.N(500*time.Millisecond))
		i := x.any()
		i.kill()
		if err := i.start(); err != nil {
			x.Fatal(err)
		}
	}
}

// stops tells one instance at a time to end, and starts it again.
func stops(x *trial) {
	for range lasts(x, 5, 50) {
		x.pause(rand.N(700 * time.Millisecond))
		i := x.any()
		if err := i.stop(); err != nil {
			x.Error(err)
			i.kill()
		}
		if err := i.start(); err != nil {
			x.Fatal(err)
		}
	}
}

// databaseKilled ends the database as kill -9 does and lets it be gone for a while.
func databaseKilled(x *trial) {
	for range lasts(x, 2, 20) {
		if err := x.server.Kill(); err != nil {
			x.Fatal(err)
		}
		x.pause(rand.N(2 * time.Second))
		if err := x.server.Start(); err != nil {
			x.Fatal(err)
		}
		x.pause(time.Second + rand.N(time.Second))
	}
}

// databaseCut ends connections to the database in the middle of what they are at,
// in either direction, in order or by a reset.
func databaseCut(x *trial) {
	for range lasts(x, 30, 500) {
		direction := []string{"upstream", "downstream"}[rand.IntN(2)]
		if rand.IntN(2) == 0 {
			x.network.spoils("limit_data", direction, map[string]int{"bytes": rand.IntN(20_000)})
		} else {
			x.network.spoils("reset_peer", direction, map[string]int{"timeout": rand.IntN(50)})
		}
		x.pause(50*time.Millisecond + rand.N(100*time.Millisecond))
		x.network.heals()
		x.pause(rand.N(150 * time.Millisecond))
	}
}

// databaseSlow lets every answer of the database take half a second more.
func databaseSlow(x *trial) {
	x.network.spoils("latency", "downstream", map[string]int{"latency": 500})
	x.pause(lasts(x, 8*time.Second, time.Minute))
	x.network.heals()
}

// diskFull leaves no room for a while. Looking must go on; who wants something
// written must be told.
func diskFull(x *trial) {
	x.pause(time.Second)
	for range lasts(x, 2, 10) {
		before := x.ledger.count(http.StatusServiceUnavailable, http.StatusInsufficientStorage)
		x.disk.fills()
		x.pause(lasts(x, 2*time.Second, 5*time.Second))
		if x.ledger.count(http.StatusServiceUnavailable, http.StatusInsufficientStorage) == before {
			x.Error("nobody was told that nothing can be written")
		}
		x.disk.frees()
		x.pause(time.Second)
	}
}
