package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/store/inspect"
)

func (p *cli) migrateCommand() *cobra.Command {
	up := p.runWithLog(slog.LevelInfo, migrate)
	c := &cobra.Command{
		Use: "migrate", Short: "Apply pending migrations",
		Example: `  guestlist migrate
  DATABASE_URL='root@tcp(127.0.0.1:3309)/guestlist' guestlist migrate`,
		Args: noArgs, RunE: up,
	}
	c.AddCommand(&cobra.Command{
		Use: "up", Short: "Same as guestlist migrate",
		Example: "  guestlist migrate up", Args: noArgs, RunE: up,
	}, p.migrateStatusCommand(), p.migrateSQLCommand())
	return c
}

func (p *cli) migrateStatusCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "status", Short: "Show which migrations are applied",
		Long: `Show which migrations are applied. With --json:
{"migrations": [{"version", "name", "applied", "applied_at"}], "pending"}, where applied_at is null for pending ones.`,
		Example: `  guestlist migrate status
  guestlist migrate status --json`,
		Args: noArgs,
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, _ []string) error {
			return printMigrations(ctx, cfg, con, asJSON)
		}),
	}
	addJSONFlag(c, &asJSON)
	return c
}

func (p *cli) migrateSQLCommand() *cobra.Command {
	return &cobra.Command{
		Use: "sql", Short: "Print the SQL of pending migrations",
		Long: `Print the SQL of pending migrations in the database's dialect, without running it. The script also records each migration
in the table goose_db_version, so Guestlist won't run it again. Prints nothing if the database is up to date.`,
		Example: `  guestlist migrate sql
  guestlist migrate sql | mysql guestlist`,
		Args: noArgs, RunE: p.run(printPendingSQL),
	}
}

// migrate applies the pending migrations and prints their number.
func migrate(ctx context.Context, cfg config.Config, con streams, _ []string) error {
	st, err := app.OpenDatabase(cfg, con.now)
	if err != nil {
		return err
	}
	defer st.Close()
	n, err := st.Migrate(ctx, con.log)
	if err == nil {
		_, err = fmt.Fprintf(con.out, "%s applied; the database is up to date\n", humanize.Plural(n, "migration"))
	}
	return err
}

// jsonMigration is an element of the output of guestlist migrate status --json.
type jsonMigration struct {
	Version   int64      `json:"version"`
	Name      string     `json:"name"`
	Applied   bool       `json:"applied"`
	AppliedAt *time.Time `json:"applied_at"`
}

func printMigrations(ctx context.Context, cfg config.Config, con streams, asJSON bool) error {
	status, err := inspect.MigrationStatus(ctx, cfg.DatabaseURL)
	if err != nil {
		return err
	}
	answer := struct {
		Migrations []jsonMigration `json:"migrations"`
		Pending    int             `json:"pending"`
	}{Pending: status.Pending()}
	table := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
	for _, m := range status.Migrations {
		line, applied := jsonMigration{Version: m.Version, Name: m.Name, Applied: m.Applied}, "pending"
		if m.Applied {
			line.AppliedAt, applied = &m.AppliedAt, m.AppliedAt.Format("2006-01-02 15:04 UTC")
		}
		answer.Migrations = append(answer.Migrations, line)
		fmt.Fprintf(table, "%s\t%s\n", m.Name, applied)
	}
	if asJSON {
		return errors.Join(printJSON(con.out, answer), status.Newer())
	}
	fmt.Fprintf(table, "%d of %d are pending\n", status.Pending(), len(status.Migrations))
	return errors.Join(table.Flush(), status.Newer())
}

func printPendingSQL(ctx context.Context, cfg config.Config, con streams, _ []string) error {
	status, err := inspect.MigrationStatus(ctx, cfg.DatabaseURL)
	if err != nil {
		return err
	}
	if err := status.Newer(); err != nil {
		return err
	}
	script, err := status.SQL(ctx)
	if err == nil {
		_, err = io.WriteString(con.out, script)
	}
	return err
}
