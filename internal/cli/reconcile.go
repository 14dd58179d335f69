package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/reconcile"
)

func (p *cli) reconcileCommand() *cobra.Command {
	var apply, asJSON bool
	c := &cobra.Command{
		Use: "reconcile", Short: "Compare the directory with Stytch; --apply fixes differences",
		Long: `Compare the directory with Stytch and print the differences. With --apply, fix them. With --json:
{"differences": [{"email", "kind", "reason", "remedy", "mended"}], "people", "accounts", "mended"}, where a kind is missing,
changed or stranger, and people and accounts say how many were compared.`,
		Example: `  guestlist reconcile
  guestlist reconcile --apply`,
		Args: noArgs,
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, _ []string) error {
			return runReconcile(ctx, cfg, con, apply, asJSON)
		}),
	}
	c.Flags().BoolVar(&apply, "apply", false, "fix the differences")
	addJSONFlag(c, &asJSON)
	return c
}

// jsonComparison is the output of guestlist reconcile --json.
type jsonComparison struct {
	Differences []jsonDifference `json:"differences"`
	People      int              `json:"people"`
	Accounts    int              `json:"accounts"`
	Fixed       int              `json:"mended"`
}

type jsonDifference struct {
	Email  string         `json:"email"` // or the ID of a Stytch account without an email address
	Kind   reconcile.Kind `json:"kind"`
	Reason string         `json:"reason"`
	Remedy string         `json:"remedy"`
	Fixed  bool           `json:"mended"` // with --apply, false if it changed in the meantime and was left alone
}

// runReconcile prints the differences between the directory and Stytch, and fixes them if
// apply is set.
func runReconcile(ctx context.Context, cfg config.Config, con streams, apply, asJSON bool) error {
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer a.Close()
	answer := jsonComparison{Differences: []jsonDifference{}}
	counts, err := a.Reconciler.Run(ctx, app.Operator().Origin, apply, func(d reconcile.Difference, fixed bool) {
		if asJSON {
			answer.Differences = append(answer.Differences, jsonDifference{d.Address(), d.Kind, d.Reason(), d.Remedy(), fixed})
			return
		}
		done := "would be " + d.Remedy()
		switch {
		case fixed:
			done = d.Remedy()
		case apply:
			done = "changed in the meantime, not touched"
		}
		fmt.Fprintf(con.out, "%s: %s (%s)\n", d.Address(), d.Reason(), done)
	})
	if err != nil {
		return err
	}
	if asJSON {
		answer.People, answer.Accounts, answer.Fixed = counts.Users, counts.Accounts, counts.Repaired
		return printJSON(con.out, answer)
	}
	verdict := "no differences"
	if counts.Differences() > 0 {
		verdict = fmt.Sprintf("%s; %d fixed", counts, counts.Repaired)
	}
	_, err = fmt.Fprintf(con.out, "%d people compared with %d accounts: %s\n", counts.Users, counts.Accounts, verdict)
	return err
}
