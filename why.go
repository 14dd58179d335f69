package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/outbox"
)

// explain prints why somebody can't sign in, and what mends it.
func explain(ctx context.Context, cfg config.Config, now func() time.Time, log *slog.Logger, stdout io.Writer) error {
	email, err := directory.ParseEmail(cfg.Address)
	if err != nil {
		return errors.New("why: this is no e-mail address")
	}
	a, client, err := openAside(ctx, cfg, now, log)
	if err != nil {
		return err
	}
	defer a.Close()
	a.sessions = a.newSessions(cfg, client, outbox.NewWorker(a.store, client, now, log), log)
	found, findings, err := a.sessions.Why(ctx, email)
	if err != nil {
		return err
	}
	if found == nil {
		fmt.Fprintf(stdout, "%s: nobody on the list has this address\n", email.Key)
	} else {
		fmt.Fprintf(stdout, "%s: %s, %s, %s\n", email.Key, found.DisplayName(), found.Role, found.Status)
	}
	for _, f := range findings {
		mark := "-"
		if f.Blocks {
			mark = "!"
		}
		fmt.Fprintf(stdout, "%s %s\n", mark, f.Text)
		if f.Action != "" {
			fmt.Fprintf(stdout, "  %s\n", f.Action)
		}
	}
	return nil
}
