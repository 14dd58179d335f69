package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/store"
)

func (p *program) migrateCommand() *cobra.Command {
	up := p.doesLogging(slog.LevelInfo, migrate)
	c := &cobra.Command{
		Use: "migrate", Short: "Bring the database up to date, and end",
		Example: `  guestlist migrate
  DATABASE_URL='root@tcp(127.0.0.1:3309)/guestlist' guestlist migrate`,
		Args: noWords, RunE: up,
	}
	c.AddCommand(&cobra.Command{
		Use: "up", Short: "The same as guestlist migrate",
		Example: "  guestlist migrate up", Args: noWords, RunE: up,
	})
	return c
}

// migrate brings the database up to date and says what it did.
func migrate(ctx context.Context, cfg config.Config, con console, _ []string) error {
	st, err := store.Open(cfg.DatabaseURL, con.now)
	if err != nil {
		return fmt.Errorf("DATABASE_URL %w", err)
	}
	defer st.Close()
	n, err := st.Migrate(ctx, con.log)
	if err == nil {
		_, err = fmt.Fprintf(con.out, "%d migrations applied; the database is up to date\n", n)
	}
	return err
}
