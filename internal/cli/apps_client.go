package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/humanize"
	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/openid/recipe"
)

// clientFlags are the flags of guestlist apps client.
type clientFlags struct {
	redirectURIs, postLogoutURIs   []string
	backchannelLogout, alg, recipe string
	public, remove, yes, asJSON    bool
}

func (p *cli) appsClientCommand() *cobra.Command {
	var f clientFlags
	c := &cobra.Command{
		Use: "client APP", Short: "Show or change how an app signs people in with OpenID Connect",
		Long: `Show the OpenID Connect client of an app, given by name, address or id. With flags, make the app a client or change it; flags you
leave out change nothing. --redirect-uri and --post-logout-uri replace all that were there; --post-logout-uri= and
--backchannel-logout= remove them.

--recipe adds the addresses of a well-known tool, and prints the tool's settings on standard output and what to do with them on
standard error. Tools: ` + strings.Join(recipe.IDs(), ", ") + `.

--remove removes the client with its secrets, after asking; on no terminal it needs --yes. People stay signed in to the app until
the app asks again.

With --json: {"client_id", "issuer", "public", "id_token_signed_response_alg", "redirect_uris", "post_logout_redirect_uris",
"backchannel_logout_uri", "created_at", "updated_at"}, and with --recipe also {"recipe": {"id", "name", "where", "settings", "notes"}}.`,
		Example: `  guestlist apps client Grafana --recipe grafana
  guestlist apps client Wiki --redirect-uri https://wiki.example.com/callback
  guestlist apps client Wiki --json`,
		Args: exactArg("app"),
	}
	c.RunE = p.runAdmin(func(ctx context.Context, a *app.Admin, cfg config.Config, con streams, args []string) error {
		tool, known := recipe.Find(f.recipe)
		if f.recipe != "" && !known {
			return usageError{fmt.Errorf("--recipe: choose one of %s", strings.Join(recipe.IDs(), ", "))}
		}
		found, err := findApp(ctx, a.Apps, args[0])
		if err != nil {
			return err
		}
		if f.remove {
			return f.removeClient(ctx, c, a, con, found)
		}
		client, err := f.save(ctx, c, a, found, tool)
		if err != nil {
			return err
		}
		if known {
			return f.printRecipe(ctx, a, cfg, con, found, client, tool)
		}
		if f.asJSON {
			return printJSON(con.out, openid.NewClientJSON(client, cfg.BaseURL.String()))
		}
		return printClient(ctx, a, cfg, con, client)
	})
	c.Flags().StringArrayVar(&f.redirectURIs, "redirect-uri", nil, "`URL` where a sign-in may end; repeat it for more")
	c.Flags().StringArrayVar(&f.postLogoutURIs, "post-logout-uri", nil, "`URL` where a sign-out may end; repeat it for more")
	c.Flags().StringVar(&f.backchannelLogout, "backchannel-logout", "", "`URL` that is told when someone's session ends")
	c.Flags().BoolVar(&f.public, "public", false, "the app can't keep a secret, as programs on people's devices can't; it must use PKCE")
	c.Flags().StringVar(&f.alg, "alg", "", "`ALGORITHM` of ID tokens: RS256 or ES256 (default RS256)")
	c.Flags().StringVar(&f.recipe, "recipe", "", "set it up for this `TOOL`, and print the tool's settings")
	c.Flags().BoolVar(&f.remove, "remove", false, "remove the client and its secrets")
	c.Flags().BoolVar(&f.yes, "yes", false, "don't ask for confirmation of --remove")
	addJSONFlag(c, &f.asJSON)
	return c
}

// changes reports whether the flags ask for a change.
func (f *clientFlags) changes(c *cobra.Command) bool {
	return slices.ContainsFunc([]string{"redirect-uri", "post-logout-uri", "backchannel-logout", "public", "alg", "recipe"}, c.Flags().Changed)
}

// save makes the app a client, or changes its client, by the flags that were given. Without any, it
// returns the client as it is.
func (f *clientFlags) save(ctx context.Context, c *cobra.Command, a *app.Admin, of apps.App, tool recipe.Recipe) (openid.Client, error) {
	client, err := a.Clients.Get(ctx, of.ID)
	isNew := errors.Is(err, directory.ErrNotFound)
	if err != nil && !isNew {
		return openid.Client{}, err
	}
	if !f.changes(c) {
		if isNew {
			return openid.Client{}, noClient(of)
		}
		return client, nil
	}
	in := client.Input()
	if isNew {
		in.Public = tool.Public
	}
	if err := f.apply(c, of, tool, &in); err != nil {
		return openid.Client{}, err
	}
	return a.Clients.Save(ctx, app.Operator().Origin, of, in)
}

// apply changes the input by the flags that were given. A recipe adds to what is there, and what is
// given by a flag comes before what the recipe says.
func (f *clientFlags) apply(c *cobra.Command, of apps.App, tool recipe.Recipe, in *openid.ClientInput) error {
	given := c.Flags().Changed
	url := toolURL(of)
	if tool.ID != "" && url == "" && !given("redirect-uri") {
		return usageError{fmt.Errorf("%s has no address: pass --redirect-uri, or give it a link with \"guestlist apps edit %s --home-url URL\"", of.Name, of.ID)}
	}
	in.RedirectURIs = addLines(in.RedirectURIs, tool.RedirectURIs(url))
	in.PostLogoutURIs = addLines(in.PostLogoutURIs, tool.PostLogoutURIs(url))
	in.BackchannelLogout = cmp.Or(in.BackchannelLogout, tool.BackchannelLogout(url))
	if given("redirect-uri") {
		in.RedirectURIs = strings.Join(f.redirectURIs, "\n")
	}
	if given("post-logout-uri") {
		in.PostLogoutURIs = strings.Join(f.postLogoutURIs, "\n")
	}
	if given("backchannel-logout") {
		in.BackchannelLogout = f.backchannelLogout
	}
	if given("public") {
		in.Public = f.public
	}
	if given("alg") {
		in.Algorithm = f.alg
	}
	return nil
}

