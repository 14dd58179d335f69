//go:build linux

package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// cost is the work of one request, as counted by MariaDB.
type cost struct {
	name       string
	statements float64 // each is a round trip, because parameters travel in the text
	received   float64 // bytes sent to the database
	sent       float64 // bytes sent by the database
	answer     int     // bytes of the response body
	cpu, db    float64 // milliseconds of the product and of the database
}

// countCosts repeats each request on one connection, so that no two share a query, and records the
// change of MariaDB's counters.
func (res *scaling) countCosts(ctx context.Context, g *target, e engine, t table) error {
	for _, r := range t.Order {
		before, err := readCounters(ctx, g.db)
		if err != nil {
			return err
		}
		spent := cpu(e.pid)
		o, err := drive(ctx, g.pid(), loadJob{Addr: g.addr, Requests: r.requests, Then: r.then, Status: r.status, Conns: 1, Seconds: 1})
		if err != nil {
			return err
		}
		spent = cpu(e.pid) - spent
		after, err := readCounters(ctx, g.db)
		if err != nil {
			return err
		}
		n := float64(o.N)
		perRequest := func(name string) float64 { return float64(after[name]-before[name]) / n }
		res.costs = append(res.costs, cost{
			name:       r.name,
			statements: perRequest("Queries") - 1/n, // without the query that reads the counters
			received:   perRequest("Bytes_received"),
			sent:       perRequest("Bytes_sent"),
			answer:     t.Rows[r.name].Bytes,
			cpu:        o.CPU,
			db:         spent / n,
		})
	}
	return res.recordSizes(ctx, g.db, t.People, "users", "user_words")
}

// readCounters returns MariaDB's counters since its start.
func readCounters(ctx context.Context, db *sql.DB) (map[string]int64, error) {
	rows, err := db.QueryContext(ctx, "SHOW GLOBAL STATUS WHERE Variable_name IN ('Queries', 'Bytes_received', 'Bytes_sent')")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	counters := map[string]int64{}
	for rows.Next() {
		var name string
		var n int64
		if err := rows.Scan(&name, &n); err != nil {
			return nil, err
		}
		counters[name] = n
	}
	return counters, rows.Err()
}

func costTable(costs []cost) string {
	var text strings.Builder
	text.WriteString("| request | round trips | bytes to the database | bytes from it | response bytes | product CPU ms | database CPU ms |\n" +
		"|---|---:|---:|---:|---:|---:|---:|\n")
	for _, c := range costs {
		fmt.Fprintf(&text, "| %s | %.1f | %.0f | %.0f | %d | %s | %s |\n",
			c.name, c.statements, c.received, c.sent, c.answer, number(c.cpu), number(c.db))
	}
	return strings.TrimSpace(text.String())
}

// tableSize is the size of a database table with its indexes.
type tableSize struct {
	name        string
	n           int // people, or sessions for the table of sessions
	rows        int64
	data, index int64 // bytes
}

// recordSizes records the sizes of tables that belong to n people or sessions.
func (res *scaling) recordSizes(ctx context.Context, db *sql.DB, n int, names ...string) error {
	for _, name := range names {
		size := tableSize{name: name, n: n}
		if _, err := db.ExecContext(ctx, "ANALYZE TABLE "+name); err != nil { // refreshes information_schema
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

// bytesEach returns the bytes per person or session.
func (s tableSize) bytesEach() float64 { return float64(s.data+s.index) / float64(s.n) }

func sizeTable(sizes []tableSize) string {
	var text strings.Builder
	text.WriteString("| table | measured with | rows each | bytes each | index bytes each |\n|---|---:|---:|---:|---:|\n")
	for _, s := range sizes {
		unit := "people"
		if s.name == "sessions" {
			unit = "sessions"
		}
		n := float64(s.n)
		fmt.Fprintf(&text, "| `%s` | %s %s | %.1f | %.0f | %.0f |\n", s.name, thousands(s.n), unit, float64(s.rows)/n, s.bytesEach(), float64(s.index)/n)
	}
	return strings.TrimSpace(text.String())
}

// Assumptions for large directories in docs/internals/scaling.md.
const (
	dailyShare       = 0.1  // share of people who visit on a day
	dailyRequests    = 20.0 // requests per visitor and day
	busiestHourShare = 0.15 // share of a day's requests in its busiest hour
	sessionDays      = 7    // days a session is stored
)

// arithmetic extrapolates the figures to large directories.
func (res scaling) arithmetic() string {
	if len(res.costs) == 0 || len(res.sizes) == 0 {
		return "Not measured: MariaDB wasn't available."
	}
	check := res.costs[0]
	person, session := 0.0, 0.0
	for _, s := range res.sizes {
		if s.name == "sessions" {
			session = s.bytesEach()
		} else {
			person += s.bytesEach()
		}
	}
	var text strings.Builder
	text.WriteString("| people | requests per second in the busiest hour | statements per second | database CPU, cores | product CPU, cores | people and words, GB | sessions of a week, GB |\n" +
		"|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, n := range []float64{1e6, 1e7, 1e8} {
		rate := n * dailyShare * dailyRequests * busiestHourShare / 3600
		fmt.Fprintf(&text, "| %s | %.0f × %g × %g × %g / 3600 = %.0f | × %.1f = %.0f | × %s ms = %.2f | × %s ms = %.2f | × %.0f bytes = %.1f | × %g × %g × %.0f bytes = %.1f |\n",
			thousands(int(n)), n, dailyShare, dailyRequests, busiestHourShare, rate, check.statements, rate*check.statements,
			number(check.db), rate*check.db/1000, number(check.cpu), rate*check.cpu/1000, person, n*person/1e9,
			dailyShare, float64(sessionDays), session, n*dailyShare*sessionDays*session/1e9)
	}
	return strings.TrimSpace(text.String())
}
