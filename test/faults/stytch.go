package faults

import "encoding/json"

// rule makes calls to the local Stytch fail. Its fields are those of /dev/faults.json.
type rule struct {
	Route   string  `json:"route"`
	Kind    string  `json:"kind"`
	Status  int     `json:"status,omitempty"`
	Share   float64 `json:"share"`
	DelayMS int     `json:"delay_ms,omitempty"`
	After   bool    `json:"after,omitempty"`
}

// faultSettings is the content of /dev/faults.json. The zero value is normal operation.
type faultSettings struct {
	Rules   []rule `json:"rules,omitempty"`
	ClockMS int64  `json:"guestlist_clock_ms,omitempty"`
}

// setFaults replaces an instance's fault settings.
func (x *trial) setFaults(i *instance, s faultSettings) {
	x.Helper()
	body, err := json.Marshal(s)
	if err != nil {
		x.Fatal(err)
	}
	if resp := x.send(newRequest(i, "", "PUT", "/dev/faults.json", string(body))); resp.outcome != acknowledged {
		x.Fatalf("/dev/faults.json: status %d %s", resp.status, resp.body)
	}
}
