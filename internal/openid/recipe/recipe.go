// Package recipe knows how to set up tools that sign their users in with OpenID Connect: which
// redirect URIs they use, what they need from the client, and their settings, as text to copy
// with the addresses, the client id and the names of groups filled in. The pages, the command line
// and docs/openid-recipes.md show the same texts.
//
// Every setting is one of the tool's own documentation; Recipe.Read says which was read.
package recipe

import (
	"cmp"
	"embed"
	"slices"
	"strings"
	"text/template"
)

// Format is the format of the settings of a tool.
type Format string

// The formats.
const (
	Form  Format = "form"  // fields of a page: one "Label: value" in a line
	INI   Format = "ini"   // a file with sections
	Env   Format = "env"   // environment variables
	YAML  Format = "yaml"  // a file, maybe of several documents
	TOML  Format = "toml"  // a file
	Shell Format = "shell" // commands
)

// Recipe is how to set up one tool.
type Recipe struct {
	ID      string // such as grafana
	Name    string // such as Grafana
	Docs    string // URL of the tool's documentation
	Read    string // which version of it the settings were taken from
	Where   string // where the settings belong, as a sentence
	Format  Format
	Public  bool     // the client is public: it has no secret and must use PKCE
	PKCE    bool     // the tool uses PKCE
	Auth    string   // how the tool sends its secret, such as client_secret_basic; none for a public client
	Scopes  []string // that the tool requests
	Admins  string   // name of the group whose members the settings make the tool's administrators; empty if they make no one
	Notes   []string // sentences
	uses    []string // paths of the redirect URIs below the tool's address, or whole URIs
	logout  []string // paths of the addresses where a sign-out ends
	channel string   // path of the URL for back-channel logout; empty if the tool has none
	example string   // an address for ExampleURL; empty for one made of the id
}

// Client is what a tool has to know.
type Client struct {
	Issuer string   // Guestlist's base URL
	ID     string   // the client id; empty for a placeholder
	Secret string   // empty for a placeholder
	AppURL string   // the tool's address, such as https://grafana.example.com; empty for an example
	Groups []string // names of the groups that open the app; empty for everyone
}

// Placeholders for what isn't known.
const (
	PlaceholderID     = "CLIENT_ID"
	PlaceholderSecret = "CLIENT_SECRET"
)

// All returns all recipes, sorted by name.
func All() []Recipe { return slices.Clone(recipes) }

// Find returns the recipe with an id, in upper or lower case, and reports whether there is one.
func Find(id string) (Recipe, bool) {
	for _, r := range recipes {
		if strings.EqualFold(r.ID, strings.TrimSpace(id)) {
			return r, true
		}
	}
	return Recipe{}, false
}

// IDs returns the ids of all recipes, in the order of All.
func IDs() []string {
	list := make([]string, len(recipes))
	for i, r := range recipes {
		list[i] = r.ID
	}
	return list
}

// ExampleURL returns an address for the tool, for texts that can't know its own.
func (r Recipe) ExampleURL() string { return cmp.Or(r.example, "https://"+r.ID+".example.com") }

// RedirectURIs returns the redirect URIs of the tool at an address. It returns nil, as do the two
// functions below, if the address is empty.
func (r Recipe) RedirectURIs(appURL string) []string { return below(appURL, r.uses) }

// PostLogoutURIs returns where a sign-out that the tool starts ends, for the tool at an address. It
// returns nil if the settings don't have the tool start one.
func (r Recipe) PostLogoutURIs(appURL string) []string { return below(appURL, r.logout) }

// BackchannelLogout returns the URL for back-channel logout of the tool at an address, or "".
func (r Recipe) BackchannelLogout(appURL string) string {
	if r.channel == "" || appURL == "" {
		return ""
	}
	return below(appURL, []string{r.channel})[0]
}

// below returns paths below an address. Whole URIs stay as they are.
func below(appURL string, paths []string) []string {
	if appURL == "" {
		return nil
	}
	var list []string
	for _, path := range paths {
		if !strings.Contains(path, "://") {
			path = strings.TrimRight(appURL, "/") + path
		}
		list = append(list, path)
	}
	return list
}

// values are what the templates fill in.
type values struct {
	Client
	Host      string // of AppURL, without its scheme
	Scope     string // separated by spaces
	Admins    string
	Redirects []string
}

// Settings returns the settings of the tool.
func (r Recipe) Settings(c Client) string {
	c.Issuer = strings.TrimRight(c.Issuer, "/")
	c.AppURL = strings.TrimRight(cmp.Or(c.AppURL, r.ExampleURL()), "/")
	c.ID = cmp.Or(c.ID, PlaceholderID)
	c.Secret = cmp.Or(c.Secret, PlaceholderSecret)
	_, host, _ := strings.Cut(c.AppURL, "://")
	var b strings.Builder
	err := templates.ExecuteTemplate(&b, r.ID+".txt", values{
		Client: c, Host: host, Scope: strings.Join(r.Scopes, " "), Admins: r.Admins, Redirects: r.RedirectURIs(c.AppURL),
	})
	if err != nil {
		panic(err) // the templates are embedded, and their functions don't fail
	}
	return b.String()
}

//go:embed templates
var files embed.FS

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"quote": quote, "shell": quoteShell, "csv": quoteCSV, "pattern": pattern,
}).ParseFS(files, "templates/*"))
