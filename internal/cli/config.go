package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
)

func (p *cli) configCommand() *cobra.Command {
	var asJSON, stytchEnv bool
	c := &cobra.Command{
		Use: "config", Short: "Print the effective settings, with secrets masked",
		Long: `Print the effective settings, with secrets masked, and where each comes from: flag, environment, .env or default.
With --json: {"settings": [{"name", "value", "source"}]}, where value is null if the setting isn't set.`,
		Example: `  guestlist config
  guestlist config --json
  guestlist config --stytch-env > stytch.env`,
		Args: noArgs,
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, args []string) error {
			switch {
			case stytchEnv && asJSON:
				return usageError{errors.New("--stytch-env prints shell variables and can't be combined with --json")}
			case stytchEnv:
				return printStytchEnv(ctx, cfg, con)
			case asJSON:
				return printJSON(con.out, map[string]any{"settings": cfg.Shown()})
			}
			return cfg.Print(con.out)
		}),
	}
	c.Flags().BoolVar(&stytchEnv, "stytch-env", false, "print the local Stytch's credentials instead, for another app's Stytch SDK")
	addJSONFlag(c, &asJSON)
	return c
}

// printStytchEnv prints the settings with which another program uses the local Stytch.
func printStytchEnv(ctx context.Context, cfg config.Config, con streams) error {
	if !cfg.LocalMode() {
		return errors.New("config --stytch-env: other programs can use the local Stytch in local mode only")
	}
	st, err := app.OpenStore(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer st.Close()
	local, err := app.OpenLocalStytch(ctx, cfg, app.LocalOptions{Store: st, Now: con.now, Log: con.log})
	if err != nil {
		return err
	}
	defer local.Close()
	c := local.Credentials()
	_, err = fmt.Fprintf(con.out, "STYTCH_PROJECT_ID=%s\nSTYTCH_SECRET=%s\nSTYTCH_PUBLIC_TOKEN=%s\nSTYTCH_BASE_URL=%s\nINBOX_URL=%s\n",
		c.ProjectID, c.Secret, c.PublicToken, cfg.ListenerURL(), cfg.ListenerURL()+"/dev/inbox.json?key="+local.DevKey())
	return err
}
