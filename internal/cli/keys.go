package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/identity"
)

func (p *cli) keysCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "keys", Short: "Replace signing keys: of identities for apps, and of the local Stytch",
		Example: "  guestlist keys rotate-identity",
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
	c.AddCommand(rotate, p.rotateIdentityCommand())
	return c
}

func (p *cli) rotateIdentityCommand() *cobra.Command {
	var atOnce, asJSON bool
	rotate := &cobra.Command{
		Use: "rotate-identity", Short: "Create new keys for the identities and ID tokens that apps receive",
		Long: `Create a new ES256 key for X-Guestlist-Jwt, the signed header that tells protected apps who is signed in, and a new RS256
key for ID tokens, if there is one. They're published at once at /.well-known/jwks.json and sign from an hour later; the old
keys stay published for seven days after. This also happens by itself every 90 days. If an old key leaked, use --at-once:
they're deleted, but restart apps that verify the header or ID tokens, which may cache them. With --json:
{"key_id", "signs_from", "old_until", "keys": [{"algorithm", "key_id"}]}. The first key_id is the ES256 key's.`,
		Example: `  guestlist keys rotate-identity
  guestlist keys rotate-identity --at-once`,
		Args: noArgs,
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, _ []string) error {
			return rotateIdentityKey(ctx, cfg, con, atOnce, asJSON)
		}),
	}
	rotate.Flags().BoolVar(&atOnce, "at-once", false, "delete the old keys immediately")
	addJSONFlag(rotate, &asJSON)
	return rotate
}

// jsonRotation is the output of rotate with --json.
type jsonRotation struct {
	KeyID     string `json:"key_id"`
	SignsFrom string `json:"signs_from"`
	OldUntil  string `json:"old_until"`
}

func newJSONRotation(keyID string, signsFrom, oldUntil time.Time) jsonRotation {
	const stamp = "2006-01-02T15:04:05Z"
	return jsonRotation{keyID, signsFrom.UTC().Format(stamp), oldUntil.UTC().Format(stamp)}
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
		return printJSON(con.out, newJSONRotation(r.KeyID, r.SignsFrom, r.OldUntil))
	}
	message := "signs from " + humanize.FormatTime(r.SignsFrom) + "; JWTs signed by the old key are valid until " + humanize.FormatTime(r.OldUntil)
	if atOnce {
		message = "signs from now on; JWTs signed by the old key are rejected. Restart apps that verify them, which may cache it for an hour"
	}
	_, err = fmt.Fprintf(con.out, "The new key %s %s.\n", r.KeyID, message)
	return err
}

func rotateIdentityKey(ctx context.Context, cfg config.Config, con streams, atOnce, asJSON bool) error {
	a, err := app.OpenAdmin(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer a.Close()
	signer, err := a.NewSigner(ctx)
	if err != nil {
		return err
	}
	r, err := signer.Rotate(ctx, app.Operator().Origin, atOnce)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(con.out, newJSONIdentityRotation(r))
	}
	message := "signs from " + humanize.FormatTime(r.SignsFrom) + "; the old key stays published until " + humanize.FormatTime(r.OldUntil)
	if atOnce {
		message = "signs from now on, on every instance within half a minute; the old key is deleted. Restart apps that verify identities or ID tokens, which may cache it"
	}
	for _, k := range r.Keys {
		if _, err := fmt.Fprintf(con.out, "The new %s key %s %s.\n", k.Algorithm, k.ID, message); err != nil {
			return err
		}
	}
	return nil
}

// jsonIdentityRotation is the output of rotate-identity with --json.
type jsonIdentityRotation struct {
	jsonRotation
	Keys []jsonRotatedKey `json:"keys"`
}

type jsonRotatedKey struct {
	Algorithm identity.Algorithm `json:"algorithm"`
	KeyID     string             `json:"key_id"`
}

func newJSONIdentityRotation(r identity.Rotation) jsonIdentityRotation {
	shown := jsonIdentityRotation{jsonRotation: newJSONRotation(r.Keys[0].ID, r.SignsFrom, r.OldUntil)}
	for _, k := range r.Keys {
		shown.Keys = append(shown.Keys, jsonRotatedKey{Algorithm: k.Algorithm, KeyID: k.ID})
	}
	return shown
}
