package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
)

func (p *cli) requestsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "requests", Short: "List, approve and deny requests for access to apps",
		Long: `List, approve and deny requests for access to apps, by the same rules as the Access requests page. It's safe while
instances are running. Decisions are recorded in the audit log as made by the operating system's user; a running
instance emails the person if it can send email.`,
		Example: `  guestlist requests list
  guestlist requests approve 01980c8e-7a6b-7c3e-9d53-2f3a1b0c4d5e --until 2027-03-31
  guestlist requests deny 01980c8e-7a6b-7c3e-9d53-2f3a1b0c4d5e --reason 'Use the read-only copy'`,
		Args: noArgs, RunE: requireSubcommand,
	}
	c.AddCommand(p.requestsListCommand(), p.requestsApproveCommand(), p.requestsDenyCommand())
	return c
}

func (p *cli) requestsListCommand() *cobra.Command {
	var state string
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List requests, oldest first",
		Long: `List requests, oldest first. With --json:
{"requests": [{"id", "state", "app": {"id", "name", "groups"}, "user": {"id", "name", "email"}, "note", "created_at",
"decided_at", "decided_by", "reason"}]}, where decided_at and decided_by are null for a pending request.`,
		Example: `  guestlist requests list
  guestlist requests list --state denied --json`,
		Args: noArgs,
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, _ []string) error {
			return listRequests(ctx, cfg, con, state, asJSON)
		}),
	}
	c.Flags().StringVar(&state, "state", string(apps.RequestPending), "only requests in this `STATE`: pending, approved or denied")
	addJSONFlag(c, &asJSON)
	return c
}

func listRequests(ctx context.Context, cfg config.Config, con streams, state string, asJSON bool) error {
	if !apps.IsRequestState(state) {
		return usageError{fmt.Errorf("--state must be pending, approved or denied, not %q", state)}
	}
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer a.Close()
	all, q := []apps.RequestJSON{}, apps.RequestQuery{State: apps.RequestState(state), Limit: 200}
	for {
		page, err := a.Requests.List(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range page {
			all, q.After, q.AfterID = append(all, apps.NewRequestJSON(r)), r.CreatedAt, r.ID
		}
		if len(page) < q.Limit {
			break
		}
	}
	if asJSON {
		return printJSON(con.out, struct {
			Requests []apps.RequestJSON `json:"requests"`
		}{all})
	}
	table := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tWHEN\tPERSON\tAPP\tGROUPS\tNOTE")
	for _, r := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.CreatedAt.Format("2006-01-02 15:04 UTC"), r.User.Email, r.App.Name, strings.Join(r.App.Groups, ", "), r.Note)
	}
	return table.Flush()
}

func (p *cli) requestsApproveCommand() *cobra.Command {
	var group, until string
	c := &cobra.Command{
		Use: "approve ID", Short: "Approve a request",
		Long: `Approve a request: the person joins one of the app's groups. Name the group if the app has several. --until is the last day
in UTC, a time, or a number of days such as 30d; without it, the access doesn't end.`,
		Example: `  guestlist requests approve 01980c8e-7a6b-7c3e-9d53-2f3a1b0c4d5e
  guestlist requests approve 01980c8e-7a6b-7c3e-9d53-2f3a1b0c4d5e --group Guests --until 30d`,
		Args: exactArg("id of a request"),
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, args []string) error {
			end, err := parseEnd(until, con.now())
			if err != nil {
				return err
			}
			return decideRequest(ctx, cfg, con, func(a *app.Admin) (string, error) {
				r, err := a.Requests.Approve(ctx, app.Operator().Origin, args[0], apps.Approval{Group: group, Until: end})
				text := r.User.Email.Display + " can open " + r.App.Name
				if !end.IsZero() && r.Obstacle(con.now()) != apps.HasAccess {
					text += " until " + humanize.FormatEnd(end)
				}
				return text + ".", err
			})
		}),
	}
	c.Flags().StringVar(&group, "group", "", "id or name of the `GROUP` that the person joins")
	c.Flags().StringVar(&until, "until", "", "when the access ends: a `DATE`, a time or a number of days such as 30d")
	return c
}

// parseEnd parses the end of access: a date or time, or a number of days such as 30d. It
// returns a usage error.
func parseEnd(text string, now time.Time) (time.Time, error) {
	if days, found := strings.CutSuffix(text, "d"); found {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 3660 {
			return now.AddDate(0, 0, n), nil
		}
	}
	until, err := directory.ParseUntil(text, now)
	if err != nil {
		return time.Time{}, usageError{fmt.Errorf("until: %w", err)}
	}
	return until, nil
}

func (p *cli) requestsDenyCommand() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "deny ID", Short: "Deny a request",
		Long: `Deny a request. The person sees the reason, and can ask again after 24 hours.`,
		Example: `  guestlist requests deny 01980c8e-7a6b-7c3e-9d53-2f3a1b0c4d5e
  guestlist requests deny 01980c8e-7a6b-7c3e-9d53-2f3a1b0c4d5e --reason 'Use the read-only copy'`,
		Args: exactArg("id of a request"),
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, args []string) error {
			return decideRequest(ctx, cfg, con, func(a *app.Admin) (string, error) {
				r, err := a.Requests.Deny(ctx, app.Operator().Origin, args[0], reason)
				return "Denied the request of " + r.User.Email.Display + " for " + r.App.Name + ".", err
			})
		}),
	}
	c.Flags().StringVar(&reason, "reason", "", "`TEXT` for the person, at most 400 characters")
	return c
}

// decideRequest decides a request and prints a message.
func decideRequest(ctx context.Context, cfg config.Config, con streams, decide func(a *app.Admin) (message string, err error)) error {
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer a.Close()
	message, err := decide(a)
	if err != nil {
		return usageErrorFrom(err)
	}
	_, err = fmt.Fprintln(con.out, message)
	return err
}
