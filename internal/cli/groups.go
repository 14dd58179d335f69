package cli

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
)

func (p *cli) groupsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "groups", Short: "List and change groups and their members",
		Long: `List and change groups, which are sets of people that open apps, and their members. A change takes effect on the next
request to an app. Changes are recorded in the audit log as made by the operating system's user.`,
		Example: `  guestlist groups add Staff
  guestlist groups join ada@example.com Staff`,
		Args: noArgs, RunE: requireSubcommand,
	}
	c.AddCommand(p.groupsListCommand(), p.groupsMembersCommand(), p.groupsAddCommand(), p.groupsRenameCommand(), p.groupsRemoveCommand(),
		p.groupsJoinCommand(), p.groupsLeaveCommand())
	return c
}

// adminFunc is a command that uses the directory's services.
type adminFunc func(ctx context.Context, a *app.Admin, cfg config.Config, con streams, args []string) error

// runAdmin wraps a command that uses the directory's services. Its errors about input are usage
// errors.
func (p *cli) runAdmin(do adminFunc) func(*cobra.Command, []string) error {
	return p.run(func(ctx context.Context, cfg config.Config, con streams, args []string) error {
		a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
		if err != nil {
			return err
		}
		defer a.Close()
		return usageErrorFrom(do(ctx, a, cfg, con, args))
	})
}

// exactArgs accepts a number of arguments; kinds names them in the error.
func exactArgs(n int, kinds string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{fmt.Errorf("%s needs %s", c.CommandPath(), kinds)}
		}
		return nil
	}
}

// findGroup returns the group with a name or id.
func findGroup(ctx context.Context, groups *directory.Groups, nameOrID string) (directory.Group, error) {
	g, err := groups.Find(ctx, nameOrID)
	if errors.Is(err, directory.ErrNotFound) {
		err = fmt.Errorf(`there is no group %q; "guestlist groups list" shows them`, nameOrID)
	}
	return g, err
}

func (p *cli) groupsListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List groups",
		Long: `List groups by name, with their numbers of members and of apps they open. Members include ended memberships. With --json:
{"groups": [{"id", "name", "created_at", "members", "apps"}]}.`,
		Example: `  guestlist groups list
  guestlist groups list --json`,
		Args: noArgs,
		RunE: p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, _ []string) error {
			groups, err := a.Groups.List(ctx)
			if err != nil {
				return err
			}
			list := make([]directory.GroupJSON, len(groups))
			for i, g := range groups {
				list[i] = directory.NewGroupJSON(g)
			}
			if asJSON {
				return printJSON(con.out, struct {
					Groups []directory.GroupJSON `json:"groups"`
				}{list})
			}
			table := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "NAME\tMEMBERS\tAPPS\tID")
			for _, g := range groups {
				fmt.Fprintf(table, "%s\t%d\t%d\t%s\n", g.Name, g.Members, g.Apps, g.ID)
			}
			return table.Flush()
		}),
	}
	addJSONFlag(c, &asJSON)
	return c
}

func (p *cli) groupsMembersCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "members GROUP", Short: "List the members of a group",
		Long: `List the members of a group, given by name or id. With --json: {"members": [{"user", "until", "active", "added_at"}]}, where
until is null for no end.`,
		Example: `  guestlist groups members Staff
  guestlist groups members Staff --json`,
		Args: exactArg("group"),
		RunE: p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, args []string) error {
			g, err := findGroup(ctx, a.Groups, args[0])
			if err != nil {
				return err
			}
			members, err := listMembers(ctx, a.Groups, g)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(con.out, toJSONMembers(members, con.now()))
			}
			table := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "NAME\tEMAIL\tUNTIL")
			for _, m := range members {
				fmt.Fprintf(table, "%s\t%s\t%s\n", m.User.Name, m.User.Email.Display, describeEnd(m.Membership, con.now()))
			}
			return table.Flush()
		}),
	}
	addJSONFlag(c, &asJSON)
	return c
}

// listMembers returns all members of a group.
func listMembers(ctx context.Context, groups *directory.Groups, g directory.Group) ([]directory.GroupMember, error) {
	const page = 200
	var all []directory.GroupMember
	for after := ""; ; {
		members, err := groups.Members(ctx, g.ID, after, page)
		if err != nil {
			return nil, err
		}
		all = append(all, members...)
		if len(members) < page {
			return all, nil
		}
		after = members[page-1].UserID
	}
}

// jsonMembers is the output of guestlist groups members --json.
type jsonMembers struct {
	Members []directory.MemberJSON `json:"members"`
}

func toJSONMembers(members []directory.GroupMember, now time.Time) jsonMembers {
	j := jsonMembers{Members: make([]directory.MemberJSON, len(members))}
	for i, m := range members {
		j.Members[i] = directory.NewMemberJSON(m, now)
	}
	return j
}

// describeEnd returns the end of a membership for a table.
func describeEnd(m directory.Membership, now time.Time) string {
	switch {
	case m.Until.IsZero():
		return "no end"
	case !m.Active(now):
		return "ended " + humanize.FormatEnd(m.Until)
	}
	return humanize.FormatEnd(m.Until)
}

