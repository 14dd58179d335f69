package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
)

func (p *cli) whyCommand() *cobra.Command {
	var appName string
	var asJSON bool
	c := &cobra.Command{
		Use: "why ADDRESS", Short: "Diagnose why someone can't sign in or open an app",
		Long: `Diagnose why someone can't sign in, and say how to fix it. With --app, also say whether and why they can open that app.
With --json, the output is that of /api/why: {"email", "user", "can_sign_in", "findings": [{"code", "blocks", "text", "action"}]},
and with --app also "app": {"id", "name", "can_open", "decision", "text", "action", "uses"}, with "requested_at" if a request for access is
pending, and with "signed_in_at", "ended_at" and "ended_because" for their last sign-in with OpenID Connect.`,
		Example: `  guestlist why ada@example.com
  guestlist why ada@example.com --app Wiki
  guestlist why ada@example.com --json`,
		Args: exactArg("email address"),
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, args []string) error {
			return runDiagnose(ctx, cfg, con, args[0], appName, asJSON)
		}),
	}
	c.Flags().StringVar(&appName, "app", "", "also explain access to this `APP`, by name, address or id")
	addJSONFlag(c, &asJSON)
	return c
}

// runDiagnose prints why a person can't sign in or open an app, and how to fix it.
func runDiagnose(ctx context.Context, cfg config.Config, con streams, address, appName string, asJSON bool) error {
	email, err := directory.ParseEmail(address)
	if err != nil {
		return usageError{fmt.Errorf("%q is not an email address", address)}
	}
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer a.Close()
	var protected apps.App
	if appName != "" {
		if protected, err = findApp(ctx, a.Apps, appName); err != nil {
			return err
		}
	}
	found, findings, err := a.Sessions.Diagnose(ctx, email)
	if err != nil {
		return err
	}
	answer, signIn := apps.DiagnosisJSON{DiagnosisJSON: session.NewDiagnosisJSON(email, found, findings)}, ""
	if appName != "" {
		access, err := a.Apps.Explain(ctx, protected, found)
		if err != nil {
			return err
		}
		if access.SignIn, err = a.Clients.Explain(ctx, protected, found); err != nil {
			return err
		}
		explained := apps.NewExplanationJSON(access)
		answer.App, signIn = &explained, access.SignIn.Text
	}
	if asJSON {
		return printJSON(con.out, answer)
	}
	printFindings(con.out, email, found, findings)
	if answer.App != nil {
		printReason(con.out, !answer.App.CanOpen, answer.App.Text, answer.App.Action)
	}
	if signIn != "" {
		printReason(con.out, false, signIn, "")
	}
	return nil
}

func printFindings(w io.Writer, email directory.Email, found *directory.User, findings []session.Finding) {
	if found == nil {
		fmt.Fprintf(w, "%s: no one on the list has this address\n", email.Normalized)
	} else {
		fmt.Fprintf(w, "%s: %s, %s, %s\n", email.Normalized, found.DisplayName(), found.Role, found.Status)
	}
	for _, f := range findings {
		printReason(w, f.Blocks, f.Text, f.Action)
	}
}

func printReason(w io.Writer, blocks bool, text, action string) {
	mark := "-"
	if blocks {
		mark = "!"
	}
	fmt.Fprintf(w, "%s %s\n", mark, text)
	if action != "" {
		fmt.Fprintf(w, "  %s\n", action)
	}
}
