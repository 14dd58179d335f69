package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
)

func (p *cli) usersCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "users", Short: "List, invite, change and remove people",
		Long: `List, invite, change and remove people, by the same rules as the People page. It's safe while instances are running.
Changes are recorded in the audit log as made by the operating system's user.`,
		Example: `  guestlist users list --status invited
  guestlist users invite ada@example.com --name 'Ada Lovelace'`,
		Args: noArgs, RunE: requireSubcommand,
	}
	c.AddCommand(p.usersListCommand(), p.usersInviteCommand(), p.usersEditCommand(), p.usersRemoveCommand(),
		p.usersImportCommand(), p.usersExportCommand())
	return c
}

// userChange is what a command does to one person, and returns what to say of it.
type userChange func(ctx context.Context, a *app.Admin, u directory.User) (said string, err error)

// runUserChange opens what a change needs, finds who is meant by an address or an id, makes
// the change as the operator, and tells Stytch of it.
func runUserChange(ctx context.Context, cfg config.Config, con streams, who string, do userChange) error {
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer a.Close()
	u, err := findUser(ctx, a.Directory, who)
	if err != nil {
		return err
	}
	said, err := do(ctx, a, u)
	if err != nil {
		return usageErrorFrom(err)
	}
	untold, err := a.DeliverPending(ctx, u.Email)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(con.out, strings.TrimSpace(said+" "+untold))
	return err
}

// findUser returns the person with an address or an id.
func findUser(ctx context.Context, people directory.Reader, who string) (directory.User, error) {
	if !strings.Contains(who, "@") {
		u, err := people.GetUser(ctx, who)
		if errors.Is(err, directory.ErrNotFound) {
			err = fmt.Errorf("no one on the list has the id %q; you can also use the email address", who)
		}
		return u, err
	}
	email, err := directory.ParseEmail(who)
	if err != nil {
		return directory.User{}, usageError{fmt.Errorf("%q is not an email address", who)}
	}
	u, err := people.GetUserByEmail(ctx, email)
	if errors.Is(err, directory.ErrNotFound) {
		err = fmt.Errorf("no one on the list has the address %q", who)
	}
	return u, err
}

// usageErrorFrom makes what the directory says of fields a sentence about what was typed.
func usageErrorFrom(err error) error {
	var invalid *directory.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	var said []string
	for _, field := range slices.Sorted(maps.Keys(invalid.Fields)) {
		said = append(said, field+": "+invalid.Fields[field])
	}
	return usageError{errors.New(strings.Join(said, " "))}
}
