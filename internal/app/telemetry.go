package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/guestlist/guestlist/internal/buildinfo"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/telemetry"
)

// openTelemetry returns nil if metrics and traces are disabled.
func openTelemetry(cfg config.Config, now func() time.Time, log *slog.Logger) (*telemetry.Telemetry, error) {
	return telemetry.New(telemetry.Options{
		Metrics: cfg.MetricsAddr != "", Endpoint: cfg.TracesURL, Headers: cfg.TracesHeaders, Version: buildinfo.Read().Version, Now: now, Log: log,
	})
}

// instrumentStore reports the store's statements and pools, and the backlog of the
// outbox.
func (c *core) instrumentStore() {
	if c.telemetry == nil {
		return
	}
	c.Store.Watch(c.telemetry.ObserveQuery)
	c.telemetry.Watch(c.Store.Pools, func(ctx context.Context) (telemetry.Backlog, error) {
		waiting, parked, oldest, err := c.Store.Backlog(ctx)
		return telemetry.Backlog{Waiting: waiting, Parked: parked, Oldest: oldest}, err
	})
}
