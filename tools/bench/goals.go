//go:build linux

package main

import (
	"cmp"
	"fmt"
	"strings"
)

// goal is a limit for a figure.
type goal struct {
	name   string
	result float64
	limit  float64
	atMost bool // whether limit is a maximum; it's a minimum otherwise
}

func (g goal) met() bool {
	if g.atMost {
		return g.result <= g.limit
	}
	return g.result >= g.limit
}

func (g goal) verdict() string {
	if g.met() {
		return "passed"
	}
	return "**failed**"
}

func (g goal) limitText() string {
	sign := "≥"
	if g.atMost {
		sign = "≤"
	}
	return fmt.Sprintf("%s %g", sign, g.limit)
}

func (g goal) resultText() string { return cmp.Or(number(g.result), "0") }

// goals compares the results with the project's goals.
func (res results) goals() []goal {
	goals := []goal{{"stripped binary, MB", res.BinaryMB, 30, true}}
	if res.FreshMS > 0 {
		goals = append(goals, goal{"start on a fresh SQLite database, ms", res.FreshMS, 150, true})
	}
	for _, t := range res.Tables {
		goals = append(goals, t.goals()...)
	}
	return append(goals, res.growth()...)
}

// relativeSpeed returns the product's speed as a share of another's. Where each of them keeps its
// core busy it compares processor time, which other programs on the machine don't affect.
func (t table) relativeSpeed(r row, f figures, other outcome) float64 {
	if t.Engine == "SQLite" && r.kind != write {
		return other.CPU / f.Product.CPU
	}
	return f.Product.Rate / other.Rate
}

func (t table) goals() []goal {
	prefix := fmt.Sprintf("%s, %s people: ", t.Engine, thousands(t.People))
	goals := []goal{
		{prefix + "memory idle, MB", t.IdleMB, 25, true},
		{prefix + "memory after load, MB", t.LoadMB, 80, true},
	}
	if t.Engine == "SQLite" {
		goals = append(goals, goal{prefix + "start, ms", t.StartMS, 50, true})
	}
	if t.SocketsMB > 0 {
		goals = append(goals, goal{prefix + "memory for 2,000 WebSockets, MB", t.SocketsMB, 60, true})
	}
	if t.Overload != nil {
		goals = append(goals, t.Overload.goals(prefix)...)
	}
	for _, r := range t.Order {
		f := t.Rows[r.name]
		name := prefix + r.name
		switch r.kind {
		case check:
			if t.Engine == "SQLite" {
				goals = append(goals, goal{name + ", of bare", t.relativeSpeed(r, f, f.Bare), 0.5, false})
			} else {
				goals = append(goals, goal{name + ", of raw", t.relativeSpeed(r, f, f.Raw), 0.7, false})
			}
			goals = append(goals, goal{name + ", p99, of raw", f.Product.P99 / f.Raw.P99, 2, true})
		case list:
			if r.fifty {
				goals = append(goals, goal{name + ", of raw", t.relativeSpeed(r, f, f.Raw), 0.5, false})
			}
		case page:
			goals = append(goals, goal{name + ", CPU beyond the driver's, ms", f.Product.CPU - f.Raw.CPU, 0.3, true})
		case access:
			goals = append(goals,
				goal{name + ", of oauth2-proxy", t.relativeSpeed(r, f, f.Peer), 1.5, false},
				goal{name + ", p99, of oauth2-proxy", f.Product.P99 / f.Peer.P99, 1, true})
		case proxying:
			goals = append(goals,
				goal{name + ", of oauth2-proxy", t.relativeSpeed(r, f, f.Peer), 1, false},
				goal{name + ", p99, of oauth2-proxy", f.Product.P99 / f.Peer.P99, 1, true})
		case userInfo:
			goals = append(goals, goal{name + ", of a session check", t.relativeSpeed(r, f, f.Peer), 0.9, false})
		case document:
			goals = append(goals, goal{name + ", of bare", t.relativeSpeed(r, f, f.Bare), 0.7, false})
		case write:
			goals = append(goals, goal{name + ", of raw", t.relativeSpeed(r, f, f.Raw), 0.5, false})
		}
	}
	return goals
}

// growth compares the largest directory of each engine with the smallest.
func (res results) growth() []goal {
	var goals []goal
	smallest := map[string]table{}
	for i, t := range res.Tables {
		small, ok := smallest[t.Engine]
		if !ok {
			smallest[t.Engine] = t
			continue
		}
		if i+1 < len(res.Tables) && res.Tables[i+1].Engine == t.Engine {
			continue
		}
		for _, r := range t.Order {
			if r.kind == list || r.kind == access || r.kind == proxying {
				name := fmt.Sprintf("%s: p99 of %s, %s people relative to %s", t.Engine, r.name, thousands(t.People), thousands(small.People))
				goals = append(goals, goal{name, t.Rows[r.name].Product.P99 / small.Rows[r.name].Product.P99, 2, true})
			}
		}
	}
	return goals
}

// summarize returns the goals that failed, and how many passed, for a terminal.
func summarize(goals []goal) string {
	var text strings.Builder
	passed := 0
	for _, g := range goals {
		if g.met() {
			passed++
			continue
		}
		fmt.Fprintf(&text, "FAILED  %-75s %8s  must be %s\n", g.name, g.resultText(), g.limitText())
	}
	return fmt.Sprintf("\n%s%d of %d goals passed\n", &text, passed, len(goals))
}
