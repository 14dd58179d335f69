//go:build linux

package main

import (
	"cmp"
	"fmt"
	"strings"
)

// bar is what a figure must be at least, or at most.
type bar struct {
	what     string
	is, want float64
	atMost   bool
}

func (b bar) passed() bool {
	if b.atMost {
		return b.is <= b.want
	}
	return b.is >= b.want
}

func (b bar) verdict() string {
	if b.passed() {
		return "passed"
	}
	return "**failed**"
}

func (b bar) limit() string {
	sign := "≥"
	if b.atMost {
		sign = "≤"
	}
	return fmt.Sprintf("%s %g", sign, b.want)
}

func (b bar) figure() string { return cmp.Or(number(b.is), "0") }

// bars holds the figures against what was promised.
func (res results) bars() []bar {
	bars := []bar{{"stripped binary, MB", res.BinaryMB, 25, true}}
	if res.FreshMS > 0 {
		bars = append(bars, bar{"start on a fresh SQLite database, ms", res.FreshMS, 150, true})
	}
	for _, t := range res.Tables {
		bars = append(bars, t.bars()...)
	}
	return append(bars, res.growth()...)
}

// reaches is the product's speed by another's. Where each keeps its core busy, it
// is told by processor time, which others on the machine don't change.
func (t table) reaches(r row, f figures, other outcome) float64 {
	if t.Engine == "SQLite" && r.kind != write {
		return other.CPU / f.Product.CPU
	}
	return f.Product.Rate / other.Rate
}

func (t table) bars() []bar {
	where := fmt.Sprintf("%s, %s people: ", t.Engine, thousands(t.People))
	bars := []bar{{where + "memory idle, MB", t.IdleMB, 25, true}, {where + "memory after load, MB", t.LoadMB, 80, true}}
	if t.Engine == "SQLite" {
		bars = append(bars, bar{where + "start, ms", t.StartMS, 50, true})
	}
	if t.Pressure != nil {
		bars = append(bars, t.Pressure.bars(where)...)
	}
	for _, r := range t.Order {
		f, name := t.Rows[r.name], where+r.name
		switch r.kind {
		case check:
			if t.Engine == "SQLite" {
				bars = append(bars, bar{name + ", of bare", t.reaches(r, f, f.Bare), 0.5, false})
			} else {
				bars = append(bars, bar{name + ", of raw", t.reaches(r, f, f.Raw), 0.7, false})
			}
			bars = append(bars, bar{name + ", p99 by the raw driver's", f.Product.P99 / f.Raw.P99, 2, true})
		case list:
			if r.fifty {
				bars = append(bars, bar{name + ", of raw", t.reaches(r, f, f.Raw), 0.5, false})
			}
		case page:
			// All of the request but what the driver needs: more than the page's own part.
			bars = append(bars, bar{name + ", CPU without the driver's, ms", f.Product.CPU - f.Raw.CPU, 0.3, true})
		case write:
			bars = append(bars, bar{name + ", of raw", t.reaches(r, f, f.Raw), 0.5, false})
		}
	}
	return bars
}

// growth compares the longest list of each engine with the shortest.
func (res results) growth() []bar {
	var bars []bar
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
			if r.kind == list {
				what := fmt.Sprintf("%s: p99 of %s, %s people by %s", t.Engine, r.name, thousands(t.People), thousands(small.People))
				bars = append(bars, bar{what, t.Rows[r.name].Product.P99 / small.Rows[r.name].Product.P99, 2, true})
			}
		}
	}
	return bars
}

// barTable is for a terminal: those that failed, and how many passed.
func barTable(bars []bar) string {
	var text strings.Builder
	passed := 0
	for _, b := range bars {
		if b.passed() {
			passed++
			continue
		}
		fmt.Fprintf(&text, "FAILED  %-75s %8s  must be %s\n", b.what, b.figure(), b.limit())
	}
	return fmt.Sprintf("\n%s%d of %d bars passed\n", &text, passed, len(bars))
}
