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
		Use: "keys", Short: "Change the key that the local Stytch signs session JWTs with",
		Example: "  guestlist keys rotate",
		Args:    noArgs, RunE: requireSubcommand,
	}
	var atOnce, asJSON bool
	rotate := &cobra.Command{
		Use: "rotate", Short: "Make a new key for session JWTs of the local Stytch",
		Long: `Make a new key for session JWTs of the local Stytch, which other apps on this machine check by themselves. It is shown to them
at once and signs ten minutes later; what the old one signed stays good. Nobody is signed out: Guestlist itself keeps to
session tokens. With --at-once, for a key that got into wrong hands, the old one is good for nothing here from now on; restart
apps that check JWTs by themselves, for they may know it for an hour. With --json:
{"key_id", "signs_from", "old_until"}.`,
		Example: `  guestlist keys rotate
  guestlist keys rotate --at-once`,
		Args: noArgs,
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, _ []string) error {
			return rotateKey(ctx, cfg, con, atOnce, asJSON)
		}),
	}
	rotate.Flags().BoolVar(&atOnce, "at-once", false, "forget the old key now")
	addJSONFlag(rotate, &asJSON)
	c.AddCommand(rotate)
	return c
}

// jsonRotation is the answer of guestlist keys rotate --json.
type jsonRotation struct {
	KeyID     string `json:"key_id"`
	SignsFrom string `json:"signs_from"`
	OldUntil  string `json:"old_until"`
}

func rotateKey(ctx context.Context, cfg config.Config, con streams, atOnce, asJSON bool) error {
	if !cfg.LocalStytch {
		return errors.New("the keys are Stytch's own, which changes them by itself; only those of the local Stytch can be rotated here")
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
		return fmt.Errorf("the new key %s was made, but is not in the audit trail: %w", r.KeyID, err)
	}
	if asJSON {
		const stamp = "2006-01-02T15:04:05Z"
		return printJSON(con.out, jsonRotation{r.KeyID, r.SignsFrom.Format(stamp), r.OldUntil.Format(stamp)})
	}
	said := "signs from " + humanize.FormatTime(r.SignsFrom) + "; JWTs by the old key are good until " + humanize.FormatTime(r.OldUntil)
	if atOnce {
		said = "signs from now on; JWTs by the old key are good for nothing, restart the apps that check them, for they may know it for an hour"
	}
	_, err = fmt.Fprintf(con.out, "The new key %s %s.\n", r.KeyID, said)
	return err
}
