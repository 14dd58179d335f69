package recipe

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"

	"github.com/guestlist/guestlist/internal/openid"
)

// hostile are names and an id that every format has to quote.
var hostile = Client{
	Issuer: "https://people.example.com", ID: "0192f0c4-6a51-7d0e-9d3f-4d1f0f3f5a11", Secret: "glcs_AAAA2222", AppURL: "https://tool.example.com:8443",
	Groups: []string{"Staff", `It's "all" of $HOME #1; a/b (c|d) \ ` + "`x`", "Zürich & Co: {{x}}"},
}

func TestAll_IsSortedAndComplete(t *testing.T) {
	t.Parallel()
	var names []string
	for _, r := range All() {
		names = append(names, strings.ToLower(r.Name))
		if r.ID == "" || r.Where == "" || r.Read == "" || !strings.HasPrefix(r.Docs, "https://") || len(r.Scopes) == 0 || r.Auth == "" {
			t.Errorf("%s lacks something: %+v", r.Name, r)
		}
		if r.Public != (r.Auth == none) || r.Public && !r.PKCE {
			t.Errorf("%s: public %v, auth %s, PKCE %v", r.Name, r.Public, r.Auth, r.PKCE)
		}
		for _, scope := range r.Scopes {
			if !slices.Contains(openid.Scopes, scope) {
				t.Errorf("%s requests the scope %s, which there isn't", r.Name, scope)
			}
		}
		if found, ok := Find(" " + strings.ToUpper(r.ID)); !ok || found.Name != r.Name {
			t.Errorf("%s isn't found", r.ID)
		}
	}
	if len(names) != 12 || !slices.IsSorted(names) {
		t.Errorf("%d recipes: %q", len(names), names)
	}
	if _, ok := Find("nagios"); ok {
		t.Error("nagios is found")
	}
}

func TestAddresses_AreThoseOfTheTool(t *testing.T) {
	t.Parallel()
	type addresses struct {
		Redirect, PostLogout []string
		Backchannel          string
	}
	want := map[string]addresses{
		"argocd":        {Redirect: []string{"https://tool.example.com/auth/callback", "https://tool.example.com/pkce/verify", "http://localhost:8085/auth/callback"}},
		"gitea":         {Redirect: []string{"https://tool.example.com/user/oauth2/guestlist/callback"}},
		"grafana":       {Redirect: []string{"https://tool.example.com/login/generic_oauth"}},
		"homeassistant": {Redirect: []string{"https://tool.example.com/auth/oidc/callback"}},
		"immich":        {Redirect: []string{"https://tool.example.com/auth/login", "https://tool.example.com/user-settings", "https://tool.example.com/api/oauth/mobile-redirect"}},
		"jellyfin":      {Redirect: []string{"https://tool.example.com/sso/OID/redirect/guestlist"}},
		"nextcloud": {
			Redirect:    []string{"https://tool.example.com/apps/user_oidc/code", "https://tool.example.com/index.php/apps/user_oidc/code"},
			PostLogout:  []string{"https://tool.example.com/"},
			Backchannel: "https://tool.example.com/index.php/apps/user_oidc/backchannel-logout/guestlist",
		},
		"oauth2-proxy": {Redirect: []string{"https://tool.example.com/oauth2/callback"}},
		"outline":      {Redirect: []string{"https://tool.example.com/auth/oidc.callback"}},
		"portainer":    {Redirect: []string{"https://tool.example.com"}},
		"proxmox":      {Redirect: []string{"https://tool.example.com"}},
		"vaultwarden":  {Redirect: []string{"https://tool.example.com/identity/connect/oidc-signin"}},
	}
	for _, r := range All() {
		// A slash at the end makes no difference.
		for _, url := range []string{"https://tool.example.com", "https://tool.example.com/"} {
			got := addresses{r.RedirectURIs(url), r.PostLogoutURIs(url), r.BackchannelLogout(url)}
			if diff := cmp.Diff(want[r.ID], got); diff != "" {
				t.Errorf("%s: %s", r.ID, diff)
			}
		}
		if r.RedirectURIs("") != nil || r.PostLogoutURIs("") != nil || r.BackchannelLogout("") != "" {
			t.Errorf("%s has addresses without an address of the tool", r.ID)
		}
	}
}

