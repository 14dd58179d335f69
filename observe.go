package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/telemetry"
)

// openTelemetry returns whom to tell what happens; nil where nobody wants to know.
func openTelemetry(cfg config.Config, now func() time.Time, log *slog.Logger) (*telemetry.Telemetry, error) {
	return telemetry.New(telemetry.Options{
		Metrics: cfg.MetricsAddr != "", Endpoint: cfg.TracesURL, Headers: cfg.TracesHeaders, Version: thisBuild().Version, Now: now, Log: log,
	})
}

// instrumentStore has the store's statements and pools, and the outbox, watched.
func (a *app) instrumentStore() {
	if a.telemetry == nil {
		return
	}
	a.store.Watch(a.telemetry.ObserveQuery)
	a.telemetry.Watch(a.store.Pools, func(ctx context.Context) (telemetry.Backlog, error) {
		waiting, parked, oldest, err := a.store.Backlog(ctx)
		return telemetry.Backlog{Waiting: waiting, Parked: parked, Oldest: oldest}, err
	})
}

// profileTimeout is how long a profile may take that somebody asks for.
const profileTimeout = 2 * time.Minute

// listenForMetrics opens the listener of metrics and profiles; nil without one.
func listenForMetrics(addr string) (net.Listener, error) {
	if addr == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fault.Listen("GUESTLIST_METRICS_ADDR", addr, err)
	}
	return listener, nil
}

// serveMetrics answers on the listener until the server is closed.
func serveMetrics(listener net.Listener, handler http.Handler, log *slog.Logger) *http.Server {
	server := newServer(handler, log)
	server.WriteTimeout = profileTimeout
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are no longer served", "error", err)
		}
	}()
	return server
}
