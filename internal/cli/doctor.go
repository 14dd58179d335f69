package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/doctor"
	"github.com/guestlist/guestlist/internal/humanize"
)

// doctorCommand loads the configuration itself, because its problems are findings.
func (p *cli) doctorCommand() *cobra.Command {
	var asJSON bool
	var ofApp appFlags
	c := &cobra.Command{
		Use: "doctor", Short: "Check the configuration and everything it depends on",
		Long: `Check the settings, database, Stytch, mail server and public address, whether or not an instance is running. Nothing is
changed or sent. Each line is ok, a warning, a problem, or skipped because an earlier check failed. Exits 1 if there is a
problem. With --json: {"findings": [{"check", "status", "text", "action"?}], "problems", "warnings"}.

With --app NAME, check the way to a protected app instead: requests with forged identity headers, headers with similar names
and forged addresses are sent through the proxy, and each line says what came through and how to correct the proxy's config.
Run it on the machine of the tool. --token-file lets it see what the tool receives, if the tool shows its request headers.`,
		Example: `  guestlist doctor
  guestlist doctor --json
  guestlist doctor --app Wiki --upstream http://127.0.0.1:3000
  fly ssh console --command '/guestlist doctor'`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, invalid := config.LoadAll(p.configSources())
			con := p.streams(cfg.Log, slog.LevelWarn)
			con.warn(cfg)
			if !ofApp.given(c) {
				o := doctor.Options{Config: cfg, Invalid: invalid, Stytch: app.StytchOptions, Now: con.now}
				return printReport(c.Context(), con, asJSON, func(report func(diagnostic.Finding)) { doctor.Run(c.Context(), o, report) })
			}
			if len(invalid) > 0 {
				return usageError{invalid[0].Err}
			}
			o, err := p.appToCheck(c.Context(), cfg, con, ofApp)
			if err != nil {
				return err
			}
			return printReport(c.Context(), con, asJSON, func(report func(diagnostic.Finding)) { doctor.RunApp(c.Context(), o, report) })
		},
	}
	addJSONFlag(c, &asJSON)
	c.Flags().StringVar(&ofApp.name, "app", "", "check the way to this app instead: its name, id or address")
	c.Flags().StringVar(&ofApp.upstream, "upstream", "", "with --app: where the proxy finds the tool, such as http://127.0.0.1:3000")
	c.Flags().StringVar(&ofApp.tokenFile, "token-file", "", "with --app: file with an app token; - is standard input")
	return c
}

// appFlags are the flags of doctor about an app.
type appFlags struct{ name, upstream, tokenFile string }

// given reports whether doctor was called with one of the flags.
func (f appFlags) given(c *cobra.Command) bool {
	return c.Flags().Changed("app") || c.Flags().Changed("upstream") || c.Flags().Changed("token-file")
}

// appToCheck returns what doctor needs to check the way to an app.
func (p *cli) appToCheck(ctx context.Context, cfg config.Config, con streams, f appFlags) (doctor.AppOptions, error) {
	o := doctor.AppOptions{BaseURL: cfg.BaseURL, Upstream: f.upstream}
	if f.name == "" {
		return o, usageError{errors.New("say which app with --app NAME")}
	}
	if u, err := url.Parse(f.upstream); f.upstream != "" && (err != nil || u.Host == "") {
		return o, usageError{fmt.Errorf("--upstream %q is not an address such as http://127.0.0.1:3000", f.upstream)}
	}
	token, err := p.readTokenFile(f.tokenFile)
	if err != nil {
		return o, err
	}
	o.Token = token
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return o, err
	}
	defer a.Close()
	o.App, err = a.Apps.Find(ctx, f.name)
	if errors.Is(err, directory.ErrNotFound) {
		return o, fmt.Errorf("no app is called %q, has this id or this address", f.name)
	}
	switch {
	case err != nil:
		return o, err
	case !o.App.HasAddress():
		return o, noAddress(o.App)
	case !o.App.Enabled:
		return o, fmt.Errorf("%s is switched off: \"guestlist apps on %s\" switches it on", o.App.Name, o.App.ID)
	}
	return o, nil
}

// readTokenFile returns the app token in a file, or in standard input if the name is -.
func (p *cli) readTokenFile(name string) (string, error) {
	var content []byte
	var err error
	switch name {
	case "":
		return "", nil
	case "-":
		content, err = io.ReadAll(p.Stdin)
	default:
		content, err = os.ReadFile(name)
	}
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(content))
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errors.New("--token-file doesn't contain an app token")
	}
	return token, nil
}

// printReport prints each finding of run as soon as its check and those before it are done. It
// returns an error if there is a problem.
func printReport(ctx context.Context, con streams, asJSON bool, run func(report func(diagnostic.Finding))) error {
	report := struct {
		Findings []diagnostic.Finding `json:"findings"`
		Problems int                  `json:"problems"`
		Warnings int                  `json:"warnings"`
	}{}
	run(func(f diagnostic.Finding) {
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
