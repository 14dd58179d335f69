package cli

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/fault"
	"github.com/guestlist/guestlist/internal/healthcheck"
)

func (p *cli) healthCommand() *cobra.Command {
	var ready bool
	c := &cobra.Command{
		Use: "health", Short: "Check whether the instance on this machine is running",
		Long: `Check whether the instance with these settings, on this machine, is running. Exits 1 if it doesn't respond. Use it as a
liveness probe. With --ready it also checks that the database answers: use that as a readiness probe.`,
		Example: `  guestlist health
  guestlist health --ready --guestlist-addr 127.0.0.1:9000`,
		Args: noArgs,
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, _ []string) error {
			path := "/healthz"
			if ready {
				path = "/readyz"
			}
			message, err := checkHealth(ctx, cfg, path)
			if err != nil {
				return fmt.Errorf("health: %w", err)
			}
			_, err = fmt.Fprintln(con.out, message)
			return err
		}),
	}
	c.Flags().BoolVar(&ready, "ready", false, "check that it's ready for traffic")
	return c
}

// checkHealth requests /healthz or /readyz of the local instance. It returns a message if
// the instance is healthy, and an error otherwise.
func checkHealth(ctx context.Context, cfg config.Config, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, healthcheck.Timeout)
	defer cancel()
	r, err := healthcheck.CheckLocal(ctx, cfg, path)
	switch {
	case fault.Network(err) != nil:
		return "", fmt.Errorf("no answer: %w", fault.Network(err))
	case err != nil:
		return "", fmt.Errorf("no answer from %s: %w", cfg.Addr, err)
	case r.Code == http.StatusOK && r.Status == "ok":
		return "Running.", nil
	case r.Code == http.StatusOK && r.Status == "ready":
		return fmt.Sprintf("Ready: database %s, Stytch %s.", r.Database, r.Stytch), nil
	case r.Code == http.StatusServiceUnavailable && r.Error != "":
		return "", fmt.Errorf("not ready yet: %s", r.Error)
	case r.Code == http.StatusServiceUnavailable && r.HasStarted():
		return "", fmt.Errorf("not ready: database %s, Stytch %s", r.Database, r.Stytch)
	}
	return "", fmt.Errorf("%s is served by another program or by other settings (%d %s for %s)",
		cfg.Addr, r.Code, http.StatusText(r.Code), cfg.BaseURL.Path+path)
}
