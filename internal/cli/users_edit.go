package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
)

func (p *cli) usersEditCommand() *cobra.Command {
	var name, role, status string
	c := &cobra.Command{
		Use: "edit ADDRESS|ID", Short: "Change a person's name, role or status",
		Long: `Change a person's name, role or status; flags you leave out change nothing. suspended signs them out everywhere and blocks
sign-in; active restores access. The last active administrator can't be demoted or suspended.`,
		Example: `  guestlist users edit ada@example.com --role admin
  guestlist users edit ada@example.com --name 'Ada King' --status suspended`,
		Args: exactArg("address or id"),
	}
	c.RunE = p.run(func(ctx context.Context, cfg config.Config, con streams, args []string) error {
		ifSet := func(flag string, value *string) *string {
			if !c.Flags().Changed(flag) {
				return nil
			}
			return value
		}
		edit := directory.Edit{Name: ifSet("name", &name), Role: ifSet("role", &role), Status: ifSet("status", &status)}
		if edit == (directory.Edit{}) {
			return usageError{errors.New("guestlist users edit needs --name, --role or --status")}
		}
		return runUserChange(ctx, cfg, con, args[0], func(ctx context.Context, a *app.Admin, u directory.User) (string, error) {
			u, err := a.Directory.Edit(ctx, app.Operator(), u.ID, edit)
			return fmt.Sprintf("Saved %s: %s, %s.", u.DisplayName(), u.Role, u.Status), err
		})
	})
	c.Flags().StringVar(&name, "name", "", "new `NAME`; empty to clear it")
	c.Flags().StringVar(&role, "role", "", "new `ROLE`: admin or member")
	c.Flags().StringVar(&status, "status", "", "new `STATUS`: active or suspended")
	return c
}