func TestRecipes_MakeValidClients(t *testing.T) {
	t.Parallel()
	for _, r := range All() {
		for _, url := range []string{r.ExampleURL(), "http://10.0.0.7:8080", "https://tools.example.com/" + r.ID + "/"} {
			_, err := openid.ClientInput{
				Public: r.Public, RedirectURIs: strings.Join(r.RedirectURIs(url), "\n"),
				PostLogoutURIs: strings.Join(r.PostLogoutURIs(url), "\n"), BackchannelLogout: r.BackchannelLogout(url),
			}.Parse()
			if err != nil {
				t.Errorf("%s at %s: %v", r.ID, url, err)
			}
		}
	}
}

// pairs parses the settings of a recipe into names and values.
func pairs(t *testing.T, r Recipe, c Client) map[string]string {
	t.Helper()
	text := r.Settings(c)
	found := map[string]string{}
	switch r.Format {
	case Form:
		for line := range strings.Lines(text) {
			label, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			if !ok || label == "" || value == "" {
				t.Errorf("%s: not a field: %q", r.ID, line)
			}
			found[label] = value
		}
	case Env:
		for line := range strings.Lines(text) {
			name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			if !ok || !regexp.MustCompile(`^[A-Z_]+$`).MatchString(name) {
				t.Errorf("%s: not a variable: %q", r.ID, line)
			}
			found[name] = strings.Trim(value, `"`)
		}
	case INI:
		section := ""
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			name, value, ok := strings.Cut(line, " = ")
			switch {
			case line == "":
			case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
				section = strings.Trim(line, "[]")
			case ok && section != "" && !strings.ContainsAny(value, "#;`"):
				found[section+"."+name] = value
			default:
				t.Errorf("%s: not a setting: %q", r.ID, line)
			}
		}
	case TOML:
		values := map[string]any{}
		if err := toml.Unmarshal([]byte(text), &values); err != nil {
			t.Fatalf("%s: %v\n%s", r.ID, err, text)
		}
		for name, value := range values {
			found[name] = fmt.Sprint(value)
		}
	case YAML:
		d := yaml.NewDecoder(strings.NewReader(text))
		for {
			document := map[string]any{}
			if err := d.Decode(&document); err != nil {
				if err.Error() != "EOF" {
					t.Fatalf("%s: %v\n%s", r.ID, err, text)
				}
				break
			}
			flatten(found, "", document)
		}
	case Shell:
		for i, word := range runShell(t, text) {
			found[fmt.Sprint(i)] = word
		}
	default:
		t.Fatalf("%s has the format %q", r.ID, r.Format)
	}
	return found
}

// flatten adds the values of nested maps, with dotted names.
func flatten(into map[string]string, prefix string, from map[string]any) {
	for name, value := range from {
		if nested, ok := value.(map[string]any); ok {
			flatten(into, prefix+name+".", nested)
			continue
		}
		into[prefix+name] = fmt.Sprint(value)
	}
}

