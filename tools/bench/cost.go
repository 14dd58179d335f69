//go:build linux

package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// cost is what one request asks of MariaDB, by its own counters.
type cost struct {
	name       string
	statements float64 // each is a round trip: parameters travel in the text
	received   float64 // bytes that the database was sent
	sent       float64 // bytes that it answered
	answer     int     // bytes of the body for the browser
	cpu, db    float64 // milliseconds
}

// countCosts counts while each request is made again and again, and nothing else is:
// with one connection, so that no two share a query.
func (res *scaling) countCosts(ctx context.Context, w *writer, e engine, t table) error {
	for _, r := range t.Order {
		before, err := counters(ctx, w.db)
		if err != nil {
			return err
		}
		spent := cpu(e.pid)
		o, err := drive(ctx, w.cmd.Process.Pid, load{Addr: w.addr, Requests: r.requests, Status: r.status, Conns: 1, Seconds: 1})
		if err != nil {
			return err
		}
		spent = cpu(e.pid) - spent
		after, err := counters(ctx, w.db)
		if err != nil {
			return err
		}
		n := float64(o.N)
		each := func(name string) float64 { return float64(after[name]-before[name]) / n }
		res.costs = append(res.costs, cost{
			name: r.name, statements: each("Queries") - 1/n, // but for the one that reads the counters
			received: each("Bytes_received"), sent: each("Bytes_sent"),
			answer: t.Rows[r.name].Bytes, cpu: o.CPU, db: spent / n,
		})
	}
	return res.measureTables(ctx, w.db, t.People, "users", "user_words")
}

// counters are the server's, since its start.
func counters(ctx context.Context, db *sql.DB) (map[string]int64, error) {
	rows, err := db.QueryContext(ctx, "SHOW GLOBAL STATUS WHERE Variable_name IN ('Queries', 'Bytes_received', 'Bytes_sent')")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]int64{}
	for rows.Next() {
		var name string
		var n int64
		if err := rows.Scan(&name, &n); err != nil {
			return nil, err
		}
		all[name] = n
	}
	return all, rows.Err()
}

func costTable(costs []cost) string {
	var text strings.Builder
	text.WriteString("| request | round trips | bytes to the database | bytes from it | bytes of the answer | CPU ms here | CPU ms there |\n" +
		"|---|---:|---:|---:|---:|---:|---:|\n")
	for _, c := range costs {
		fmt.Fprintf(&text, "| %s | %.1f | %.0f | %.0f | %d | %s | %s |\n",
			c.name, c.statements, c.received, c.sent, c.answer, number(c.cpu), number(c.db))
	}
	return strings.TrimSpace(text.String())
}

// tableSize is how much room a table takes, with its indexes.
type tableSize struct {
	name        string
	things      int // people, or sessions
	rows        int64
	data, index int64 // bytes
}

// measureTables notes tables that grow with so many people or sessions.
func (res *scaling) measureTables(ctx context.Context, db *sql.DB, things int, names ...string) error {
	for _, name := range names {
		size := tableSize{name: name, things: things}
		if _, err := db.ExecContext(ctx, "ANALYZE TABLE "+name); err != nil { // which refreshes what is asked next
			return err
		}
		if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+name).Scan(&size.rows); err != nil {
			return err
		}
		err := db.QueryRowContext(ctx, "SELECT data_length, index_length FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?", name).
			Scan(&size.data, &size.index)
		if err != nil {
			return err
		}
		res.sizes = append(res.sizes, size)
	}
	return nil
}

// each is the bytes of one.
func (s tableSize) each() float64 { return float64(s.data+s.index) / float64(s.things) }

func sizeTable(sizes []tableSize) string {
	var text strings.Builder
	text.WriteString("| table | measured with | rows each | bytes each | of these, indexes |\n|---|---:|---:|---:|---:|\n")
	for _, s := range sizes {
		of := "people"
		if s.name == "sessions" {
			of = "sessions"
		}
		n := float64(s.things)
		fmt.Fprintf(&text, "| `%s` | %s %s | %.1f | %.0f | %.0f |\n", s.name, thousands(s.things), of, float64(s.rows)/n, s.each(), float64(s.index)/n)
	}
	return strings.TrimSpace(text.String())
}

// What the arithmetic of docs/internals/scaling.md supposes.
const (
	dailyShare  = 0.1  // of the people who are on the list, how many come on a day
	dailyAsked  = 20.0 // requests a day of one who comes
	busiestHour = 0.15 // of the day's requests, how many come in it
	sessionDays = 7    // how long a session lasts; somebody who comes has one
)

// arithmetic is what the figures mean for longer lists.
func (res scaling) arithmetic() string {
	if len(res.costs) == 0 || len(res.sizes) == 0 {
		return "Not measured: there was no MariaDB."
	}
	check := res.costs[0]
	person, session := 0.0, 0.0
	for _, s := range res.sizes {
		if s.name == "sessions" {
			session = s.each()
		} else {
			person += s.each()
		}
	}
	var text strings.Builder
	text.WriteString("| people | requests a second in the busiest hour | statements a second | database CPU, cores | product CPU, cores | people and words, GB | sessions of a week, GB |\n" +
		"|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, n := range []float64{1e6, 1e7, 1e8} {
		rate := n * dailyShare * dailyAsked * busiestHour / 3600
		fmt.Fprintf(&text, "| %s | %.0f × %g × %g × %g / 3600 = %.0f | × %.1f = %.0f | × %s ms = %.2f | × %s ms = %.2f | × %.0f bytes = %.1f | × %g × %g × %.0f bytes = %.1f |\n",
			thousands(int(n)), n, dailyShare, dailyAsked, busiestHour, rate, check.statements, rate*check.statements,
			number(check.db), rate*check.db/1000, number(check.cpu), rate*check.cpu/1000, person, n*person/1e9, dailyShare, float64(sessionDays), session, n*dailyShare*sessionDays*session/1e9)
	}
	return strings.TrimSpace(text.String())
}
