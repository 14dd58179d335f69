package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/store"
)

func (p *cli) backupCommand() *cobra.Command {
	return &cobra.Command{
		Use: "backup FILE", Short: "Write a copy of the SQLite file, also while it is in use",
		Long: `Write a copy of the SQLite file, as it is at one moment, also while it is in use. FILE must not exist, and is there
only when it is whole. To restore it, start with it: guestlist --database-url sqlite:FILE. A database on a server has backups of
its own.`,
		Example: `  guestlist backup /var/backups/guestlist-$(date +%F).db`,
		Args:    exactArg("file"), RunE: p.run(backup),
	}
}

func backup(ctx context.Context, cfg config.Config, con streams, file []string) error {
	if err := store.Backup(ctx, cfg.DatabaseURL, file[0]); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	_, err := fmt.Fprintf(con.out, "%s is a whole copy of the database.\n", file[0])
	return err
}
