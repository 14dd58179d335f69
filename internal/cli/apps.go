package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/guestlist/guestlist/internal/app"
	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/apps/snippet"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/directory"
)

func (p *cli) appsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "apps", Short: "List and change protected apps",
		Long: `List and change protected apps, by the same rules as the Apps page. A change takes effect on the next request to the app.
Changes are recorded in the audit log as made by the operating system's user.`,
		Example: `  guestlist apps add https://wiki.example.com --name Wiki --everyone --upstream http://127.0.0.1:3000
  guestlist apps list`,
		Args: noArgs, RunE: requireSubcommand,
	}
	c.AddCommand(p.appsListCommand(), p.appsAddCommand(), p.appsEditCommand(), p.appsSwitchCommand(true), p.appsSwitchCommand(false),
		p.appsRemoveCommand(), p.appsSnippetCommand(), p.appsClientCommand(), p.appsSecretCommand(), p.appsSecretsCommand(), p.appsRevokeSecretCommand())
	return c
}

// findApp returns the app with a name, address or id.
func findApp(ctx context.Context, service *apps.Service, text string) (apps.App, error) {
	a, err := service.Find(ctx, text)
	if errors.Is(err, directory.ErrNotFound) {
		err = fmt.Errorf(`there is no app %q; "guestlist apps list" shows them`, text)
	}
	return a, err
}

// describeAudience returns whom an app opens to, for a table.
func describeAudience(a apps.App) string {
	if !a.Enabled {
		return "no one (switched off)"
	}
	if a.Audience == apps.Everyone {
		return "everyone"
	}
	names := make([]string, len(a.Groups))
	for i, g := range a.Groups {
		names[i] = g.Name
	}
	if len(names) == 0 {
		return "no one"
	}
	return strings.Join(names, ", ")
}

func (p *cli) appsListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "list", Short: "List apps",
		Long: `List apps by name. With --json: {"apps": [{"id", "name", "url", "home_url", "audience", "groups", "upstream",
"public_paths", "allow_requests", "enabled", "created_at", "updated_at"}]}.`,
		Example: `  guestlist apps list
  guestlist apps list --json`,
		Args: noArgs,
		RunE: p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, _ []string) error {
			list, err := a.Apps.List(ctx)
			if err != nil {
				return err
			}
			if asJSON {
				j := make([]apps.AppJSON, len(list))
				for i, found := range list {
					j[i] = apps.NewAppJSON(found)
				}
				return printJSON(con.out, struct {
					Apps []apps.AppJSON `json:"apps"`
				}{j})
			}
			table := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(table, "NAME\tADDRESS\tOPENS TO\tUPSTREAM\tID")
			for _, found := range list {
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n",
					found.Name, cmp.Or(found.URL(), "-"), describeAudience(found), cmp.Or(found.Upstream, "-"), found.ID)
			}
			return table.Flush()
		}),
	}
	addJSONFlag(c, &asJSON)
	return c
}

// appInputFlags are the flags of guestlist apps add and edit.
type appInputFlags struct {
	name, url, homeURL      string
	upstream                string
	everyone, allowRequests bool
	groups, publicPaths     []string
	asJSON                  bool
}

func (f *appInputFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.name, "name", "", "the app's `NAME`")
	c.Flags().BoolVar(&f.everyone, "everyone", false, "open it to everyone on the list")
	c.Flags().StringArrayVar(&f.groups, "group", nil, "open it to this `GROUP`, by name or id; repeat it for more")
	c.Flags().StringVar(&f.homeURL, "home-url", "", "`URL` where My apps opens it, if that isn't its address")
	c.Flags().StringVar(&f.upstream, "upstream", "", "`URL` where the app listens, for the built-in proxy")
	c.Flags().StringArrayVar(&f.publicPaths, "public-path", nil, "`PATH` open to everyone, such as /health or /assets/*; repeat it for more")
	c.Flags().BoolVar(&f.allowRequests, "allow-requests", false, "people without access may request it")
	addJSONFlag(c, &f.asJSON)
}

// apply changes the input by the flags that were given.
func (f *appInputFlags) apply(ctx context.Context, c *cobra.Command, groups *directory.Groups, in *apps.Input) error {
	given := c.Flags().Changed
	if f.everyone && len(f.groups) > 0 {
		return usageError{errors.New("an app opens to everyone or to groups: pass --everyone or --group")}
	}
	if given("name") {
		in.Name = f.name
	}
	if given("url") {
		in.URL = f.url
	}
	if given("home-url") {
		in.HomeURL = f.homeURL
	}
	if given("upstream") {
		in.Upstream = f.upstream
	}
	if given("public-path") {
		in.PublicPaths = strings.Join(f.publicPaths, "\n")
	}
	if given("allow-requests") {
		in.AllowRequests = f.allowRequests
	}
	if f.everyone {
		in.Audience, in.GroupIDs = string(apps.Everyone), nil
	}
	if len(f.groups) == 0 {
		return nil
	}
	found, err := groups.Resolve(ctx, f.groups)
	in.Audience, in.GroupIDs = string(apps.Groups), nil
	for _, g := range found {
		in.GroupIDs = append(in.GroupIDs, g.ID)
	}
	return err
}

