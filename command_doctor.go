package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
)

// checkTimeout is how long each check may take.
const checkTimeout = 10 * time.Second

// doctorCommand loads the settings by itself: what is wrong with them is a finding.
func (p *cli) doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Look at settings, database, Stytch, mail and address, and say what to do",
		Long: `Look at all that has to be right: settings, database, Stytch, mail and public address, whether instances serve or not.
Nothing is changed, sent or left behind. Each line is ok, a warning, a problem, or skipped because of another; the exit status is 1
if there is a problem. With --json: {"findings": [{"check", "status", "text", "action"?}], "problems", "warnings"}.`,
		Example: `  guestlist doctor
  guestlist doctor --json
  fly ssh console --command '/guestlist doctor'`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, wrong := config.LoadAll(p.configSources())
			con := p.console(cfg.Log, slog.LevelWarn)
			con.warn(cfg)
			return runDoctor(c.Context(), cfg, wrong, con, asJSON)
		},
	}
	addJSONFlag(c, &asJSON)
	return c
}

// runDoctor prints what the checks find, each as soon as it and those above it are done.
func runDoctor(ctx context.Context, cfg config.Config, wrong []config.Problem, con streams, asJSON bool) error {
	report := struct {
		Findings []diagnostic.Finding `json:"findings"`
		Problems int                  `json:"problems"`
		Warnings int                  `json:"warnings"`
	}{}
	p := &installation{cfg: cfg, invalid: append(wrong, invalidAdmins(cfg.Admins)...), now: con.now}
	defer p.close()
	diagnostic.Run(ctx, p.checks(), checkTimeout, func(f diagnostic.Finding) {
		report.Findings = append(report.Findings, f)
		switch f.Status {
		case diagnostic.Problem:
			report.Problems++
		case diagnostic.Warning:
			report.Warnings++
		}
		if !asJSON {
			printFinding(con.out, f)
		}
	})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if asJSON {
		if err := printJSON(con.out, report); err != nil {
			return err
		}
	}
	if report.Problems > 0 {
		return fmt.Errorf("doctor found %s", humanize.Plural(report.Problems, "problem"))
	}
	return nil
}

func printFinding(w io.Writer, f diagnostic.Finding) {
	fmt.Fprintf(w, "%-8s %-15s %s\n", f.Status, f.Check, f.Text)
	if f.Action != "" {
		fmt.Fprintf(w, "%-8s %-15s %s\n", "", "", f.Action)
	}
}

// invalidAdmins says which of GUESTLIST_ADMINS are no addresses, and doesn't tell the others.
func invalidAdmins(addresses []string) []config.Problem {
	var wrong []config.Problem
	for i, address := range addresses {
		if _, err := directory.ParseEmail(address); err != nil {
			wrong = append(wrong, config.Problem{
				Settings: []string{"GUESTLIST_ADMINS"},
				Err:      fmt.Errorf("GUESTLIST_ADMINS must be e-mail addresses with commas between, and number %d is none", i+1),
			})
		}
	}
	return wrong
}
