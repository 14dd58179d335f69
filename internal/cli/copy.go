package cli

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/store/copying"
)

func (p *cli) copyCommand() *cobra.Command {
	var to string
	var asJSON bool
	c := &cobra.Command{
		Use: "copy --to DATABASE_URL", Short: "Copy all data to another database (SQLite or MySQL)",
		Long: `Copy all data to another, empty database: from SQLite to MySQL or PlanetScale, or back. Stop all instances first. Every
table is compared at the end. To continue an interrupted copy, run the same command again; until it's complete, no instance
starts on it. The source isn't changed. With --json:
{"tables": [{"name", "rows", "checksum"}]}.`,
		Example: `  guestlist copy --to 'mysql://user:password@host/guestlist?sslaccept=strict'
  guestlist copy --database-url 'mysql://user:password@host/guestlist' --to sqlite:data/guestlist.db`,
		Args: noArgs,
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, _ []string) error {
			if to == "" {
				return usageError{errors.New("copy needs --to DATABASE_URL")}
			}
			return copyDatabase(ctx, cfg, con, to, asJSON)
		}),
	}
	c.Flags().StringVar(&to, "to", "", "`DATABASE_URL` of the copy")
	addJSONFlag(c, &asJSON)
	return c
}

func copyDatabase(ctx context.Context, cfg config.Config, con streams, to string, asJSON bool) error {
	bar := con.progress("copying")
	tables, err := copying.Copy(ctx, cfg.DatabaseURL, to, con.now, con.log, func(done, all int64) { bar.Set(int(done), int(all)) })
	bar.Close()
	if ctx.Err() != nil {
		return errors.New("copy: interrupted; run the same command again to continue")
	}
	if err != nil {
		return fmt.Errorf("copy: %w", err)
	}
	if asJSON {
		return printJSON(con.out, struct {
			Tables []copying.Table `json:"tables"`
		}{tables})
	}
	table := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
	for _, t := range tables {
		fmt.Fprintf(table, "%s\t%s\t%s\n", t.Name, humanize.Plural(int(t.Rows), "row"), t.Checksum)
	}
	fmt.Fprintln(table, "Both databases are identical. Set DATABASE_URL to the copy and start Guestlist.")
	return table.Flush()
}
