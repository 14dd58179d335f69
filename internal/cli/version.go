package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/buildinfo"
)

func versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "version", Short: "Print the version",
		Long: `Print the version. With --json: {"version", "go", "commit", "time"}, the last two of the commit it was
built from, or empty.`,
		Example: `  guestlist version
  guestlist version --json`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if asJSON {
				return printJSON(c.OutOrStdout(), buildinfo.Read())
			}
			_, err := fmt.Fprintln(c.OutOrStdout(), "guestlist", buildinfo.Read().Version)
			return err
		},
	}
	addJSONFlag(c, &asJSON)
	return c
}
