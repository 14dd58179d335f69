package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/humanize"
)

func (p *cli) keysCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "keys", Short: "Manage the local Stytch's signing keys for session JWTs",
		Example: "  guestlist keys rotate",
		Args:    noArgs, RunE: requireSubcommand,
	}
	var atOnce, asJSON bool
	rotate := &cobra.Command{
		Use: "rotate", Short: "Create a new signing key",
		Long: `Create a new key for the session JWTs of the local Stytch, which other apps on this machine verify. It's published at once
and signs from ten minutes later; JWTs signed by the old key stay valid. No one is signed out, because Guestlist itself uses
session tokens. If the old key leaked, use --at-once: it's rejected from now on, but restart apps that verify JWTs, which may
cache it for an hour. With --json:
{"key_id", "signs_from", "old_until"}.`,
		Example: `  guestlist keys rotate
  guestlist keys rotate --at-once`,
		Args: noArgs,
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, _ []string) error {
			return rotateKey(ctx, cfg, con, atOnce, asJSON)
		}),
	}
	rotate.Flags().BoolVar(&atOnce, "at-once", false, "reject the old key immediately")
	addJSONFlag(rotate, &asJSON)
	c.AddCommand(rotate)
	return c
}

// jsonRotation is the output of guestlist keys rotate --json.
type jsonRotation struct {
	KeyID     string `json:"key_id"`
	SignsFrom string `json:"signs_from"`
	OldUntil  string `json:"old_until"`
}

func rotateKey(ctx context.Context, cfg config.Config, con streams, atOnce, asJSON bool) error {
	if !cfg.LocalStytch {
		return errors.New("the keys are managed by Stytch; only the local Stytch's keys can be rotated here")
	}
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer a.Close()
	r, err := a.LocalStytch.RotateKey(ctx, atOnce)
	if err != nil {
		return err
	}
	noted := app.Operator().NewEvent(event.SettingChanged, con.now(), "", "", "a new key for session JWTs was made: "+r.KeyID)
	if err := a.Store.AddEvents(ctx, noted); err != nil {
		return fmt.Errorf("the new key %s was created, but could not be recorded in the audit log: %w", r.KeyID, err)
	}
	if asJSON {
		const stamp = "2006-01-02T15:04:05Z"
		return printJSON(con.out, jsonRotation{r.KeyID, r.SignsFrom.Format(stamp), r.OldUntil.Format(stamp)})
	}
	message := "signs from " + humanize.FormatTime(r.SignsFrom) + "; JWTs signed by the old key are valid until " + humanize.FormatTime(r.OldUntil)
	if atOnce {
		message = "signs from now on; JWTs signed by the old key are rejected. Restart apps that verify them, which may cache it for an hour"
	}
	_, err = fmt.Fprintf(con.out, "The new key %s %s.\n", r.KeyID, message)
	return err
}
