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
		Use: "backup FILE", Short: "Back up the SQLite file, even while it's in use",
		Long: `Write a consistent copy of the SQLite file, even while it's in use. FILE must not exist, and appears only once the copy is
complete. To restore, start with it: guestlist --database-url sqlite:FILE. For MySQL, use the server's own backups.`,
		Example: `  guestlist backup /var/backups/guestlist-$(date +%F).db`,
		Args:    exactArg("file"), RunE: p.run(backup),
	}
}

func backup(ctx context.Context, cfg config.Config, con streams, file []string) error {
	if err := store.Backup(ctx, cfg.DatabaseURL, file[0]); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	_, err := fmt.Fprintf(con.out, "Backed up the database to %s.\n", file[0])
	return err
}