// toolURL returns where the tool of an app is, or "" if it isn't known.
func toolURL(a apps.App) string { return cmp.Or(a.URL(), a.HomeURL) }

// addLines adds those of some lines that a text doesn't have.
func addLines(text string, lines []string) string {
	have := strings.Split(text, "\n")
	for _, line := range lines {
		if !slices.Contains(have, line) {
			have = append(have, line)
		}
	}
	return strings.Trim(strings.Join(have, "\n"), "\n")
}

// noClient returns the error of a command about a client that there isn't.
func noClient(a apps.App) error {
	return fmt.Errorf("%s isn't an OpenID Connect client; \"guestlist apps client %s --redirect-uri URL\" or --recipe makes it one", a.Name, a.ID)
}

func printClient(ctx context.Context, a *app.Admin, cfg config.Config, con streams, client openid.Client) error {
	kind := "public"
	if !client.Public {
		secrets, err := a.Clients.ListSecrets(ctx, client.ID)
		if err != nil {
			return err
		}
		kind = "confidential, with " + humanize.Plural(len(secrets), "secret")
	}
	table := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
	print := func(label string, values ...string) {
		if len(values) == 0 {
			values = []string{"-"}
		}
		for _, value := range values {
			fmt.Fprintf(table, "%s\t%s\n", label, cmp.Or(value, "-"))
			label = ""
		}
	}
	print("ISSUER", cfg.BaseURL.String())
	print("CLIENT ID", client.ID)
	print("KIND", kind)
	print("ID TOKENS", string(client.Algorithm))
	print("REDIRECT URIS", client.RedirectURIs...)
	print("SIGN-OUT URIS", client.PostLogoutURIs...)
	print("BACK-CHANNEL LOGOUT", client.BackchannelLogout)
	return table.Flush()
}

// jsonRecipe is a recipe in the output of guestlist apps client --recipe --json.
type jsonRecipe struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Where    string   `json:"where"` // what to do with the settings
	Settings string   `json:"settings"`
	Notes    []string `json:"notes"`
}

// printRecipe prints the settings of a tool for an app's client.
func (f *clientFlags) printRecipe(ctx context.Context, a *app.Admin, cfg config.Config, con streams, of apps.App, client openid.Client, tool recipe.Recipe) error {
	settings := recipe.Client{Issuer: cfg.BaseURL.String(), ID: client.ID, AppURL: toolURL(of)}
	if of.Audience == apps.Groups {
		for _, g := range of.Groups {
			settings.Groups = append(settings.Groups, g.Name)
		}
	}
	text := tool.Settings(settings)
	if f.asJSON {
		return printJSON(con.out, struct {
			openid.ClientJSON
			Recipe jsonRecipe `json:"recipe"`
		}{openid.NewClientJSON(client, cfg.BaseURL.String()), jsonRecipe{tool.ID, tool.Name, tool.Where, text, tool.Notes}})
	}
	if _, err := fmt.Fprint(con.out, text); err != nil {
		return err
	}
	fmt.Fprintln(con.err, tool.Where)
	if tool.Admins != "" {
		fmt.Fprintf(con.err, "Members of the group %s become its administrators: create it, or write another name.\n", tool.Admins)
	}
	for _, note := range tool.Notes {
		fmt.Fprintln(con.err, note)
	}
	return printNextStep(ctx, a, con, of, client, tool)
}

// printNextStep prints what is left to do before a tool can sign people in.
func printNextStep(ctx context.Context, a *app.Admin, con streams, of apps.App, client openid.Client, tool recipe.Recipe) error {
	if client.Public != tool.Public {
		kind := "public: pass --public"
		if client.Public {
			kind = "confidential: pass --public=false"
		}
		fmt.Fprintf(con.err, "%s should be %s.\n", tool.Name, kind)
	}
	if client.Public {
		return nil
	}
	secrets, err := a.Clients.ListSecrets(ctx, client.ID)
	if err != nil {
		return err
	}
	step := fmt.Sprintf("Replace %s with the client's secret.", recipe.PlaceholderSecret)
	if len(secrets) == 0 {
		step = fmt.Sprintf("Replace %s with the secret that \"guestlist apps secret %s\" prints.", recipe.PlaceholderSecret, of.ID)
	}
	_, err = fmt.Fprintln(con.err, step)
	return err
}

func (f *clientFlags) removeClient(ctx context.Context, c *cobra.Command, a *app.Admin, con streams, of apps.App) error {
	switch {
	case f.changes(c):
		return usageError{errors.New("--remove can't be combined with a change")}
	case !f.yes && !con.interactive:
		return usageError{errors.New("guestlist apps client --remove asks for confirmation; without a terminal, pass --yes")}
	case !f.yes && !con.confirm("Remove the OpenID Connect client of "+of.Name+"? Its secrets are removed, and no one can sign in to it this way."):
		return errors.New("no client was removed")
	}
	err := a.Clients.Remove(ctx, app.Operator().Origin, of)
	if errors.Is(err, directory.ErrNotFound) {
		return noClient(of)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(con.out, "Removed the OpenID Connect client of %s.\n", of.Name)
	return err
}
