package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/doctor"
	"github.com/guestlist/guestlist/internal/humanize"
)

// doctorCommand loads the configuration itself, because its problems are findings.
func (p *cli) doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Check the configuration and everything it depends on",
		Long: `Check the settings, database, Stytch, mail server and public address, whether or not an instance is running. Nothing is
changed or sent. Each line is ok, a warning, a problem, or skipped because an earlier check failed. Exits 1 if there is a
problem. With --json: {"findings": [{"check", "status", "text", "action"?}], "problems", "warnings"}.`,
		Example: `  guestlist doctor
  guestlist doctor --json
  fly ssh console --command '/guestlist doctor'`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, invalid := config.LoadAll(p.configSources())
			con := p.streams(cfg.Log, slog.LevelWarn)
			con.warn(cfg)
			return runDoctor(c.Context(), cfg, invalid, con, asJSON)
		},
	}
	addJSONFlag(c, &asJSON)
	return c
}

// runDoctor prints each finding as soon as its check and those before it are done. It
// returns an error if there is a problem.
func runDoctor(ctx context.Context, cfg config.Config, invalid []config.Problem, con streams, asJSON bool) error {
	report := struct {
		Findings []diagnostic.Finding `json:"findings"`
		Problems int                  `json:"problems"`
		Warnings int                  `json:"warnings"`
	}{}
	o := doctor.Options{Config: cfg, Invalid: invalid, Stytch: app.StytchOptions, Now: con.now}
	doctor.Run(ctx, o, func(f diagnostic.Finding) {
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
