package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/token"
)

func (p *cli) tokensCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "tokens", Short: "List and revoke API tokens",
		Long: `List and revoke API tokens. Administrators create them on their profile page; a token acts as its owner.`,
		Example: `  guestlist tokens list
  guestlist tokens end ada@example.com`,
		Args: noArgs, RunE: requireSubcommand,
	}
	var asJSON bool
	list := &cobra.Command{
		Use: "list", Short: "List all API tokens, oldest first",
		Long: `List all API tokens, oldest first. With --json:
{"tokens": [{"id", "name", "scope", "created_at", "expires_at", "last_used_at", "email"}]}, where last_used_at is null for never.`,
		Example: `  guestlist tokens list
  guestlist tokens list --json`,
		Args: noArgs,
		RunE: p.run(func(ctx context.Context, cfg config.Config, con streams, _ []string) error {
			return listTokens(ctx, cfg, con, asJSON)
		}),
	}
	addJSONFlag(list, &asJSON)
	c.AddCommand(list, &cobra.Command{
		Use: "end ID|TOKEN|ADDRESS", Short: "Revoke one API token, or all of one person's",
		Long: `Revoke one API token by its id or by the token itself, for example one that leaked, or all tokens of a person by their
address. Programs using it are refused from then on.`,
		Example: `  guestlist tokens end 01980c8e-7a6b-7c3e-9d53-2f3a1b0c4d5e
  guestlist tokens end guestlist_…
  guestlist tokens end ada@example.com`,
		Args: exactArg("id of a token, token or address"), RunE: p.run(revokeTokens),
	})
	return c
}

// jsonToken is an element of the output of guestlist tokens list --json.
type jsonToken struct {
	token.Public
	Email string `json:"email"`
}

func listTokens(ctx context.Context, cfg config.Config, con streams, asJSON bool) error {
	st, err := app.OpenStore(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer st.Close()
	const page = 200
	list, after := []jsonToken{}, ""
	for {
		tokens, err := st.ListTokens(ctx, after, page)
		if err != nil {
			return err
		}
		for _, t := range tokens {
			list, after = append(list, jsonToken{t.Public(), t.User.Email.Display}), t.ID
		}
		if len(tokens) < page {
			break
		}
	}
	slices.SortStableFunc(list, func(a, b jsonToken) int { return a.CreatedAt.Compare(b.CreatedAt) })
	if asJSON {
		return printJSON(con.out, struct {
			Tokens []jsonToken `json:"tokens"`
		}{list})
	}
	table := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tOWNER\tSCOPE\tEXPIRES\tLAST USED")
	for _, t := range list {
		used := "never"
		if t.LastUsedAt != nil {
			used = t.LastUsedAt.Format("2006-01-02 15:04 UTC")
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, t.Email, t.Scope, t.ExpiresAt.Format(time.DateOnly), used)
	}
	return table.Flush()
}

func revokeTokens(ctx context.Context, cfg config.Config, con streams, args []string) error {
	st, err := app.OpenStore(ctx, cfg, con.now, con.log)
	if err != nil {
		return err
	}
	defer st.Close()
	owner, match := "", func(token.Token) bool { return true }
	if strings.Contains(args[0], "@") {
		u, err := findUser(ctx, st, args[0])
		if err != nil {
			return err
		}
		owner = u.ID
	} else {
		one, err := findToken(ctx, st, args[0])
		if err != nil {
			return err
		}
		owner, match = one.UserID, func(t token.Token) bool { return t.ID == one.ID }
	}
	n, err := token.New(token.Options{Store: st, Now: con.now, Log: con.log}).Revoke(ctx, app.Operator().Origin, owner, match)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(con.out, "Ended "+humanize.Plural(n, "API token")+".")
	return err
}

// findToken finds a token by its ID or by the token itself, which errors do not repeat.
func findToken(ctx context.Context, st *store.Store, idOrToken string) (token.Token, error) {
	if strings.HasPrefix(idOrToken, token.Prefix) {
		t, err := st.GetToken(ctx, token.Hash(idOrToken))
		if errors.Is(err, directory.ErrNotFound) {
			err = errors.New("no such API token: it was revoked, or expired more than a month ago")
		}
		return t, err
	}
	t, err := st.FindToken(ctx, idOrToken)
	if errors.Is(err, directory.ErrNotFound) {
		err = fmt.Errorf(`there is no API token with the id %q; "guestlist tokens list" shows the ids`, idOrToken)
	}
	return t, err
}
