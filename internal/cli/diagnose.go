package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

func (p *cli) whyCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "why ADDRESS", Short: "Diagnose why someone can't sign in",
		Long: `Diagnose why someone can't sign in, and say how to fix it. With --json, the output is that of /api/why:
{"email", "user", "can_sign_in", "findings": [{"code", "blocks", "text", "action"}]}.`,
		Example: `  guestlist why ada@example.com
  guestlist why ada@example.com --json`,
		Args: exactArg("email address"),
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, args []string) error {
			return runDiagnose(ctx, cfg, con, args[0], asJSON)
		}),
	}
	addJSONFlag(c, &asJSON)
	return c
}

// runDiagnose prints why a person can't sign in, and how to fix it.
func runDiagnose(ctx context.Context, cfg config.Config, con streams, address string, asJSON bool) error {
	email, err := directory.ParseEmail(address)
	if err != nil {
		return usageError{fmt.Errorf("%q is not an email address", address)}
	}
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer a.Close()
	found, findings, err := a.Sessions.Diagnose(ctx, email)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(con.out, session.NewDiagnosisJSON(email, found, findings))
	}
	printFindings(con.out, email, found, findings)
	return nil
}

func printFindings(w io.Writer, email directory.Email, found *directory.User, findings []session.Finding) {
	if found == nil {
		fmt.Fprintf(w, "%s: no one on the list has this address\n", email.Normalized)
	} else {
		fmt.Fprintf(w, "%s: %s, %s, %s\n", email.Normalized, found.DisplayName(), found.Role, found.Status)
	}
	for _, f := range findings {
		mark := "-"
		if f.Blocks {
			mark = "!"
		}
		fmt.Fprintf(w, "%s %s\n", mark, f.Text)
		if f.Action != "" {
			fmt.Fprintf(w, "  %s\n", f.Action)
		}
	}
}
