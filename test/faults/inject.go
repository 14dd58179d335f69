package faults

import (
	"math/rand/v2"
	"net/http"
	"time"
)

// killInstances kills one instance at a time without warning and starts it again.
func killInstances(x *trial) {
	for range choose(x, 10, 200) {
		x.pause(5*time.Millisecond + rand.N(500*time.Millisecond))
		i := x.anyInstance()
		i.kill()
		if err := i.start(); err != nil {
			x.Fatal(err)
		}
	}
}

// stopInstances shuts one instance down at a time and starts it again.
func stopInstances(x *trial) {
	for range choose(x, 5, 50) {
		x.pause(rand.N(700 * time.Millisecond))
		i := x.anyInstance()
		if err := i.stop(); err != nil {
			x.Error(err)
			i.kill()
		}
		if err := i.start(); err != nil {
			x.Fatal(err)
		}
	}
}

// killDatabase kills the database server and starts it again after a while.
func killDatabase(x *trial) {
	for range choose(x, 2, 20) {
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

// cutDatabaseConnections closes or resets connections to the database in the middle of a request or
// response.
func cutDatabaseConnections(x *trial) {
	for range choose(x, 30, 500) {
		direction := []string{"upstream", "downstream"}[rand.IntN(2)]
		if rand.IntN(2) == 0 {
			x.network.disturb("limit_data", direction, map[string]int{"bytes": rand.IntN(20_000)})
		} else {
			x.network.disturb("reset_peer", direction, map[string]int{"timeout": rand.IntN(50)})
		}
		x.pause(50*time.Millisecond + rand.N(100*time.Millisecond))
		x.network.repair()
		x.pause(rand.N(150 * time.Millisecond))
	}
}

// slowDatabase delays each response of the database by half a second.
func slowDatabase(x *trial) {
	x.network.disturb("latency", "downstream", map[string]int{"latency": 500})
	x.pause(choose(x, 8*time.Second, time.Minute))
	x.network.repair()
}

// fillDisk fills the disk for a while. Writes must be refused with a message until then.
func fillDisk(x *trial) {
	x.pause(time.Second)
	for range choose(x, 2, 10) {
		before := x.ledger.count(http.StatusServiceUnavailable, http.StatusInsufficientStorage)
		x.disk.fill()
		x.pause(choose(x, 2*time.Second, 5*time.Second))
		if x.ledger.count(http.StatusServiceUnavailable, http.StatusInsufficientStorage) == before {
			x.Error("no write was refused while the disk was full")
		}
		x.disk.free()
		x.pause(time.Second)
	}
}

// failStytch returns a fault that makes the local Stytch of both instances fail by rules.
func failStytch(short, long time.Duration, rules ...rule) func(x *trial) {
	return func(x *trial) {
		for _, i := range x.instances {
			x.setFaults(i, faultSettings{Rules: rules})
		}
		x.pause(choose(x, short, long))
		for _, i := range x.instances {
			x.setFaults(i, faultSettings{})
		}
	}
}

// stepClocks returns a fault that moves the clocks of the first n instances an hour forward and back,
// and an hour back and forward.
func stepClocks(n int) func(x *trial) {
	return func(x *trial) {
		x.clocksStep.Store(true)
		for range choose(x, 1, 10) {
			for _, step := range []time.Duration{time.Hour, 0, -time.Hour, 0} {
				for _, i := range x.instances[:n] {
					x.setFaults(i, faultSettings{ClockMS: step.Milliseconds()})
				}
				x.pause(choose(x, 1500*time.Millisecond, 5*time.Second))
			}
		}
	}
}
