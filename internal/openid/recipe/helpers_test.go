package recipe

import (
	"fmt"
	"strings"
)

// pageIntro is the beginning of docs/openid-recipes.md.
const pageIntro = `# Recipes for OpenID Connect

How to connect the tools that are connected most often. [OpenID Connect](openid.md) explains the terms and what to do for a tool that isn’t here.

For each tool:

1. Add the app with the tool’s address, on the page Apps or with ` + "`guestlist apps add`" + `.
2. Make it a client with ` + "`guestlist apps client APP --recipe TOOL`" + `, which fills in the redirect URIs and prints the settings with your addresses. The
   app’s page does the same.
3. Create a secret with ` + "`guestlist apps secret APP`" + `, unless the client is public. It’s shown once.
4. Give the tool the settings and the secret.

The settings below use ` + "`https://people.example.com`" + ` for Guestlist, and an app that opens to the group Staff. ` + "`CLIENT_ID` and `CLIENT_SECRET`" + ` stand for yours.
Where a tool has administrators by group, the settings name a group such as “Grafana admins”: create it and add people, or write another name.

Each setting was looked up in the tool’s own documentation; the version is named with each tool. oauth2-proxy is also run in Guestlist’s tests. Tools change: if one has
moved a setting, please report it.
`

// page returns docs/openid-recipes.md.
func page() string {
	var b strings.Builder
	b.WriteString(pageIntro)
	b.WriteString("\n| tool | client | PKCE | secret sent as | scopes |\n|---|---|---|---|---|\n")
	for _, r := range All() {
		kind, pkce, auth := "confidential", "no", "`"+r.Auth+"`"
		if r.Public {
			kind, auth = "public", "–"
		}
		if r.PKCE {
			pkce = "yes"
		}
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s | `%s` |\n", r.Name, anchor(r.Name), kind, pkce, auth, strings.Join(r.Scopes, " "))
	}
	for _, r := range All() {
		writeRecipe(&b, r)
	}
	return b.String()
}

func writeRecipe(b *strings.Builder, r Recipe) {
	url := r.ExampleURL()
	fmt.Fprintf(b, "\n## %s\n\n- Commands: `guestlist apps client %s --recipe %s`", r.Name, quoteShell(r.Name), r.ID)
	if !r.Public {
		fmt.Fprintf(b, ", then `guestlist apps secret %s`", quoteShell(r.Name))
	}
	b.WriteString("\n")
	writeList := func(label string, list []string) {
		if len(list) > 0 {
			fmt.Fprintf(b, "- %s: `%s`\n", label, strings.Join(list, "`, `"))
		}
	}
	writeList("Redirect URIs", r.RedirectURIs(url))
	writeList("Sign-out addresses", r.PostLogoutURIs(url))
	if channel := r.BackchannelLogout(url); channel != "" {
		writeList("Back-channel logout", []string{channel})
	}
	if r.Admins != "" {
		fmt.Fprintf(b, "- Administrators: members of the group %s\n", r.Admins)
	}
	language := string(r.Format)
	if r.Format == Form || r.Format == Env || r.Format == Shell { // commands in sh would be Guestlist's
		language = "text"
	}
	fmt.Fprintf(b, "\n%s\n\n```%s\n%s```\n\n", r.Where, language, r.Settings(Client{
		Issuer: "https://people.example.com", Groups: []string{"Staff"},
	}))
	for _, note := range r.Notes {
		fmt.Fprintf(b, "- %s\n", note)
	}
	fmt.Fprintf(b, "\nSource: [%s](%s); %s.\n", r.Name, r.Docs, r.Read)
}

// anchor returns the anchor of a heading.
func anchor(heading string) string {
	return strings.ReplaceAll(strings.ToLower(heading), " ", "-")
}
