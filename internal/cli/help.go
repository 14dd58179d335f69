package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/config"
)

// usageTemplate differs from cobra's in that the root command lists the commands of all
// levels and describes the settings, which are flags of every command, once.
const usageTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} [command]{{else}}{{.UseLine}}{{end}}
{{- if .HasExample}}

Examples:
{{.Example}}
{{- end}}
{{- if .HasAvailableSubCommands}}

Commands:
{{- template "commands" .}}
{{- end}}
{{- if .HasParent}}

Flags:
{{.LocalNonPersistentFlags.FlagUsages | trimTrailingWhitespaces}}

Every setting is also a flag: "guestlist help" lists them.
{{else}}

The exit status is 0 on success, 1 on failure, and 2 if a command, flag, setting or value is invalid and
nothing was done. Errors are printed to standard error.

Settings can be given as flags, in the environment or in a file .env, in this order of precedence. Pass
secrets as @FILE, or as - to read standard input, because other users can see the flags of a process:
{{settings}}
{{- end}}
{{- define "commands"}}
{{- range .Commands}}{{if .IsAvailableCommand}}
  {{rpad (slice .CommandPath 10) 18}} {{.Short}}
{{- if ne .Name "completion"}}{{template "commands" .}}{{end}}
{{- end}}{{end}}
{{- end}}`

func init() {
	cobra.AddTemplateFunc("settings", func() (string, error) {
		var b strings.Builder
		err := config.Usage(&b)
		return b.String(), err
	})
}

// newHelpCommand returns the help command. Unlike cobra's, it fails for an unknown topic.
func newHelpCommand(root *cobra.Command) *cobra.Command {
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
