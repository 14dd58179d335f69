//go:build linux

package main

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// scalingRows matches the names of the rows to measure.
const scalingRows = `^(session check|users page|list by name|list by name, deep|list by -last_seen_at, deep|list of members|` +
	`search by one word|search by two words|search by a word that most have|add a person)$`

// scaling has the figures of docs/internals/scaling.md.
type scaling struct {
	people    []table
	sessions  []point
	instances []point
	costs     []cost
	sizes     []tableSize
	maxPeople int // number of people for costs and sizes
}

// point has the figures for a number of sessions or instances.
type point struct {
	engine string
	n      int
	figures
}

// measureScaling measures how the cost of a request grows.
func (s settings) measureScaling(ctx context.Context, program, dir string) ([]byte, error) {
	res := scaling{maxPeople: s.people[len(s.people)-1]}
	description := machine()
	s.starts = min(s.starts, 3)
	var err error
	res.people, err = s.measureTables(ctx, program, dir, func(g *target, e engine, t table) error {
		switch t.People {
		case s.people[0]:
			return res.measureSessions(ctx, g, e, s.pace)
		case res.maxPeople:
			if e.pid == 0 {
				return nil
			}
			if err := res.countCosts(ctx, g, e, t); err != nil {
				return err
			}
			return res.measureInstances(ctx, program, dir, g, e, s.pace)
		}
		return nil
	})
	return res.markdown(description), err
}

// measureSessions measures session checks with an increasing number of sessions.
func (res *scaling) measureSessions(ctx context.Context, g *target, e engine, p pace) error {
	db, err := e.openSeed(g.databaseURL)
	if e.pid == 0 { // openSeed locks the file, which the product uses
		db, err = openRaw(g.databaseURL, true)
	}
	if err != nil {
		return err
	}
	defer db.Close()
	from := 1 + browsers
	for n := 1000; n <= 1_000_000; n *= 10 {
		if err := insertSessions(db, from, n); err != nil {
			return err
		}
		from = n
		requests, err := g.checks(g.host(), n-1)
		if err != nil {
			return err
		}
		r := row{name: "session check", kind: check, status: http.StatusOK, requests: requests}
		f, err := measure(ctx, g, e, r, p)
		if err != nil {
			return err
		}
		res.sessions = append(res.sessions, point{e.name, n, f})
		fmt.Print(f.line(fmt.Sprintf("session check, sessions: %d", n)))
	}
	if e.pid == 0 {
		return nil
	}
	return res.recordSizes(ctx, g.db, 1_000_000, "sessions")
}

// measureInstances measures session checks of one to four instances that share a database and the
// connections.
func (res *scaling) measureInstances(ctx context.Context, program, dir string, g *target, e engine, p pace) error {
	instances := []*product{g.product}
	for n := 1; n <= 4; n++ {
		if n > 1 {
			instance, err := start(ctx, program, dir, g.databaseURL)
			if err != nil {
				return err
			}
			defer instance.stop()
			instances = append(instances, instance)
		}
		var rounds []outcome
		databaseCPU, responses := 0.0, 0
		for range p.rounds {
			before := cpu(e.pid)
			o, err := driveAll(ctx, instances, g, p)
			if err != nil {
				return err
			}
			databaseCPU += cpu(e.pid) - before
			responses += o.N
			rounds = append(rounds, o)
		}
		f := figures{Product: combine(rounds), DatabaseCPU: databaseCPU / max(1, float64(responses))}
		res.instances = append(res.instances, point{e.name, n, f})
		fmt.Print(f.line(fmt.Sprintf("session check, instances: %d", n)))
	}
	return nil
}

// driveAll drives all instances simultaneously. Latencies are the slowest instance's.
func driveAll(ctx context.Context, instances []*product, g *target, p pace) (outcome, error) {
	outcomes := make([]outcome, len(instances))
	errs := make([]error, len(instances))
	var running sync.WaitGroup
	for i, instance := range instances {
		running.Go(func() {
			var requests [][]byte
			if requests, errs[i] = g.checks(instance.host(), browsers); errs[i] != nil {
				return
			}
			job := loadJob{Addr: instance.addr, Requests: requests, Status: http.StatusOK, Conns: p.conns / len(instances), Seconds: p.seconds}
			outcomes[i], errs[i] = drive(ctx, instance.pid(), job)
		})
	}
	running.Wait()
	var sum outcome
	for i, o := range outcomes {
		if errs[i] != nil {
			return sum, errs[i]
		}
		sum.CPU = (sum.CPU*float64(sum.N) + o.CPU*float64(o.N)) / float64(sum.N+o.N)
		sum.N += o.N
		sum.Rate += o.Rate
		sum.P50 = max(sum.P50, o.P50)
		sum.P99 = max(sum.P99, o.P99)
		sum.P999 = max(sum.P999, o.P999)
	}
	return sum, nil
}

//go:embed scaling.md
var scalingTemplate string

// markdown returns the page.
func (res scaling) markdown(machine string) []byte {
	return []byte(strings.NewReplacer(
		"{{machine}}", machine, "{{people}}", res.peopleTables(), "{{sessions}}", pointTable("sessions", res.sessions),
		"{{instances}}", pointTable("instances", res.instances), "{{costs}}", costTable(res.costs), "{{sizes}}", sizeTable(res.sizes),
		"{{most}}", thousands(res.maxPeople), "{{arithmetic}}", res.arithmetic(),
		"{{asked}}", fmt.Sprint(dailyRequests), "{{busiest}}", fmt.Sprintf("%g%%", busiestHourShare*100),
	).Replace(scalingTemplate))
}

// peopleTables returns a table per engine, with a line per row and a column per number of people.
func (res scaling) peopleTables() string {
	var text strings.Builder
	for rest := res.people; len(rest) > 0; {
		same := rest
		n := 0
		for n < len(same) && same[n].Engine == same[0].Engine {
			n++
		}
		same, rest = rest[:n], rest[n:]
		fmt.Fprintf(&text, "### %s\n\n|", same[0].Engine)
		for _, t := range same {
			fmt.Fprintf(&text, " | %s", thousands(t.People))
		}
		text.WriteString(" |\n|---|" + strings.Repeat("---:|", n) + "\n")
		for _, r := range same[n-1].Order {
			fmt.Fprintf(&text, "| %s |", r.name)
			for _, t := range same {
				f := t.Rows[r.name]
				fmt.Fprintf(&text, " %s", number(f.Product.CPU))
				if f.DatabaseCPU > 0 {
					fmt.Fprintf(&text, " + %s", number(f.DatabaseCPU))
				}
				fmt.Fprintf(&text, ", p99 %s |", number(f.Half.P99))
			}
			text.WriteByte('\n')
		}
		text.WriteByte('\n')
	}
	return strings.TrimSpace(text.String())
}

// pointTable returns a table of points with a column named after their unit.
func pointTable(unit string, points []point) string {
	var text strings.Builder
	fmt.Fprintf(&text, "| database | %s | requests/s | product CPU ms | database CPU ms | p50 | p99 |\n|---|---:|---:|---:|---:|---:|---:|\n", unit)
	for _, p := range points {
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s | %s |\n", p.engine, thousands(p.n), number(p.Product.Rate), number(p.Product.CPU),
			cmp.Or(number(p.DatabaseCPU), "in the product"), number(p.Product.P50), number(p.Product.P99))
	}
	return strings.TrimSpace(text.String())
}