// runShell returns the words of a command as a shell reads them.
func runShell(t *testing.T, text string) []string {
	t.Helper()
	command, rest, _ := strings.Cut(text, " ")
	script := "show() { for word in \"$@\"; do printf '%s\\n' \"$word\"; done; }\nshow " + rest
	out, err := exec.CommandContext(context.Background(), "sh", "-eu", "-c", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func TestSettings_ParseInTheirFormats(t *testing.T) {
	t.Parallel()
	for _, r := range All() {
		found := pairs(t, r, hostile)
		all := fmt.Sprint(found)
		for _, want := range []string{hostile.Issuer, hostile.ID} {
			if !strings.Contains(all, want) {
				t.Errorf("%s doesn't have %s:\n%s", r.ID, want, r.Settings(hostile))
			}
		}
		if strings.Contains(all, hostile.Secret) == r.Public {
			t.Errorf("%s: public %v, and the secret is in it: %v", r.ID, r.Public, !r.Public)
		}
		if (r.Admins != "") != strings.Contains(all, r.Name+" admins") {
			t.Errorf("%s: administrators %q:\n%s", r.ID, r.Admins, r.Settings(hostile))
		}
		if strings.Contains(all, "<no value>") || strings.Contains(r.Settings(hostile), "\n\n\n") || !strings.HasSuffix(r.Settings(hostile), "\n") {
			t.Errorf("%s: %s", r.ID, r.Settings(hostile))
		}
	}
}

func TestSettings_HavePlaceholdersAndAnExample(t *testing.T) {
	t.Parallel()
	for _, r := range All() {
		text := r.Settings(Client{Issuer: "https://people.example.com/"})
		if !strings.Contains(text, PlaceholderID) || strings.Contains(text, PlaceholderSecret) == r.Public || strings.Contains(text, "example.com//") {
			t.Errorf("%s:\n%s", r.ID, text)
		}
	}
	if r, _ := Find("grafana"); !strings.Contains(r.Settings(Client{}), "root_url = https://grafana.example.com\n") {
		t.Error(r.Settings(Client{}))
	}
}

// The endpoints and scopes in the texts are Guestlist's.
func TestSettings_NameEndpointsThatExist(t *testing.T) {
	t.Parallel()
	known := map[string]bool{"/.well-known/openid-configuration": true, openid.AuthorizePath: true, openid.TokenPath: true, openid.UserInfoPath: true}
	named := regexp.MustCompile(`https://people\.example\.com(/[^\s"']*)`)
	for _, r := range All() {
		text := r.Settings(hostile)
		for _, found := range named.FindAllStringSubmatch(text, -1) {
			if !known[found[1]] {
				t.Errorf("%s names %s", r.ID, found[1])
			}
		}
	}
}

func TestSettings_QuoteGroups(t *testing.T) {
	t.Parallel()
	t.Run("Argo CD reads each name", func(t *testing.T) {
		t.Parallel()
		r, _ := Find("argocd")
		policy := pairs(t, r, hostile)["data.policy.csv"]
		// Argo CD reads a line like this:
		// https://github.com/casbin/casbin/blob/v2.102.0/persist/adapter.go
		lines := csv.NewReader(strings.NewReader(policy))
		lines.TrimLeadingSpace = true
		lines.Comment = '#'
		got, err := lines.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		want := [][]string{{"g", "Argo CD admins", "role:admin"}}
		for _, group := range hostile.Groups {
			want = append(want, []string{"g", group, "role:readonly"})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("Nextcloud's expression matches these alone", func(t *testing.T) {
		t.Parallel()
		r, _ := Find("nextcloud")
		expression := ""
		for _, word := range runShell(t, r.Settings(hostile)) {
			if value, ok := strings.CutPrefix(word, "--group-whitelist-regex="); ok {
				expression = strings.ReplaceAll(strings.Trim(value, "/"), `\/`, "/")
			}
		}
		whitelist := regexp.MustCompile(expression)
		for _, group := range hostile.Groups {
			if !whitelist.MatchString(group) {
				t.Errorf("%s doesn't match %q", expression, group)
			}
		}
		for _, other := range []string{"admin", "Staff2", "c", ""} {
			if whitelist.MatchString(other) {
				t.Errorf("%s matches %q", expression, other)
			}
		}
		if open := r.Settings(Client{}); strings.Contains(open, "group") && strings.Contains(open, "provisioning") {
			t.Errorf("without groups, Nextcloud's own ones change:\n%s", open)
		}
	})
	t.Run("a shell changes nothing", func(t *testing.T) {
		t.Parallel()
		for _, text := range append(hostile.Groups, "", "-x", "~", "*", "a b", "'", `\`) {
			if got := runShell(t, "x "+quoteShell(text)); got[0] != text {
				t.Errorf("%q is %q", text, got[0])
			}
		}
	})
	t.Run("YAML and TOML change nothing", func(t *testing.T) {
		t.Parallel()
		for _, text := range append(hostile.Groups, "", "yes", "1", "<&>", "\u2028") {
			var fromYAML, fromJSON string
			if err := yaml.Unmarshal([]byte(quote(text)), &fromYAML); err != nil || fromYAML != text {
				t.Errorf("%q is %q in YAML: %v", text, fromYAML, err)
			}
			if err := json.Unmarshal([]byte(quote(text)), &fromJSON); err != nil || fromJSON != text {
				t.Errorf("%q is %q in JSON: %v", text, fromJSON, err)
			}
			fromTOML := map[string]string{}
			if err := toml.Unmarshal([]byte("x = "+quote(text)), &fromTOML); err != nil || fromTOML["x"] != text {
				t.Errorf("%q is %q in TOML: %v", text, fromTOML["x"], err)
			}
		}
	})
}

// Settings of tools are easily changed by mistake: this is the list of what is used, and each name
// was looked up in what Recipe.Read says.
func TestSettings_UseTheseNames(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"grafana":       "auth.generic_oauth.api_url auth.generic_oauth.auth_url auth.generic_oauth.client_id auth.generic_oauth.client_secret auth.generic_oauth.enabled auth.generic_oauth.groups_attribute_path auth.generic_oauth.login_attribute_path auth.generic_oauth.name auth.generic_oauth.name_attribute_path auth.generic_oauth.role_attribute_path auth.generic_oauth.scopes auth.generic_oauth.token_url auth.generic_oauth.use_pkce auth.generic_oauth.use_refresh_token server.root_url",
		"homeassistant": "auth_oidc.client_id auth_oidc.discovery_url auth_oidc.display_name auth_oidc.roles.admin",
		"immich":        "Auto Register, Button Text, Client ID, Client Secret, Enabled, Issuer URL, Mobile Redirect URI, Mobile Redirect URI Override, Scope, Signing Algorithm, Storage Label Claim, Token Endpoint Auth Method",
		"jellyfin":      "Admin Roles, Enable All Folders, Enable Authorization by Plugin, Enabled, Name of OpenID Provider, OpenID Client ID, OpenID Endpoint, OpenID client secret, Request Additional Scopes, Role Claim",
		"oauth2-proxy":  "client_id client_secret code_challenge_method cookie_refresh cookie_secret email_domains insecure_oidc_skip_nonce oidc_issuer_url provider provider_display_name redirect_url scope skip_provider_button upstreams",
		"outline":       "OIDC_AUTH_URI OIDC_CLIENT_ID OIDC_CLIENT_SECRET OIDC_DISPLAY_NAME OIDC_SCOPES OIDC_TOKEN_URI OIDC_USERINFO_URI OIDC_USERNAME_CLAIM URL",
		"portainer":     "Access token URL, Auth Style, Authorization URL, Automatic user provisioning, Client ID, Client secret, Redirect URL, Resource URL, Scopes, Use SSO, User identifier",
		"vaultwarden":   "DOMAIN SSO_AUTHORITY SSO_CLIENT_ID SSO_CLIENT_SECRET SSO_ENABLED SSO_ONLY SSO_PKCE SSO_SCOPES",
		"argocd":        "apiVersion data.oidc.config data.policy.csv data.url kind metadata.name metadata.namespace",
		"gitea":         "--admin-group --auto-discover-url --group-claim-name --key --name --provider --scopes --secret",
		"nextcloud":     "--clientid --clientsecret --discoveryuri --group-provisioning --group-whitelist-regex --mapping-display-name --mapping-email --mapping-groups --scope",
		"proxmox":       "--autocreate --client-id --client-key --groups-autocreate --groups-claim --groups-overwrite --issuer-url --scopes --type --username-claim",
	}
	for _, r := range All() {
		var names []string
		for name, value := range pairs(t, r, hostile) {
			if r.Format == Shell {
				name, _, _ = strings.Cut(value, "=")
				if !strings.HasPrefix(name, "--") {
					continue
				}
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		separator := " "
		if r.Format == Form {
			separator = ", "
		}
		if diff := cmp.Diff(want[r.ID], strings.Join(names, separator)); diff != "" {
			t.Errorf("%s: %s", r.ID, diff)
		}
	}
}

func TestSettings_OfArgoCDAreYAMLInYAML(t *testing.T) {
	t.Parallel()
	r, _ := Find("argocd")
	inner := map[string]any{}
	if err := yaml.Unmarshal([]byte(pairs(t, r, hostile)["data.oidc.config"]), &inner); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"name": "Guestlist", "issuer": hostile.Issuer, "clientID": hostile.ID, "enablePKCEAuthentication": true,
		"requestedScopes": []any{"openid", "profile", "email", "groups"},
	}
	if diff := cmp.Diff(want, inner); diff != "" {
		t.Error(diff)
	}
}

// The page shows the same texts as the command line and the app's page.
func TestPage_IsThatOfTheDocumentation(t *testing.T) {
	t.Parallel()
	const path = "../../../docs/openid-recipes.md"
	want := page()
	if os.Getenv("UPDATE_RECIPES") != "" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(page)); diff != "" {
		t.Errorf("Run UPDATE_RECIPES=1 go test ./internal/openid/recipe: %s", diff)
	}
}
