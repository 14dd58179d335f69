package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build is which program this is.
type build struct {
	Version string `json:"version"` // of the module, "(devel)" if it is not known
	Go      string `json:"go"`
	Commit  string `json:"commit"` // empty, as Time, if it was not built from a repository
	Time    string `json:"time"`   // of the commit, RFC 3339
}

func versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "version", Short: "Print the version",
		Long: `Print the version. With --json: {"version", "go", "commit", "time"}, the last two of the commit that it was built
from, empty if there was none.`,
		Example: `  guestlist version
  guestlist version --json`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if asJSON {
				return printJSON(c.OutOrStdout(), thisBuild())
			}
			_, err := fmt.Fprintln(c.OutOrStdout(), "guestlist", thisBuild().Version)
			return err
		},
	}
	addJSONFlag(c, &asJSON)
	return c
}

func thisBuild() build {
	b := build{Version: "(devel)", Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		}
	}
	return b
}
