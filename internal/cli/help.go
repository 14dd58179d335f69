package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/guestlist/guestlist/internal/config"
)

func helpCommand(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Show help for a command",
		Example: "  guestlist help users invite",
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err == nil {
				err = noArgs(c, rest)
			}
			if err != nil {
				return err
			}
			return c.Help()
		},
	}
}

// help writes what a command does, how it is called, and what goes with it. The
// settings, which go with every command, are listed once, by that of the program.
func help(c *cobra.Command, _ []string) {
	w := c.OutOrStdout()
	said := c.Long
	if said == "" {
		said = c.Short + "."
	}
	fmt.Fprintf(w, "%s\n\nUsage:\n  %s\n", said, strings.TrimSuffix(c.UseLine(), " [flags]"))
	if c.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.Example)
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprint(w, "\nCommands:\n")
		table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		listCommands(table, c, "")
		table.Flush()
	}
	if flags := c.LocalNonPersistentFlags(); c.HasParent() && flags.HasAvailableFlags() {
		fmt.Fprint(w, "\nFlags:\n")
		table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
		flags.VisitAll(func(f *pflag.Flag) {
			if f.Name == "help" {
				return
			}
			value, meaning := pflag.UnquoteUsage(f)
			fmt.Fprintf(table, "  --%s\t%s\n", strings.TrimSpace(f.Name+" "+value), meaning)
		})
		table.Flush()
	}
	if c.HasParent() {
		fmt.Fprint(w, "\nEvery setting is a flag, too: \"guestlist help\" lists them.\n")
		return
	}
	fmt.Fprint(w, `
The exit status is 0 when what was asked for is done, 1 when it could not be, and 2 when a command, a
flag, a setting or a value can't be right and nothing was done. What went wrong is told on standard error.

Settings, each as a flag, in the environment or in a file .env; the first of these counts. A flag for a secret
is best given as @FILE, or as - for standard input, for others see what is in a flag:
`)
	_ = config.Usage(w) // as all the rest here
}

// listCommands writes a line for each command below c, and for those below these.
func listCommands(w io.Writer, c *cobra.Command, above string) {
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() {
			continue
		}
		fmt.Fprintf(w, "  %s%s\t%s\n", above, sub.Use, sub.Short)
		if sub.Name() != "completion" { // the shells speak for themselves
			listCommands(w, sub, above+sub.Name()+" ")
		}
	}
}
