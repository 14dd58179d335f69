package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
)

func (p *cli) usersRemoveCommand() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use: "remove ADDRESS|ID", Short: "Remove someone and sign them out everywhere",
		Long: `Remove someone and sign them out everywhere, here at once and at Stytch. It asks first, and on no terminal it needs --yes.
The last active administrator can't be removed.`,
		Example: `  guestlist users remove ada@example.com
  guestlist users remove ada@example.com --yes`,
		Args: exactArg("address or id"),
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, args []string) error {
			return remove(ctx, cfg, con, args[0], yes)
		}),
	}
	c.Flags().BoolVar(&yes, "yes", false, "don't ask for confirmation")
	return c
}

func remove(ctx context.Context, cfg config.Config, con streams, addressOrID string, yes bool) error {
	if !yes && !con.interactive {
		return usageError{errors.New("guestlist users remove asks for confirmation; without a terminal, pass --yes")}
	}
	return runUserChange(ctx, cfg, con, addressOrID, func(ctx context.Context, a *app.Admin, u directory.User) (string, error) {
		if !yes && !con.confirm("Remove "+strings.TrimSpace(u.Name+" "+u.Email.Display)+"? They'll be signed out everywhere.") {
			return "", errors.New("no one was removed")
		}
		u, err := a.Directory.Remove(ctx, app.Operator(), u.ID)
		return "Removed " + u.Email.Display + " and signed them out everywhere.", err
	})
}

// confirm asks a question and reports whether the answer is y or yes.
func (con streams) confirm(question string) bool {
	fmt.Fprint(con.err, question, " [y/N] ")
	answer, _ := bufio.NewReader(con.in).ReadString('\n') // a read error counts as no
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true
	}
	return false
}
