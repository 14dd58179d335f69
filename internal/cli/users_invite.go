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
	var groups []string
	var again, asJSON bool
	c := &cobra.Command{
		Use: "invite ADDRESS", Short: "Invite someone by email",
		Long: `Add someone to the list and email them an invitation. If it can't be sent now, a running instance will retry.
With --json: {"user": {"id", "name", "email", "role", "status", "created_at", "last_seen_at"}, "mail", "reason"}, where mail is
sent, waiting or refused, and reason says why it's waiting or was refused. Exits 1 if the email was refused.

With --group, they are in that group when they sign in, and with --until only until then: a guest pass.`,
		Example: `  guestlist users invite ada@example.com --name 'Ada Lovelace' --role admin
  guestlist users invite grace@example.com --group Guests --until 2027-03-05
  guestlist users invite ada@example.com --again`,
		Args: exactArg("email address"),
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, args []string) error {
			if again && (entry.Name != "" || entry.Role != "") {
				return usageError{errors.New("--again doesn't change name or role, so it can't be combined with --name or --role")}
			}
			if again && (len(groups) > 0 || entry.Until != "") {
				return usageError{errors.New("--again doesn't change groups, so it can't be combined with --group or --until; use guestlist groups join")}
			}
			entry.Email = args[0]
			return invite(ctx, cfg, con, entry, groups, again, asJSON)
		}),
	}
	c.Flags().StringVar(&entry.Name, "name", "", "their `NAME`")
	c.Flags().StringVar(&entry.Role, "role", "", "their `ROLE`: admin or member (default: member)")
	c.Flags().StringArrayVar(&groups, "group", nil, "add them to this `GROUP`, by name or id; repeat it for more")
	c.Flags().StringVar(&entry.Until, "until", "", "last `DAY` in the groups in UTC, as 2027-03-05, or a time in RFC 3339")
	c.Flags().BoolVar(&again, "again", false, "send another invitation to someone already on the list")
	addJSONFlag(c, &asJSON)
	return c
}

// jsonInvited is the output of guestlist users invite --json.
type jsonInvited struct {
	User   directory.UserJSON `json:"user"`
	Mail   string             `json:"mail"`   // sent, waiting or refused
	Reason string             `json:"reason"` // why it is waiting or was refused; "" if it was sent
}

func invite(ctx context.Context, cfg config.Config, con streams, entry directory.UserInput, groups []string, again, asJSON bool) error {
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer a.Close()
	if entry.Groups, err = a.Groups.Resolve(ctx, groups); err != nil {
		return usageErrorFrom(err)
	}
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
		return fmt.Errorf("%w; pass --again to send another invitation", err)
	case errors.Is(err, directory.ErrSuspended):
		return fmt.Errorf("%s is suspended; to restore access, run guestlist users edit %[1]s --status active", entry.Email)
	case err != nil:
		return usageErrorFrom(err)
	}
	jobs, err := a.Directory.ListJobs(ctx, u.Email)
	if err != nil {
		return err
	}
	state := u.Invitation(jobs, cfg.InviteDuration, con.now())
	answer := jsonInvited{User: directory.NewUserJSON(u), Mail: "sent", Reason: state.Reason}
	message := "Invitation sent to " + u.Email.Display + "."
	switch {
	case state.Refused:
		answer.Mail = "refused"
		err = errors.New(u.Email.Display + " was added, but the invitation couldn't be sent. " + state.Reason)
	case state.Pending:
		answer.Mail = "waiting"
		message = u.Email.Display + " was added, but the email hasn't been sent yet; a running instance will send it. " + state.Reason
	}
	if asJSON {
		return errors.Join(printJSON(con.out, answer), err)
	}
	if err == nil {
		_, err = fmt.Fprintln(con.out, message)
	}
	return err
}