// print prints an app after a change.
func (f *appInputFlags) print(con streams, done string, a apps.App) error {
	if f.asJSON {
		return printJSON(con.out, apps.NewAppJSON(a))
	}
	place := "without an address"
	if a.HasAddress() {
		place = "at " + a.URL()
	}
	_, err := fmt.Fprintf(con.out, "%s %s %s, open to %s.\n", done, a.Name, place, describeAudience(a))
	return err
}

func (p *cli) appsAddCommand() *cobra.Command {
	var f appInputFlags
	c := &cobra.Command{
		Use: "add [URL]", Short: "Protect an app",
		Long: `Protect the app at a URL such as https://wiki.example.com. Choose who may open it: --everyone or --group. With --upstream,
Guestlist passes the app's requests on by itself; otherwise "guestlist apps snippet" prints the configuration of another proxy.
Without --name, the app is named after its host. Without a URL, the app has no address: it signs people in by OpenID Connect only,
and needs --name. With --json, prints the app as "guestlist apps list" does.`,
		Example: `  guestlist apps add https://wiki.example.com --name Wiki --everyone --upstream http://127.0.0.1:3000
  guestlist apps add https://grafana.example.com --group Staff --group Board --public-path /api/health
  guestlist apps add --name Backup --group Staff`,
		Args: atMostOneArg("URL"),
	}
	c.RunE = p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, args []string) error {
		if !f.everyone && len(f.groups) == 0 {
			return usageError{errors.New("choose who may open the app: --everyone or --group")}
		}
		var in apps.Input
		if len(args) > 0 {
			in.URL = args[0]
		}
		if _, host, err := apps.ParseURL(in.URL); err == nil {
			in.Name = host
		}
		if err := f.apply(ctx, c, a.Groups, &in); err != nil {
			return err
		}
		made, err := a.Apps.Create(ctx, app.Operator().Origin, in)
		if err != nil {
			return err
		}
		return f.print(con, "Added", made)
	})
	f.add(c)
	return c
}

func (p *cli) appsEditCommand() *cobra.Command {
	var f appInputFlags
	c := &cobra.Command{
		Use: "edit APP", Short: "Change an app",
		Long: `Change an app, given by name, address or id; flags you leave out change nothing. --group and --public-path replace all that
were there; --url=, --home-url=, --upstream= and --public-path= remove them. With --json, prints the app as "guestlist apps list" does.`,
		Example: `  guestlist apps edit Wiki --group Staff
  guestlist apps edit Wiki --upstream http://127.0.0.1:3001 --allow-requests`,
		Args: exactArg("app"),
	}
	c.RunE = p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, args []string) error {
		found, err := findApp(ctx, a.Apps, args[0])
		if err != nil {
			return err
		}
		in := found.Input()
		if err := f.apply(ctx, c, a.Groups, &in); err != nil {
			return err
		}
		edited, err := a.Apps.Edit(ctx, app.Operator().Origin, found.ID, in)
		if err != nil {
			return err
		}
		return f.print(con, "Saved", edited)
	})
	c.Flags().StringVar(&f.url, "url", "", "the app's `URL`")
	f.add(c)
	return c
}

// appsSwitchCommand returns the command that switches an app on or off.
func (p *cli) appsSwitchCommand(on bool) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "off APP", Short: "Switch an app off",
		Long: `Switch an app, given by name, address or id, off: from the next request on, no one can open it, and its tokens don't work.
"guestlist apps on" switches it on again, with everything as it was. With --json, prints the app as "guestlist apps list" does.`,
		Example: `  guestlist apps off Wiki
  guestlist apps off https://wiki.example.com --json`,
		Args: exactArg("app"),
	}
	if on {
		c.Use, c.Short = "on APP", "Switch an app on"
		c.Long = `Switch an app, given by name, address or id, on after "guestlist apps off". With --json, prints the app as "guestlist apps list"
does.`
		c.Example = `  guestlist apps on Wiki`
	}
	c.RunE = p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, args []string) error {
		found, err := findApp(ctx, a.Apps, args[0])
		if err != nil {
			return err
		}
		switched, err := a.Apps.Switch(ctx, app.Operator().Origin, found.ID, on)
		if err != nil {
			return err
		}
		f := appInputFlags{asJSON: asJSON}
		return f.print(con, "Saved", switched)
	})
	addJSONFlag(c, &asJSON)
	return c
}

