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
		p.usersResetFactorsCommand(), p.usersLinkCommand(),
		p.usersImportCommand(), p.usersExportCommand())
	return c
}

// userChange changes a user and returns a message about it.
type userChange func(ctx context.Context, a *app.Admin, u directory.User) (message string, err error)

// runUserChange makes a change of one user, given by address or ID, as the operator. It
// delivers the change to Stytch and prints a message.
func runUserChange(ctx context.Context, cfg config.Config, con streams, addressOrID string, do userChange) error {
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer a.Close()
	u, err := findUser(ctx, a.Directory, addressOrID)
	if err != nil {
		return err
	}
	message, err := do(ctx, a, u)
	if err != nil {
		return usageErrorFrom(err)
	}
	pending, err := a.DeliverPending(ctx, u.Email)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(con.out, strings.TrimSpace(message+" "+pending))
	return err
}

// findUser returns the user with an email address or ID.
func findUser(ctx context.Context, people directory.Reader, addressOrID string) (directory.User, error) {
	if !strings.Contains(addressOrID, "@") {
		u, err := people.GetUser(ctx, addressOrID)
		if errors.Is(err, directory.ErrNotFound) {
			err = fmt.Errorf("no one on the list has the id %q; you can also use the email address", addressOrID)
		}
		return u, err
	}
	email, err := directory.ParseEmail(addressOrID)
	if err != nil {
		return directory.User{}, usageError{fmt.Errorf("%q is not an email address", addressOrID)}
	}
	u, err := people.GetUserByEmail(ctx, email)
	if errors.Is(err, directory.ErrNotFound) {
		err = fmt.Errorf("no one on the list has the address %q", addressOrID)
	}
	return u, err
}

// usageErrorFrom turns validation errors of the directory into a usage error. It returns
// other errors unchanged.
func usageErrorFrom(err error) error {
	var invalid *directory.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	var messages []string
	for _, field := range slices.Sorted(maps.Keys(invalid.Fields)) {
		messages = append(messages, field+": "+invalid.Fields[field])
	}
	return usageError{errors.New(strings.Join(messages, " "))}
}
