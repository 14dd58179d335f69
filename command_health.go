package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/fault"
)

func (p *cli) healthCommand() *cobra.Command {
	var ready bool
	c := &cobra.Command{
		Use: "health", Short: "Ask the instance that serves by these settings whether it lives",
		Long: `Ask the instance that serves by these settings, on this machine, whether it lives. That is what restarts should hang on. With
--ready: whether it can do its work, too, for which its database must answer; what only waits for it should ask that.`,
		Example: `  guestlist health
  guestlist health --ready --guestlist-addr 127.0.0.1:9000`,
		Args: noArgs,
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, _ []string) error {
			path := "/healthz"
			if ready {
				path = "/readyz"
			}
			said, err := checkHealth(ctx, cfg, path)
			if err != nil {
				return fmt.Errorf("health: %w", err)
			}
			_, err = fmt.Fprintln(con.out, said)
			return err
		}),
	}
	c.Flags().BoolVar(&ready, "ready", false, "ask whether it can do its work, too")
	return c
}

// healthTimeout is longer than an instance looks for its database before it answers.
const healthTimeout = 5 * time.Second

// checkHealth asks one of the two paths for health, and returns what is good in a
// sentence; what is not is the error.
func checkHealth(ctx context.Context, cfg config.Config, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	said, err := CheckLocal(ctx, cfg, path)
	switch {
	case fault.Network(err) != nil:
		return "", fmt.Errorf("no answer: %w", fault.Network(err))
	case err != nil:
		return "", fmt.Errorf("no answer from %s: %w", cfg.Addr, err)
	case said.code == http.StatusOK && said.Status == "ok":
		return "It lives.", nil
	case said.code == http.StatusOK && said.Status == "ready":
		return fmt.Sprintf("It can do its work: database %s, Stytch %s.", said.Database, said.Stytch), nil
	case said.code == http.StatusServiceUnavailable && said.Error != "":
		return "", fmt.Errorf("it can't do its work yet: %s", said.Error)
	case said.code == http.StatusServiceUnavailable && said.hasStarted():
		return "", fmt.Errorf("it can't do its work: database %s, Stytch %s", said.Database, said.Stytch)
	}
	return "", fmt.Errorf("what answers at %s is no Guestlist of these settings (%d %s to %s)",
		cfg.Addr, said.code, http.StatusText(said.code), cfg.BaseURL.Path+path)
}