func (p *cli) groupsAddCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "add NAME", Short: "Create a group",
		Long: `Create a group. Names are unique whatever the case, and have no commas. With --json:
{"id", "name", "created_at", "members", "apps"}.`,
		Example: `  guestlist groups add Staff`,
		Args:    exactArg("name"),
		RunE: p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, args []string) error {
			g, err := a.Groups.Create(ctx, app.Operator().Origin, args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(con.out, directory.NewGroupJSON(g))
			}
			_, err = fmt.Fprintf(con.out, "Created the group %s.\n", g.Name)
			return err
		}),
	}
	addJSONFlag(c, &asJSON)
	return c
}

func (p *cli) groupsRenameCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rename GROUP NAME", Short: "Rename a group",
		Long:    `Rename a group, given by name or id. Apps receive the new name from the next request on.`,
		Example: `  guestlist groups rename Staff 'All staff'`,
		Args:    exactArgs(2, "a group and its new name"),
		RunE: p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, args []string) error {
			g, err := findGroup(ctx, a.Groups, args[0])
			if err != nil {
				return err
			}
			renamed, err := a.Groups.Rename(ctx, app.Operator().Origin, g.ID, args[1])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(con.out, "Renamed %s to %s.\n", g.Name, renamed.Name)
			return err
		}),
	}
}

func (p *cli) groupsRemoveCommand() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use: "remove GROUP", Short: "Remove a group with its memberships",
		Long: `Remove a group, given by name or id, with its memberships. Its members stay on the list, but can't open apps that only this
group opened. It asks first, and on no terminal it needs --yes.`,
		Example: `  guestlist groups remove Staff
  guestlist groups remove Staff --yes`,
		Args: exactArg("group"),
		RunE: p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, args []string) error {
			if !yes && !con.interactive {
				return usageError{errors.New("guestlist groups remove asks for confirmation; without a terminal, pass --yes")}
			}
			g, err := findGroup(ctx, a.Groups, args[0])
			if err != nil {
				return err
			}
			if !yes && !con.confirm("Remove the group "+g.Name+"? Its members lose the access it gives.") {
				return errors.New("no group was removed")
			}
			if err := a.Groups.Remove(ctx, app.Operator().Origin, g.ID); err != nil {
				return err
			}
			_, err = fmt.Fprintf(con.out, "Removed the group %s.\n", g.Name)
			return err
		}),
	}
	c.Flags().BoolVar(&yes, "yes", false, "don't ask for confirmation")
	return c
}

func (p *cli) groupsJoinCommand() *cobra.Command {
	var until string
	c := &cobra.Command{
		Use: "join ADDRESS GROUP", Short: "Add a person to a group",
		Long: `Add a person, given by address or id, to a group, or set when their membership ends. Without --until, it has no end.`,
		Example: `  guestlist groups join ada@example.com Staff
  guestlist groups join grace@example.com Guests --until 2027-03-05`,
		Args: exactArgs(2, "an address and a group"),
		RunE: p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, args []string) error {
			end, err := directory.ParseUntil(until, con.now())
			if err != nil {
				return usageError{fmt.Errorf("--until: %w", err)}
			}
			u, g, err := findMember(ctx, a, args)
			if err != nil {
				return err
			}
			err = a.Groups.Join(ctx, app.Operator().Origin, g.ID, u.ID, end)
			if err != nil && !errors.Is(err, directory.ErrAlreadyMember) {
				return err
			}
			message := u.DisplayName() + " is in " + g.Name
			if !end.IsZero() {
				message += " until " + humanize.FormatEnd(end)
			}
			_, err = fmt.Fprintln(con.out, message+".")
			return err
		}),
	}
	c.Flags().StringVar(&until, "until", "", "last `DAY` of the membership in UTC, as 2027-03-05, or a time in RFC 3339")
	return c
}

func (p *cli) groupsLeaveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "leave ADDRESS GROUP", Short: "Remove a person from a group",
		Long:    `Remove a person, given by address or id, from a group.`,
		Example: `  guestlist groups leave ada@example.com Staff`,
		Args:    exactArgs(2, "an address and a group"),
		RunE: p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, args []string) error {
			u, g, err := findMember(ctx, a, args)
			if err != nil {
				return err
			}
			err = a.Groups.Leave(ctx, app.Operator().Origin, g.ID, u.ID)
			if errors.Is(err, directory.ErrNotMember) {
				return fmt.Errorf("%s isn't in %s", u.DisplayName(), g.Name)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(con.out, "%s is no longer in %s.\n", u.DisplayName(), g.Name)
			return err
		}),
	}
}

// findMember returns the user and the group that a command's two arguments name.
func findMember(ctx context.Context, a *app.Admin, args []string) (directory.User, directory.Group, error) {
	u, err := findUser(ctx, a.Directory, args[0])
	if err != nil {
		return u, directory.Group{}, err
	}
	g, err := findGroup(ctx, a.Groups, args[1])
	return u, g, err
}
