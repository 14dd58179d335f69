package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/userio"
)

func (p *cli) usersExportCommand() *cobra.Command {
	var f listFlags
	var format string
	c := &cobra.Command{
		Use: "export", Short: "Export people as CSV or JSON",
		Long: `Export all people, or those that match, to standard output: as CSV, with cells escaped so that spreadsheets don't run them as
formulas, or as a JSON array with one person per line. Both can be imported again.`,
		Example: `  guestlist users export > people.csv
  guestlist users export --format json --status invited`,
		Args: noArgs,
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, _ []string) error {
			return exportUsers(ctx, cfg, con, f, format)
		}),
	}
	c.Flags().StringVar(&format, "format", "csv", "csv or json")
	f.addFilters(c)
	return c
}

func exportUsers(ctx context.Context, cfg config.Config, con streams, f listFlags, format string) error {
	if _, ok := userio.Formats[format]; !ok {
		return usageError{fmt.Errorf("--format must be csv or json, not %q", format)}
	}
	query, err := f.query()
	if err != nil {
		return err
	}
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer a.Close()
	description := userio.ExportDescription(format, f.q, f.role, f.status)
	if err := a.Directory.RecordExport(ctx, app.Operator(), description); err != nil {
		return err
	}
	_, err = userio.Export(ctx, a.Directory, a.Groups, query, con.out, format, nil)
	return err
}
