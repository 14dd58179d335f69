package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/session"
	"github.com/guestlist/guestlist/internal/words"
)

func (p *program) sessionsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "sessions", Short: "Sign people out",
		Example: "  guestlist sessions end ada@example.com",
		Args:    noWords, RunE: needsCommand,
	}
	c.AddCommand(&cobra.Command{
		Use: "end ADDRESS|ID", Short: "Sign somebody out everywhere, here at once and at Stytch",
		Long: `Sign somebody out everywhere, here at once and at Stytch. They stay on the list, and can ask for another link.`,
		Example: `  guestlist sessions end ada@example.com
  guestlist sessions end 01980c8e-7a6b-7c3e-9d53-2f3a1b0c4d5e`,
		Args: oneWord("address or id"), RunE: p.does(endSessions),
	})
	return c
}

func endSessions(ctx context.Context, cfg config.Config, con console, who []string) error {
	return changes(ctx, cfg, con, who[0], func(ctx context.Context, a *aside, u directory.User) (string, error) {
		n, err := a.sessions.End(ctx, u.ID, "ended by an administrator", func(session.Session) bool { return true })
		return "Ended " + words.Count(n, "session") + " of " + u.Email.Typed + ".", err
	})
}
