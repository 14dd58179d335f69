package cli

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

// cli is the command line of one invocation. Each command has a file of its own.
type cli struct {
	Invocation
	flags map[string]string // the settings given as flags
}

// runFunc executes a command with the arguments after its name.
type runFunc func(ctx context.Context, cfg config.Config, con streams, args []string) error

// NewRootCommand returns the root command, which serves, with all other commands below it.
func NewRootCommand(in Invocation) *cobra.Command {
	if in.Now == nil {
		in.Now = time.Now
	}
	p := &cli{Invocation: in, flags: map[string]string{}}
	cobra.MousetrapHelpText = "" // on Windows, a double click serves as well
	root := &cobra.Command{
		Use:   "guestlist",
		Short: "Sign-in and a user directory for invited people only",
		Example: `  guestlist                                    serve on http://localhost:8080
  guestlist --port 9000                        every setting is also a flag
  guestlist users invite ada@example.com --role admin`,
		Args: noArgs, RunE: p.serveFunc(),
		SilenceErrors: true, SilenceUsage: true,
	}
	root.SetArgs(append([]string{}, in.Args...)) // nil would mean the arguments of the process
	root.SetIn(in.Stdin)
	root.SetOut(in.Stdout)
	root.SetErr(in.Stderr)
	config.AddFlags(root.PersistentFlags(), p.flags)
	root.SetFlagErrorFunc(flagError)
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpCommand(newHelpCommand(root))
	root.AddCommand(
		p.serveCommand(), p.migrateCommand(), p.usersCommand(), p.groupsCommand(), p.appsCommand(), p.sessionsCommand(), p.keysCommand(), p.tokensCommand(), p.requestsCommand(), p.reconcileCommand(), p.whyCommand(),
		p.backupCommand(), p.copyCommand(), p.healthCommand(), p.doctorCommand(), p.configCommand(), versionCommand(),
	)
	root.InitDefaultCompletionCmd() // writes to the output that root has at this point
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Args, completion.RunE = noArgs, requireSubcommand
		completion.Example = "  guestlist completion bash > /etc/bash_completion.d/guestlist"
	}
	return root
}

// run wraps a command function: it loads the configuration and logs warnings and errors
// only.
func (p *cli) run(do runFunc) func(*cobra.Command, []string) error {
	return p.runWithLog(slog.LevelWarn, do)
}

func (p *cli) runWithLog(level slog.Level, do runFunc) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		cfg, err := config.Load(p.configSources())
		if err != nil {
			return usageError{err}
		}
		con := p.streams(cfg.Log, level)
		con.warn(cfg)
		return do(c.Context(), cfg, con, args)
	}
}

func (p *cli) configSources() config.Sources {
	return config.Sources{Flags: p.flags, Environ: p.Env, DotEnv: ".env", Terminal: isTerminal(p.Stderr), Input: p.Stdin}
}

// addJSONFlag adds --json to a command.
func addJSONFlag(c *cobra.Command, asJSON *bool) {
	c.Flags().BoolVar(asJSON, "json", false, "print JSON on one line")
}

// printJSON writes v in one line.
func printJSON(w io.Writer, v any) error {
	if err := json.MarshalWrite(w, v); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// noArgs rejects arguments. An unexpected argument of a command with subcommands is
// reported as an unknown command.
func noArgs(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case !c.HasAvailableSubCommands():
		return usageError{fmt.Errorf(`%s doesn't take the argument %q; see "%[1]s --help"`, c.CommandPath(), args[0])}
	}
	c.SuggestionsMinimumDistance = 2
	instead := ""
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		instead = ", did you mean " + near[0] + "?"
	}
	return usageError{fmt.Errorf(`unknown command %q for %s%s; see "%[2]s --help"`, args[0], c.CommandPath(), instead)}
}

// exactArg accepts one argument; kind names it in the error.
func exactArg(kind string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("%s needs one %s", c.CommandPath(), kind)}
		}
		return nil
	}
}

// atMostOneArg refuses more than one argument.
func atMostOneArg(kind string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usageError{fmt.Errorf("%s takes at most one %s", c.CommandPath(), kind)}
		}
		return nil
	}
}

// requireSubcommand is the run function of a command that only groups others.
func requireSubcommand(c *cobra.Command, _ []string) error {
	var names []string
	for _, sub := range c.Commands() {
		names = append(names, sub.Name())
	}
	return usageError{fmt.Errorf("%s needs a subcommand: %s", c.CommandPath(), strings.Join(names, ", "))}
}

// flagError rewrites an error about a flag without the flag's value, which may be a secret.
func flagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	message := "flags are written --name or --name=value"
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		message = "--" + unknown.GetSpecifiedName() + " isn't a flag of " + c.CommandPath()
	case errors.As(err, &missing):
		message = "--" + missing.GetSpecifiedName() + " needs a value"
	case errors.As(err, &invalid):
		message = "--" + invalid.GetFlag().Name + " has an invalid value"
	}
	return usageError{fmt.Errorf(`%s; see "%s --help"`, message, c.CommandPath())}
}
