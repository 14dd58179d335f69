package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/guestlist/guestlist/internal/config"
)

// cli is the command line of one call. Each command has a file of its own: what
// it is called, what help says of it, and the function that does it.
type cli struct {
	env      []string
	in       io.Reader
	out, err io.Writer
	flags    map[string]string // the settings given as flags
}

// streams is where a command reads, writes and logs, and whose time it goes by.
type streams struct {
	in          io.Reader
	out         io.Writer
	err         io.Writer // for what is no part of the answer
	log         *slog.Logger
	now         func() time.Time
	interactive bool // somebody sits at in, who can be asked
}

// runFunc is what a command does, with the words behind its name.
type runFunc func(ctx context.Context, cfg config.Config, con streams, words []string) error

// newRootCommand returns the command without a name, which serves, with all others below it.
func (p *cli) newRootCommand() *cobra.Command {
	cobra.MousetrapHelpText = "" // on Windows a double click serves, as anywhere else
	root := &cobra.Command{
		Use:   "guestlist",
		Short: "Browser login and a user directory for the people on the list",
		Example: `  guestlist                                    serve on http://localhost:8080
  guestlist --port 9000                        a setting is a flag, before or behind a command
  guestlist users invite ada@example.com --role admin`,
		Args: noArgs, RunE: p.serveFunc(),
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	config.AddFlags(root.PersistentFlags(), p.flags)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(help)
	root.SetHelpCommand(helpCommand(root))
	root.AddCommand(
		p.serveCommand(), p.migrateCommand(), p.usersCommand(), p.sessionsCommand(), p.keysCommand(), p.tokensCommand(), p.reconcileCommand(), p.whyCommand(),
		p.backupCommand(), p.copyCommand(), p.healthCommand(), p.doctorCommand(), p.configCommand(), versionCommand(),
	)
	root.InitDefaultCompletionCmd() // writes to what root writes to by now
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Args, completion.RunE = noArgs, requireSubcommand
		completion.Example = "  guestlist completion bash > /etc/bash_completion.d/guestlist"
	}
	return root
}

// run makes an action of a command that goes by the settings. What it logs besides
// its answer is what goes wrong.
func (p *cli) run(do runFunc) func(*cobra.Command, []string) error {
	return p.runWithLog(slog.LevelWarn, do)
}

func (p *cli) runWithLog(level slog.Level, do runFunc) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, words []string) error {
		cfg, err := config.Load(p.configSources())
		if err != nil {
			return usageError{err}
		}
		con := p.console(cfg.Log, level)
		con.warn(cfg)
		return do(c.Context(), cfg, con, words)
	}
}

// configSources is where the settings come from.
func (p *cli) configSources() config.Sources {
	return config.Sources{Flags: p.flags, Environ: p.env, DotEnv: ".env", Terminal: isTerminal(p.err), Input: p.in}
}

func (p *cli) console(format string, level slog.Level) streams {
	return streams{in: p.in, out: p.out, err: p.err, log: newLog(format, p.err, level), now: time.Now, interactive: isTerminal(p.in)}
}

// warn logs what is to be said of how the settings were given.
func (con streams) warn(cfg config.Config) {
	for _, warning := range cfg.Warnings {
		con.log.Warn(warning)
	}
}

// addJSONFlag adds --json to a command whose answer a program may read.
func addJSONFlag(c *cobra.Command, asJSON *bool) {
	c.Flags().BoolVar(asJSON, "json", false, "answer in JSON, in one line")
}

// printJSON writes v in one line.
func printJSON(w io.Writer, v any) error {
	if err := json.MarshalWrite(w, v); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// noArgs is for a command that takes no words: one that it has is misspelt, or
// stands where a command should.
func noArgs(c *cobra.Command, words []string) error {
	switch {
	case len(words) == 0:
		return nil
	case !c.HasAvailableSubCommands():
		return usageError{fmt.Errorf(`%s does not take %q; "%[1]s --help" says what it takes`, c.CommandPath(), words[0])}
	}
	c.SuggestionsMinimumDistance = 2
	instead := ""
	if near := c.SuggestionsFor(words[0]); len(near) > 0 {
		instead = ", but " + near[0] + " is"
	}
	return usageError{fmt.Errorf(`%q is not a command of %s%s; "%[2]s --help" lists them`, words[0], c.CommandPath(), instead)}
}

// exactArg is for a command that takes one thing of a kind.
func exactArg(kind string) cobra.PositionalArgs {
	return func(c *cobra.Command, words []string) error {
		if len(words) != 1 {
			return usageError{fmt.Errorf("%s needs one %s", c.CommandPath(), kind)}
		}
		return nil
	}
}

// requireSubcommand is for a command that only groups others.
func requireSubcommand(c *cobra.Command, _ []string) error {
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return usageError{fmt.Errorf("%s needs one of: %s", c.CommandPath(), strings.Join(names, ", "))}
}

// flagError puts an error about flags in a sentence that tells no value: it may be a secret.
func flagError(c *cobra.Command, err error) error {
	unknown, lacking, wrong := (*pflag.NotExistError)(nil), (*pflag.ValueRequiredError)(nil), (*pflag.InvalidValueError)(nil)
	said := "a flag is written --name or --name=value"
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		said = "--" + unknown.GetSpecifiedName() + " is not a flag of " + c.CommandPath()
	case errors.As(err, &lacking):
		said = "--" + lacking.GetSpecifiedName() + " needs a value"
	case errors.As(err, &wrong):
		said = "--" + wrong.GetFlag().Name + " takes another kind of value"
	}
	return usageError{fmt.Errorf(`%s; "%s --help" lists the flags`, said, c.CommandPath())}
}
