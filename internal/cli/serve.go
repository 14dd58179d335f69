package cli

import (
	"context"
	"log/slog"
	"net"
	"sync"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/httpserver"
)

func (p *cli) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Start the server (the default command)",
		Example: `  guestlist serve
  guestlist serve --database-url sqlite:/var/lib/guestlist/guestlist.db --guestlist-log json`,
		Args: noArgs, RunE: p.serveFunc(),
	}
}

func (p *cli) serveFunc() func(*cobra.Command, []string) error {
	return p.runWithLog(slog.LevelInfo, serve)
}

// serve opens the app and serves requests until ctx ends; then it finishes the requests
// in progress.
func serve(ctx context.Context, cfg config.Config, con streams, _ []string) error {
	listener, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return fault.Listen("GUESTLIST_ADDR", cfg.Addr, err)
	}
	defer listener.Close()
	metricsListener, err := listenForMetrics(cfg.MetricsAddr)
	if err != nil {
		return err
	}
	if metricsListener != nil {
		defer metricsListener.Close()
	}
	startup := httpserver.NewStartupHandler(cfg.BaseURL, ctx.Done())
	server := httpserver.Start(listener, startup, con.log)
	a, err := app.Open(ctx, cfg, app.Options{Now: con.now, Log: con.log, Demo: true})
	if err != nil {
		if ctx.Err() != nil { // it was stopped while it waited for the database
			return server.Shutdown()
		}
		server.Close()
		return err
	}
	defer a.Close()
	startup.SetHandler(a.Handler)
	if metricsListener != nil {
		defer httpserver.ServeMetrics(metricsListener, httpserver.PrivateHostsOnly(cfg, a.Metrics), con.log).Close()
	}
	printBanner(con.out, cfg, listener.Addr(), a.DevKey(), a.DemoURL())
	reportCtx, stopReport := context.WithCancel(ctx)
	var report sync.WaitGroup
	report.Go(func() { a.ReportInvitations(reportCtx, con.out) })
	defer report.Wait()
	defer stopReport()

	select {
	case err := <-server.Failed():
		server.Close()
		return err
	case err := <-a.Corruption():
		server.Close()
		return err
	case <-ctx.Done():
		con.log.Info("stopping")
		a.EndStreams()
	}
	return server.Shutdown()
}

// listenForMetrics opens the listener of metrics and profiles. It returns nil if addr is
// empty.
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
