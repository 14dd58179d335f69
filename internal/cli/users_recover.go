package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/factor"
	"github.com/guestlist/guestlist/internal/humanize"
)

func (p *cli) usersResetFactorsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "reset-factors ADDRESS|ID", Short: "Remove someone's passkeys and authenticator app",
		Long: `Remove someone's passkeys and authenticator app, for example because they lost their phone. They can still sign in by email.
If a second factor is required, they set up a new one when they do.`,
		Example: `  guestlist users reset-factors ada@example.com`,
		Args:    exactArg("address or id"),
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, args []string) error {
			return runUserChange(ctx, cfg, con, args[0], func(ctx context.Context, a *app.Admin, u directory.User) (string, error) {
				removed, err := a.Factors.Reset(ctx, app.Operator().Origin, u.ID, "")
				if len(removed) == 0 {
					return u.Email.Display + " has no passkeys and no authenticator app.", err
				}
				return "Removed " + factor.Summary(removed) + " of " + u.Email.Display + ".", err
			})
		}),
	}
}

func (p *cli) usersLinkCommand() *cobra.Command {
	return &cobra.Command{
		Use: "link ADDRESS|ID", Short: "Print a link that signs someone in once",
		Long: `Print a link that signs someone in once, within 15 minutes and in any browser, without an email and without a second factor.
It's for the last resort, such as an administrator who has lost everything. They and the administrators get an email about it.
With Stytch, embeddable magic links must be allowed for the project.`,
		Example: `  guestlist users link ada@example.com`,
		Args:    exactArg("address or id"), RunE: p.run(printHostLink),
	}
}

func printHostLink(ctx context.Context, cfg config.Config, con streams, args []string) error {
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer a.Close()
	u, err := findUser(ctx, a.Directory, args[0])
	if err != nil {
		return err
	}
	link, expires, err := a.CreateHostLink(ctx, u)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(con.out, "This link signs %s in once, until %s. Give it to no one else:\n%s\n",
		u.Email.Display, humanize.FormatTime(expires), link)
	return err
}
