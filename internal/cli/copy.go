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
		Use: "copy --to DATABASE_URL", Short: "Copy everything to another, empty database, of either kind",
		Long: `Copy everything to another, empty database, of either kind: from SQLite to MySQL or PlanetScale, or back. Stop what
serves from the database first. Every table is compared at the end. A copy that was cut off goes on when the same is done again;
until it is whole, nothing is served from it. The database itself is not changed. With --json:
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
		return errors.New("copy: stopped half-way; the same command goes on from there")
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
	fmt.Fprintln(table, "Both sides are the same. Set DATABASE_URL to the copy, and start.")
	return table.Flush()
}