func (p *cli) appsRemoveCommand() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use: "remove APP", Short: "Stop protecting an app",
		Long: `Remove an app, given by name, address or id, with its tokens and requests for access. Guestlist refuses requests to it from
then on; a proxy that doesn't ask Guestlist any more lets everyone in. It asks first, and on no terminal it needs --yes.`,
		Example: `  guestlist apps remove Wiki
  guestlist apps remove https://wiki.example.com --yes`,
		Args: exactArg("app"),
		RunE: p.runAdmin(func(ctx context.Context, a *app.Admin, _ config.Config, con streams, args []string) error {
			if !yes && !con.interactive {
				return usageError{errors.New("guestlist apps remove asks for confirmation; without a terminal, pass --yes")}
			}
			found, err := findApp(ctx, a.Apps, args[0])
			if err != nil {
				return err
			}
			name := found.Name
			if found.HasAddress() {
				name += " (" + found.URL() + ")"
			}
			if !yes && !con.confirm("Remove "+name+"? Its tokens and requests for access are removed too.") {
				return errors.New("no app was removed")
			}
			if err := a.Apps.Remove(ctx, app.Operator().Origin, found.ID); err != nil {
				return err
			}
			_, err = fmt.Fprintf(con.out, "Removed %s.\n", found.Name)
			return err
		}),
	}
	c.Flags().BoolVar(&yes, "yes", false, "don't ask for confirmation")
	return c
}

// jsonSnippet is an element of the output of guestlist apps snippet --json.
type jsonSnippet struct {
	Proxy string `json:"proxy"`
	Title string `json:"title"`
	Intro string `json:"intro"` // what to do
	Text  string `json:"text"`  // to copy; empty if there is nothing to configure
}

func (p *cli) appsSnippetCommand() *cobra.Command {
	var proxy string
	var asJSON bool
	c := &cobra.Command{
		Use: "snippet APP", Short: "Print the proxy configuration for an app",
		Long: `Print the configuration that connects an app, given by name, address or id, with its address and this installation's filled
in. With --proxy, only the text to copy is printed on standard output, and what to do with it on standard error. With --json:
{"snippets": [{"proxy", "title", "intro", "text"}]}.`,
		Example: `  guestlist apps snippet Wiki
  guestlist apps snippet Wiki --proxy nginx > /etc/nginx/conf.d/wiki.conf`,
		Args: exactArg("app"),
		RunE: p.runAdmin(func(ctx context.Context, a *app.Admin, cfg config.Config, con streams, args []string) error {
			way, known := snippet.ParseWay(proxy)
			if proxy != "" && !known {
				return usageError{fmt.Errorf("--proxy: choose one of %s", joinWays())}
			}
			found, err := findApp(ctx, a.Apps, args[0])
			if err != nil {
				return err
			}
			if !found.HasAddress() {
				return noAddress(found)
			}
			in := snippet.Installation{BaseURL: cfg.BaseURL, Addr: cfg.Addr}
			if proxy == "" {
				return printSnippets(con, snippet.All(found, in), asJSON)
			}
			one := snippet.For(way, found, in)
			if asJSON {
				return printSnippets(con, []snippet.Snippet{one}, true)
			}
			_, err = fmt.Fprint(con.out, one.Text)
			fmt.Fprintln(con.err, one.Intro)
			return err
		}),
	}
	c.Flags().StringVar(&proxy, "proxy", "", "only for this `PROXY`: "+joinWays())
	addJSONFlag(c, &asJSON)
	return c
}

// noAddress returns the error of a command about requests to an app that has no address.
func noAddress(a apps.App) error {
	return fmt.Errorf("%s has no address, so no proxy passes on requests to it; give it one with \"guestlist apps edit %s --url URL\"", a.Name, a.ID)
}

func joinWays() string {
	names := make([]string, len(snippet.Ways))
	for i, way := range snippet.Ways {
		names[i] = string(way)
	}
	return strings.Join(names, ", ")
}

func printSnippets(con streams, list []snippet.Snippet, asJSON bool) error {
	if asJSON {
		j := make([]jsonSnippet, len(list))
		for i, s := range list {
			j[i] = jsonSnippet{string(s.Way), s.Title, s.Intro, s.Text}
		}
		return printJSON(con.out, struct {
			Snippets []jsonSnippet `json:"snippets"`
		}{j})
	}
	for i, s := range list {
		if i > 0 {
			fmt.Fprintln(con.out)
		}
		fmt.Fprintf(con.out, "## %s\n\n%s\n", s.Title, s.Intro)
		if s.Text != "" {
			fmt.Fprintf(con.out, "\n%s\n", strings.TrimRight(s.Text, "\n"))
		}
	}
	return nil
}
