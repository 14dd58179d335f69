package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
)

func (p *cli) sessionsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "sessions", Short: "Sign people out",
		Example: "  guestlist sessions end ada@example.com",
		Args:    noArgs, RunE: requireSubcommand,
	}
	var tokens bool
	end := &cobra.Command{
		Use: "end ADDRESS|ID", Short: "Sign someone out everywhere",
		Long: `Sign someone out everywhere. Links they've been sent no longer work. They stay on the list and can request another link.
Their API tokens keep working unless you pass --tokens.`,
		Example: `  guestlist sessions end ada@example.com
  guestlist sessions end ada@example.com --tokens
  guestlist sessions end 01980c8e-7a6b-7c3e-9d53-2f3a1b0c4d5e`,
		Args: exactArg("address or id"),
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, args []string) error {
			return endSessions(ctx, cfg, con, args[0], tokens)
		}),
	}
	end.Flags().BoolVar(&tokens, "tokens", false, "also revoke their API tokens")
	c.AddCommand(end)
	return c
}

func endSessions(ctx context.Context, cfg config.Config, con streams, addressOrID string, tokens bool) error {
	return runUserChange(ctx, cfg, con, addressOrID, func(ctx context.Context, a *app.Admin, u directory.User) (string, error) {
		ended, err := a.Directory.SignOut(ctx, app.Operator(), u.ID, directory.SignOut{Reason: "ended by an administrator", Tokens: tokens})
		what := humanize.Plural(ended.Sessions, "session")
		if tokens {
			what += " and " + humanize.Plural(ended.Tokens, "API token")
		}
		return "Ended " + what + " of " + u.Email.Display + ".", err
	})
}
