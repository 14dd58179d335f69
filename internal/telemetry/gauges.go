package telemetry

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// backlogTimeout bounds the database query of a scrape.
const backlogTimeout = 2 * time.Second

// Backlog is the state of the outbox.
type Backlog struct {
	Waiting int       // jobs that are due or will be retried
	Parked  int       // jobs that Stytch rejected permanently
	Oldest  time.Time // creation time of the oldest waiting job; zero if there is none
}

// Watch registers metrics that are read at each scrape: the database's connection pools by
// name, and the outbox. They are left out of a scrape if they can't be read.
func (t *Telemetry) Watch(pools func() map[string]sql.DBStats, backlog func(context.Context) (Backlog, error)) {
	if t.meters == nil {
		return
	}
	t.meters.set.RegisterMetricsWriter(func(w io.Writer) { writePools(w, pools()) })
	t.meters.set.RegisterMetricsWriter(func(w io.Writer) {
		ctx, cancel := context.WithTimeout(context.Background(), backlogTimeout)
		defer cancel()
		if b, err := backlog(ctx); err == nil {
			writeBacklog(w, b, t.meters.now())
		}
	})
}

func writePools(w io.Writer, pools map[string]sql.DBStats) {
	names := slices.Sorted(maps.Keys(pools))
	for _, f := range []struct {
		name, kind string
		value      func(sql.DBStats) float64
	}{
		{"guestlist_db_connections_max", "gauge", func(s sql.DBStats) float64 { return float64(s.MaxOpenConnections) }},
		{"guestlist_db_connections_open", "gauge", func(s sql.DBStats) float64 { return float64(s.OpenConnections) }},
		{"guestlist_db_connections_in_use", "gauge", func(s sql.DBStats) float64 { return float64(s.InUse) }},
		{"guestlist_db_waits_total", "counter", func(s sql.DBStats) float64 { return float64(s.WaitCount) }},
		{"guestlist_db_wait_seconds_total", "counter", func(s sql.DBStats) float64 { return s.WaitDuration.Seconds() }},
	} {
		metrics.WriteMetadataIfNeeded(w, f.name, f.kind)
		for _, name := range names {
			fmt.Fprintf(w, "%s{pool=%q} %g\n", f.name, name, f.value(pools[name]))
		}
	}
}

func writeBacklog(w io.Writer, b Backlog, now time.Time) {
	metrics.WriteMetadataIfNeeded(w, "guestlist_outbox_jobs", "gauge")
	fmt.Fprintf(w, "guestlist_outbox_jobs{state=\"parked\"} %d\nguestlist_outbox_jobs{state=\"waiting\"} %d\n", b.Parked, b.Waiting)
	age := 0.0
	if !b.Oldest.IsZero() {
		age = max(0, now.Sub(b.Oldest).Seconds())
	}
	metrics.WriteGaugeFloat64(w, "guestlist_outbox_oldest_seconds", age)
}
