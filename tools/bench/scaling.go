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

// scalingRows are what is asked of lists of all sizes.
const scalingRows = `^(session check|users page|list by name|list by name, deep|list by -last_seen_at, deep|list of members|` +
	`search by one word|search by two words|search by a word that most have|add a person)$`

// scaling is how the cost of a request grows.
type scaling struct {
	people    []table
	sessions  []point
	instances []point
	costs     []cost
	sizes     []tableSize
	most      int // people, where costs and sizes were taken
}

// point is one of a curve.
type point struct {
	engine string
	n      int
	figures
}

// scale measures the curves.
func (s settings) scale(ctx context.Context, program, dir string) ([]byte, error) {
	res := scaling{most: s.people[len(s.people)-1]}
	at := machine()
	s.starts = min(s.starts, 3)
	var err error
	res.people, err = s.tables(ctx, program, dir, func(w *writer, e engine, t table) error {
		switch t.People {
		case s.people[0]:
			return res.growSessions(ctx, w, e, s.pace)
		case res.most:
			if e.pid == 0 {
				return nil
			}
			if err := res.countCosts(ctx, w, e, t); err != nil {
				return err
			}
			return res.addInstances(ctx, program, dir, w, e, s.pace)
		}
		return nil
	})
	return res.markdown(at), err
}

// growSessions measures the check of one of so many sessions.
func (res *scaling) growSessions(ctx context.Context, w *writer, e engine, p pace) error {
	db, err := e.openSeed(w.databaseURL)
	if e.pid == 0 { // beside the program that serves
		db, err = openRaw(w.databaseURL, true)
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
		requests, err := w.checks(w.host(), n-1)
		if err != nil {
			return err
		}
		r := row{name: "session check", kind: check, status: http.StatusOK, requests: requests}
		f, err := measure(ctx, w, e, r, p)
		if err != nil {
			return err
		}
		res.sessions = append(res.sessions, point{e.name, n, f})
		fmt.Print(f.line(fmt.Sprintf("session check, %d sessions", n)))
	}
	if e.pid == 0 {
		return nil
	}
	return res.measureTables(ctx, w.db, 1_000_000, "sessions")
}

// addInstances measures the session check by one to four instances on one
// database, each with its share of the connections.
func (res *scaling) addInstances(ctx context.Context, program, dir string, w *writer, e engine, p pace) error {
	all := []*product{w.product}
	for n := 1; n <= 4; n++ {
		if n > 1 {
			another, err := start(ctx, program, dir, w.databaseURL)
			if err != nil {
				return err
			}
			defer another.stop()
			all = append(all, another)
		}
		var rounds []outcome
		database, answers := 0.0, 0
		for range p.rounds {
			before := cpu(e.pid)
			o, err := together(ctx, all, w, p)
			if err != nil {
				return err
			}
			database, answers = database+cpu(e.pid)-before, answers+o.N
			rounds = append(rounds, o)
		}
		f := figures{Product: middle(rounds), DatabaseCPU: database / max(1, float64(answers))}
		res.instances = append(res.instances, point{e.name, n, f})
		fmt.Print(f.line(fmt.Sprintf("session check, %d instances", n)))
	}
	return nil
}

// together drives all instances at once. The delays are the slowest instance's.
func together(ctx context.Context, all []*product, w *writer, p pace) (outcome, error) {
	outcomes, errs := make([]outcome, len(all)), make([]error, len(all))
	var running sync.WaitGroup
	for i, one := range all {
		running.Go(func() {
			var requests [][]byte
			if requests, errs[i] = w.checks(one.host(), browsers); errs[i] != nil {
				return
			}
			job := load{Addr: one.addr, Requests: requests, Status: http.StatusOK, Conns: p.conns / len(all), Seconds: p.seconds}
			outcomes[i], errs[i] = drive(ctx, one.cmd.Process.Pid, job)
		})
	}
	running.Wait()
	var sum outcome
	for i, o := range outcomes {
		if errs[i] != nil {
			return sum, errs[i]
		}
		sum.CPU = (sum.CPU*float64(sum.N) + o.CPU*float64(o.N)) / float64(sum.N+o.N)
		sum.N, sum.Rate = sum.N+o.N, sum.Rate+o.Rate
		sum.P50, sum.P99, sum.P999 = max(sum.P50, o.P50), max(sum.P99, o.P99), max(sum.P999, o.P999)
	}
	return sum, nil
}

//go:embed scaling.md
var scalingTemplate string

// markdown fills in the template.
func (res scaling) markdown(machine string) []byte {
	return []byte(strings.NewReplacer(
		"{{machine}}", machine, "{{people}}", res.peopleTables(), "{{sessions}}", pointTable("sessions", res.sessions),
		"{{instances}}", pointTable("instances", res.instances), "{{costs}}", costTable(res.costs), "{{sizes}}", sizeTable(res.sizes),
		"{{most}}", thousands(res.most), "{{arithmetic}}", res.arithmetic(),
		"{{asked}}", fmt.Sprint(dailyAsked), "{{busiest}}", fmt.Sprintf("%g%%", busiestHour*100),
	).Replace(scalingTemplate))
}

// peopleTables have a line for each request and a column for each length of the list.
func (res scaling) peopleTables() string {
	var text strings.Builder
	for i := 0; i < len(res.people); {
		same := res.people[i:]
		n := 0
		for n < len(same) && same[n].Engine == same[0].Engine {
			n++
		}
		same, i = same[:n], i+n
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

func pointTable(of string, points []point) string {
	var text strings.Builder
	fmt.Fprintf(&text, "| database | %s | requests/s | CPU ms, of all instances | of the database | p50 | p99 |\n|---|---:|---:|---:|---:|---:|---:|\n", of)
	for _, p := range points {
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s | %s |\n", p.engine, thousands(p.n), number(p.Product.Rate), number(p.Product.CPU),
			cmp.Or(number(p.DatabaseCPU), "in the program"), number(p.Product.P50), number(p.Product.P99))
	}
	return strings.TrimSpace(text.String())
}
