package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/fault"
)

func (p *cli) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Serve, after bringing the database up to date; so does guestlist alone",
		Example: `  guestlist serve
  guestlist serve --database-url sqlite:/var/lib/guestlist/guestlist.db --guestlist-log json`,
		Args: noArgs, RunE: p.serveFunc(),
	}
}

func (p *cli) serveFunc() func(*cobra.Command, []string) error {
	return p.runWithLog(slog.LevelInfo, serve)
}

// serve opens the app and answers requests until ctx ends; then it finishes what
// was begun.
func serve(ctx context.Context, cfg config.Config, con streams, _ []string) error {
	listener, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return fault.Listen("GUESTLIST_ADDR", cfg.Addr, err)
	}
	defer listener.Close() // also on the ways out below; closing it twice is fine
	metrics, err := listenForMetrics(cfg.MetricsAddr)
	if err != nil {
		return err
	}
	if metrics != nil {
		defer metrics.Close()
	}
	listens := listener.Addr()
	front := newFront(cfg.BaseURL, ctx.Done())
	server := newServer(front, con.log)
	var coming connTracker
	coming.track(server)
	listener = limitConnections(listener, server, maxConnections)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	finish := func() error {
		listener.Close() // nobody new; who has connected is heard
		<-ended
		coming.waitIdle()
		rest, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		if err := server.Shutdown(rest); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return server.Close() // whoever is not done by now is cut off
	}
	app, err := Open(ctx, cfg, con.now, con.log)
	if err != nil {
		if ctx.Err() != nil { // told to stop while it waited for its database: nothing went wrong
			return finish()
		}
		server.Close()
		return err
	}
	defer app.Close()
	front.setHandler(app)
	if metrics != nil {
		defer serveMetrics(metrics, privateHostsOnly(cfg, app.Metrics), con.log).Close()
	}
	printBanner(con.out, cfg, listens, app.devKey())
	reporting, stopReporting := context.WithCancel(ctx)
	var reports sync.WaitGroup
	reports.Go(func() { app.reportInvitations(reporting, con.out, cfg) })
	defer reports.Wait()
	defer stopReporting()

	select {
	case err := <-ended:
		server.Close()
		return err
	case err := <-app.corruption:
		server.Close()
		return err
	case <-ctx.Done():
		con.log.Info("stopping")
	}
	return finish()
}

// newServer bounds how long a client may take: to send the header of a request
// and all of it, to take the answer, and to think of the next request.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}
