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

func (p *cli) usersInviteCommand() *cobra.Command {
	var entry directory.UserInput
	var again, asJSON bool
	c := &cobra.Command{
		Use: "invite ADDRESS", Short: "Put somebody on the list and mail them an invitation",
		Long: `Put somebody on the list and mail them an invitation. A mail that can't leave now is tried again by the instance that serves.
With --json: {"user": {"id", "name", "email", "role", "status", "created_at", "last_seen_at"}, "mail", "reason"}, where mail is
sent, waiting or refused, and reason says why it waits or was refused. The exit status is 1 for one that was refused.`,
		Example: `  guestlist users invite ada@example.com --name 'Ada Lovelace' --role admin
  guestlist users invite ada@example.com --again`,
		Args: exactArg("e-mail address"),
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, args []string) error {
			if again && (entry.Name != "" || entry.Role != "") {
				return usageError{errors.New("--again leaves name and role as they are, and goes without --name and --role")}
			}
			entry.Email = args[0]
			return invite(ctx, cfg, con, entry, again, asJSON)
		}),
	}
	c.Flags().StringVar(&entry.Name, "name", "", "their `NAME`, in any language")
	c.Flags().StringVar(&entry.Role, "role", "", "their `ROLE`: admin or member (default: member)")
	c.Flags().BoolVar(&again, "again", false, "mail another invitation to somebody who is on the list already")
	addJSONFlag(c, &asJSON)
	return c
}

// jsonInvited is the answer of guestlist users invite --json.
type jsonInvited struct {
	User   directory.UserJSON `json:"user"`
	Mail   string             `json:"mail"`   // sent, waiting or refused
	Reason string             `json:"reason"` // why it waits or was refused
}

func invite(ctx context.Context, cfg config.Config, con streams, entry directory.UserInput, again, asJSON bool) error {
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer a.Close()
	var u directory.User
	if again {
		if u, err = findUser(ctx, a.Directory, entry.Email); err == nil {
			u, err = a.Directory.Reinvite(ctx, app.Operator(), u.ID)
		}
	} else {
		u, err = a.Directory.Invite(ctx, app.Operator(), entry)
	}
	switch {
	case errors.Is(err, directory.ErrEmailTaken):
		return fmt.Errorf("%w; with --again they are mailed another invitation", err)
	case errors.Is(err, directory.ErrSuspended):
		return fmt.Errorf("%s is suspended; guestlist users edit %[1]s --status active lets them in again", entry.Email)
	case err != nil:
		return usageErrorFrom(err)
	}
	jobs, err := a.Directory.ListJobs(ctx, u.Email)
	if err != nil {
		return err
	}
	state := u.Invitation(jobs, cfg.InviteDuration, con.now())
	answer := jsonInvited{User: directory.NewUserJSON(u), Mail: "sent", Reason: state.Reason}
	said := "Invitation sent to " + u.Email.Display + "."
	switch {
	case state.Refused:
		answer.Mail = "refused"
		err = errors.New(u.Email.Display + " is on the list, but the invitation was not handed over. " + state.Reason)
	case state.Pending:
		answer.Mail = "waiting"
		said = u.Email.Display + " is on the list, but the mail has not left yet, and will from the instance that serves. " + state.Reason
	}
	if asJSON {
		return errors.Join(printJSON(con.out, answer), err)
	}
	if err == nil {
		_, err = fmt.Fprintln(con.out, said)
	}
	return err
}
