package relyingparties

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/test/harness"
)

// modAuthOpenIDC is Apache with mod_auth_openidc in front of an application, with PKCE. It refreshes its
// tokens when the application asks for it, and keeps its session if that fails.
var modAuthOpenIDC = party{
	name: "mod_auth_openidc", callback: "/oidc/callback", signedOut: "/signed-out", backchannel: "/oidc/callback?logout=backchannel",
	start: func(t *testing.T, r registration) { startApache(t, r, "") },
	open:  openPage, read: readPage, signOut: signOutApache,
	refresh: func(p *person, a account) (account, bool) {
		query := url.Values{"refresh": {p.w.registration.url("/page")}, "access_token": {a.AccessToken}}
		v := p.navigateInTool("/oidc/callback?" + query.Encode())
		if strings.Contains(v.Path, "error_code=") {
			return account{}, false
		}
		return readPage(p, v)
	},
}

// modAuthOpenIDCRefreshing is the same with a directive by which it refreshes its tokens before every
// request, because they last 900 seconds at most, and ends its session if that fails.
var modAuthOpenIDCRefreshing = party{
	name: "mod_auth_openidc with OIDCRefreshAccessTokenBeforeExpiry", callback: "/oidc/callback", signedOut: "/signed-out",
	start: func(t *testing.T, r registration) {
		startApache(t, r, "OIDCRefreshAccessTokenBeforeExpiry 900 logout_on_error")
	},
	open: openPage, read: readPage, signOut: signOutApache,
	refresh: refreshPage, refreshPath: "/page", endsOnRefusal: true,
}

func signOutApache(p *person, _ account) harness.View {
	r := p.w.registration
	return p.navigate(r.url("/oidc/callback?" + url.Values{"logout": {r.url("/signed-out")}}.Encode()))
}

// apacheConfig is the configuration of one process in the foreground, with all files in one directory.
const apacheConfig = `ServerRoot %[1]s
ServerName 127.0.0.1
PidFile apache.pid
DefaultRuntimeDir %[1]s
Listen %[2]s
ErrorLog /dev/stderr
LogLevel warn auth_openidc:info
%[3]s
LoadModule mpm_event_module %[4]s/mod_mpm_event.so
LoadModule authn_core_module %[4]s/mod_authn_core.so
LoadModule authz_core_module %[4]s/mod_authz_core.so
LoadModule authz_user_module %[4]s/mod_authz_user.so
LoadModule proxy_module %[4]s/mod_proxy.so
LoadModule proxy_http_module %[4]s/mod_proxy_http.so
LoadModule auth_openidc_module %[4]s/mod_auth_openidc.so

OIDCProviderMetadataURL %[5]s/.well-known/openid-configuration
OIDCClientID %[6]s
OIDCClientSecret %[7]s
OIDCRedirectURI http://%[2]s/oidc/callback
OIDCCryptoPassphrase a-passphrase-of-the-tests
# Guestlist doesn't know the scope address. The module asks for all of these again when it refreshes.
OIDCScope "%[9]s address"
OIDCPKCEMethod S256
OIDCUserInfoRefreshInterval 1
OIDCPassRefreshToken On
OIDCPassIDTokenAs claims serialized
OIDCDefaultURL http://%[2]s/page
OIDCDefaultLoggedOutURL http://%[2]s/signed-out

ProxyPass /oidc/ !
ProxyPass / http://%[8]s/
<Location />
	AuthType openid-connect
	Require valid-user
	%[10]s
</Location>
<Location /signed-out>
	AuthType None
	Require all granted
</Location>
`

func startApache(t *testing.T, r registration, directive string) {
	const modules = "/usr/lib/apache2/modules"
	path := harness.FindPeer(t, "Apache", "apache2", "/usr/sbin/apache2")
	if _, err := os.Stat(filepath.Join(modules, "mod_auth_openidc.so")); err != nil {
		t.Fatalf("no mod_auth_openidc: make peers gets it: %v", err)
	}
	page := startClaimsPage(t, headerNames{
		subject: "Oidc_claim_sub", email: "Oidc_claim_email", name: "Oidc_claim_name", username: "Oidc_claim_preferred_username",
		groups: "Oidc_claim_groups", session: "Oidc_claim_sid", accessToken: "Oidc_access_token", refreshToken: "Oidc_refresh_token", idToken: "Oidc_id_token",
	})
	dir := t.TempDir()
	user := ""
	if os.Getuid() == 0 {
		user = "User www-data\nGroup www-data"
	}
	config := filepath.Join(dir, "apache.conf")
	var text bytes.Buffer
	fmt.Fprintf(&text, apacheConfig, dir, r.address, user, modules, r.issuer, r.clientID, r.secret, page, allScopes, directive)
	if err := os.WriteFile(config, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	harness.Program{Path: path, Args: []string{"-X", "-f", config}, Dir: dir}.Start(t, func() bool { return listens(r.address) })
}
