package cli

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/openid"
)

// maxSecretDays is the longest life of a secret that ends.
const maxSecretDays = 3650

// newSecretJSON is the output of guestlist apps secret --json.
type newSecretJSON struct {
	openid.SecretJSON
	Secret string `json:"secret"`
}

func (p *cli) appsSecretCommand() *cobra.Command {
	var days int
	var asJSON bool
	c := &cobra.Command{
		Use: "secret APP", Short: "Create a secret for an app's OpenID Connect client",
		Long: `Create a secret for the OpenID Connect client of an app, given by name, address or id, and print it on standard output. It is
shown this once. A client can have five secrets, so that one can be replaced without a gap: create one, change the app's settings,
and revoke the old one. With --json: {"id", "hint", "created_by", "created_at", "expires_at", "secret"}, where expires_at is null for
no end.`,
		Example: `  guestlist apps secret Grafana
  guestlist apps secret Grafana --days 365`,
		Args: exactArg("app"),
	}
	c.RunE = p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, args []string) error {
		if c.Flags().Changed("days") && (days < 1 || days > maxSecretDays) {
			return usageError{fmt.Errorf("--days: write a number of days from 1 to %d, or leave it out for a secret without an end", maxSecretDays)}
		}
		found, err := findApp(ctx, a.Apps, args[0])
		if err != nil {
			return err
		}
		secret, text, err := a.Clients.CreateSecret(ctx, app.Operator().Origin, found, time.Duration(days)*24*time.Hour)
		if err := explainClientError(found, err); err != nil {
			return err
		}
		if asJSON {
			return printJSON(con.out, newSecretJSON{openid.NewSecretJSON(secret), text})
		}
		end := "It has no end."
		if !secret.ExpiresAt.IsZero() {
			end = "It ends on " + secret.ExpiresAt.Format(time.DateOnly) + "."
		}
		fmt.Fprintf(con.err, "This is the secret of %s. It's shown this once. %s\n", found.Name, end)
		_, err = fmt.Fprintln(con.out, text)
		return err
	})
	c.Flags().IntVar(&days, "days", 0, "the secret ends after this `NUMBER` of days (default: it has no end)")
	addJSONFlag(c, &asJSON)
	return c
}

// explainClientError returns an error about the client of an app, with what to do about it.
func explainClientError(a apps.App, err error) error {
	switch {
	case errors.Is(err, directory.ErrNotFound):
		return noClient(a)
	case errors.Is(err, openid.ErrPublicClient):
		return fmt.Errorf("the client of %s is public, and a public client has no secret; \"guestlist apps client %s --public=false\" makes it confidential", a.Name, a.ID)
	case errors.Is(err, openid.ErrTooManySecrets):
		return fmt.Errorf("%s has %d secrets already; \"guestlist apps secrets %s\" shows them, and \"guestlist apps revoke-secret\" revokes one", a.Name, openid.MaxSecrets, a.ID)
	}
	return err
}

func (p *cli) appsSecretsCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "secrets APP", Short: "List the secrets of an app's OpenID Connect client",
		Long: `List the secrets of the OpenID Connect client of an app, given by name, address or id, newest first, each with its last
characters. With --json: {"secrets": [{"id", "hint", "created_by", "created_at", "expires_at"}]}.`,
		Example: `  guestlist apps secrets Grafana
  guestlist apps secrets Grafana --json`,
		Args: exactArg("app"),
		RunE: p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, args []string) error {
			found, err := findApp(ctx, a.Apps, args[0])
			if err != nil {
				return err
			}
			if _, err := a.Clients.Get(ctx, found.ID); err != nil {
				return explainClientError(found, err)
			}
			list, err := a.Clients.ListSecrets(ctx, found.ID)
			if err != nil {
				return err
			}
			if asJSON {
				j := make([]openid.SecretJSON, len(list))
				for i, s := range list {
					j[i] = openid.NewSecretJSON(s)
				}
				return printJSON(con.out, struct {
					Secrets []openid.SecretJSON `json:"secrets"`
				}{j})
			}
			return printSecrets(con, list)
		}),
	}
	addJSONFlag(c, &asJSON)
	return c
}

func printSecrets(con streams, list []openid.Secret) error {
	table := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSECRET\tCREATED\tEXPIRES")
	for _, s := range list {
		expires := "never"
		switch {
		case s.Expired(con.now()):
			expires = s.ExpiresAt.Format(time.DateOnly) + " (ended)"
		case !s.ExpiresAt.IsZero():
			expires = s.ExpiresAt.Format(time.DateOnly)
		}
		fmt.Fprintf(table, "%s\t…%s\t%s\t%s\n", s.ID, s.Hint, s.CreatedAt.Format(time.DateOnly), expires)
	}
	return table.Flush()
}

func (p *cli) appsRevokeSecretCommand() *cobra.Command {
	return &cobra.Command{
		Use: "revoke-secret APP ID", Short: "Revoke a secret of an app's OpenID Connect client",
		Long: `Revoke a secret of the OpenID Connect client of an app, given by name, address or id. "guestlist apps secrets" shows the ids. The
app can't use it from then on; people stay signed in.`,
		Example: `  guestlist apps revoke-secret Grafana 01980c8e-7a6b-7c3e-9d53-2f3a1b0c4d5e`,
		Args:    exactArgs(2, "an app and the id of a secret"),
		RunE: p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, args []string) error {
			found, err := findApp(ctx, a.Apps, args[0])
			if err != nil {
				return err
			}
			err = a.Clients.RevokeSecret(ctx, app.Operator().Origin, found, args[1])
			if errors.Is(err, directory.ErrNotFound) {
				return fmt.Errorf(`%s has no secret with the id %q; "guestlist apps secrets %s" shows the ids`, found.Name, args[1], found.ID)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(con.out, "Revoked a secret of %s.\n", found.Name)
			return err
		}),
	}
}
