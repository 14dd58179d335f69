package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/config"
)

func (p *program) healthCommand() *cobra.Command {
	var ready bool
	c := &cobra.Command{
		Use: "health", Short: "Ask the instance that serves by these settings whether it lives",
		Long: `Ask the instance that serves by these settings, on this machine, whether it lives. That is what restarts should hang on. With
--ready: whether it can do its work, too, for which its database must answer; what only waits for it should ask that.`,
		Example: `  guestlist health
  guestlist health --ready --guestlist-addr 127.0.0.1:9000`,
		Args: noWords,
		RunE: p.does(func(ctx context.Context, cfg config.Config, con console, _ []string) error {
			path := "/healthz"
			if ready {
				path = "/readyz"
			}
			said, err := askHealth(ctx, cfg, path)
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

// askHealth asks one of the two paths for health, and returns what is good in a
// sentence; what is not is the error. It goes the way of a proxy in front: to the
// address where the instance listens, under the name in the base URL.
func askHealth(ctx context.Context, cfg config.Config, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, cfg.Addr)
	}}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+cfg.BaseURL.Host+cfg.BaseURL.Path+path, nil)
	if err != nil {
		return "", err
	}
	answer, err := transport.RoundTrip(r) // without redirects: there are none
	if err != nil {
		return "", fmt.Errorf("no answer from %s: %w", cfg.Addr, err)
	}
	defer answer.Body.Close()
	var said struct {
		Status   string `json:"status"`
		Database string `json:"database"`
		Stytch   string `json:"stytch"`
		Error    string `json:"error"`
	}
	err = json.UnmarshalRead(io.LimitReader(answer.Body, 4<<10), &said)
	switch {
	case err == nil && answer.StatusCode == http.StatusOK && said.Status == "ok":
		return "It lives.", nil
	case err == nil && answer.StatusCode == http.StatusOK && said.Status == "ready":
		return fmt.Sprintf("It can do its work: database %s, Stytch %s.", said.Database, said.Stytch), nil
	case err == nil && answer.StatusCode == http.StatusServiceUnavailable && said.Error != "":
		return "", fmt.Errorf("it can't do its work yet: %s", said.Error)
	case err == nil && answer.StatusCode == http.StatusServiceUnavailable:
		return "", fmt.Errorf("it can't do its work: database %s, Stytch %s", said.Database, said.Stytch)
	}
	return "", fmt.Errorf("what answers at %s is no Guestlist of these settings (%s to %s)", cfg.Addr, answer.Status, r.URL.Path)
}
