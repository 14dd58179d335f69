package faults

import (
	"encoding/json"
	"time"
)

// rule makes the local Stytch answer some of its calls badly; it goes to
// /dev/faults.json.
type rule struct {
	Route   string  `json:"route"`
	Kind    string  `json:"kind"`
	Status  int     `json:"status,omitempty"`
	Share   float64 `json:"share"`
	DelayMS int     `json:"delay_ms,omitempty"`
	After   bool    `json:"after,omitempty"`
}

// switches are all there are; the zero value is back to normal.
type switches struct {
	Rules   []rule `json:"rules,omitempty"`
	ClockMS int64  `json:"guestlist_clock_ms,omitempty"`
}

// set sets an instance's switches.
func (x *trial) set(i *instance, s switches) {
	x.Helper()
	body, err := json.Marshal(s)
	if err != nil {
		x.Fatal(err)
	}
	if a := x.askAside(i, "PUT", "/dev/faults.json", string(body)); a.outcome != acknowledged {
		x.Fatalf("/dev/faults.json: %d %s", a.status, a.body)
	}
}

// stytch lets the local Stytch of both instances fail by these rules for a while.
func stytch(short, long time.Duration, rules ...rule) func(x *trial) {
	return func(x *trial) {
		for _, i := range x.instances {
			x.set(i, switches{Rules: rules})
		}
		x.pause(lasts(x, short, long))
		for _, i := range x.instances {
			x.set(i, switches{})
		}
	}
}

// clockSteps moves the clock of some of the instances, forth and back and home.
func clockSteps(which int) func(x *trial) {
	return func(x *trial) {
		for range lasts(x, 1, 10) {
			for _, step := range []time.Duration{time.Hour, 0, -time.Hour, 0} {
				for _, i := range x.instances[:which] {
					x.set(i, switches{ClockMS: step.Milliseconds()})
				}
				x.pause(lasts(x, 1500*time.Millisecond, 5*time.Second))
			}
		}
	}
}

// askAside makes a request that is not the clients' and is not counted.
func (x *trial) askAside(i *instance, method, path, body string) answer {
	return x.send(newRequest(i, "", method, path, body))
}
