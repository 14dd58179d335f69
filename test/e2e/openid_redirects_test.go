package e2e

import (
	"net/http"
	neturl "net/url"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/openid"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// wantRefusalPage checks that a page refuses an authorization request: the browser stays here, and no
// grant is made.
func wantRefusalPage(t *testing.T, name string, site *harness.Site, v harness.View) {
	t.Helper()
	if _, refreshes := v.Refresh(); v.Status != http.StatusBadRequest || v.Header.Get("Location") != "" || refreshes || v.Heading() != "This sign-in request isn’t valid" {
		t.Errorf("%s: status %d, Location %q, heading %q", name, v.Status, v.Header.Get("Location"), v.Heading())
	}
	if n := site.Count("SELECT COUNT(*) FROM grants"); n != 0 {
		t.Errorf("%s: %d grants", name, n)
	}
}

// A redirect URI must be one of the client's to the letter. Otherwise the browser is sent nowhere, not
// even with an error (https://www.rfc-editor.org/rfc/rfc9700#section-4.1).
func TestOpenID_RedirectURIVariations(t *testing.T) {
	t.Parallel()
	registered := "https://wiki.example.com/oauth/callback"
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{RedirectURIs: registered})
	site.AddApp("Own", "https://evil.example.com")
	for name, uri := range map[string]string{
		"none":                       "",
		"the host in capitals":       "https://WIKI.example.com/oauth/callback",
		"the path in capitals":       "https://wiki.example.com/OAuth/Callback",
		"the scheme in capitals":     "HTTPS://wiki.example.com/oauth/callback",
		"http":                       "http://wiki.example.com/oauth/callback",
		"no scheme":                  "//wiki.example.com/oauth/callback",
		"a path":                     "/oauth/callback",
		"the usual port":             "https://wiki.example.com:443/oauth/callback",
		"another port":               "https://wiki.example.com:8443/oauth/callback",
		"an empty port":              "https://wiki.example.com:/oauth/callback",
		"a trailing dot":             "https://wiki.example.com./oauth/callback",
		"a trailing slash":           registered + "/",
		"two slashes":                "https://wiki.example.com//oauth/callback",
		"a longer path":              registered + "/evil",
		"a longer name":              registered + "evil",
		"a shorter path":             "https://wiki.example.com/oauth",
		"the root":                   "https://wiki.example.com/",
		"a parent":                   registered + "/../../evil",
		"a way around":               "https://wiki.example.com/evil/../oauth/callback",
		"a dot":                      "https://wiki.example.com/./oauth/callback",
		"encoded dots":               registered + "/%2e%2e/evil",
		"an encoded slash":           "https://wiki.example.com/oauth%2fcallback",
		"an encoded letter":          "https://wiki.example.com/oauth/c%61llback",
		"a NUL":                      registered + "\x00",
		"an encoded NUL":             registered + "%00",
		"a line break":               registered + "\r\nLocation: https://evil.example.com",
		"a tab":                      registered + "\t",
		"a space before":             " " + registered,
		"a space after":              registered + " ",
		"a fragment":                 registered + "#evil",
		"an empty fragment":          registered + "#",
		"a query":                    registered + "?x=1",
		"an empty query":             registered + "?",
		"an open redirect":           registered + "?next=https://evil.example.com",
		"a parameter of a path":      registered + ";x=1",
		"a subdomain":                "https://evil.wiki.example.com/oauth/callback",
		"the parent domain":          "https://example.com/oauth/callback",
		"a longer domain":            "https://wiki.example.com.evil.example/oauth/callback",
		"a domain that ends alike":   "https://evilwiki.example.com/oauth/callback",
		"userinfo":                   "https://evil.example@wiki.example.com/oauth/callback",
		"the host as userinfo":       "https://wiki.example.com@evil.example/oauth/callback",
		"the address as userinfo":    "https://wiki.example.com%2foauth%2fcallback@evil.example/",
		"a backslash":                `https://wiki.example.com\@evil.example/oauth/callback`,
		"backslashes":                `https:\\wiki.example.com\oauth\callback`,
		"a backslash in the path":    `https://wiki.example.com/oauth\callback`,
		"letters that look alike":    "https://wikі.example.com/oauth/callback",
		"a wide dot":                 "https://wiki。example。com/oauth/callback",
		"punycode":                   "https://xn--wik-rdd.example.com/oauth/callback",
		"an IP address":              "https://127.0.0.1/oauth/callback",
		"another app":                "https://evil.example.com/oauth/callback",
		"our own pages":              site.URL + "/apps",
		"a script":                   "javascript:alert(1)//https://wiki.example.com/oauth/callback",
		"data":                       "data:text/html,x",
		"out of band":                "urn:ietf:wg:oauth:2.0:oob",
		"two in one":                 registered + " " + registered,
		"two lines":                  registered + "\nhttps://evil.example.com/",
		"the registered one, longer": registered + strings.Repeat("a", 5000),
	} {
		for _, more := range [][]string{nil, {"prompt", "none"}, {"response_type", "token"}, {"request", "x"}} {
			wantRefusalPage(t, name, site, client.Visit(ada, append([]string{"redirect_uri", uri}, more...)...))
		}
	}
	address, _, _ := strings.Cut(client.AuthorizePath(), "?")
	q := neturl.Values{}
	for name, query := range map[string]string{
		"two redirect URIs":           client.AuthorizePath() + "&redirect_uri=https%3A%2F%2Fevil.example.com",
		"twice the same redirect URI": client.AuthorizePath() + "&redirect_uri=" + neturl.QueryEscape(registered),
		"two clients":                 client.AuthorizePath() + "&client_id=x",
		"no client":                   address + "?" + q.Encode(),
		"an unknown client":           client.AuthorizePath("client_id", "0193c0de-0000-7000-8000-000000000000"),
		"a client in capitals":        client.AuthorizePath("client_id", strings.ToUpper(client.App.ID)),
		"a client with a space":       client.AuthorizePath("client_id", client.App.ID+" "),
		"an app without a client":     client.AuthorizePath("client_id", site.AddApp("None", "https://none.example.com").ID),
		"HTML in the client":          client.AuthorizePath("client_id", "<script>alert(1)</script>"),
	} {
		for _, visitor := range []*harness.Person{ada, harness.NewVisitor(site)} {
			wantRefusalPage(t, name, site, visitor.DoOnce(visitor.NewRequest(http.MethodGet, site.URL+query, nil)))
		}
	}
	if client.Authorize(ada).Get("code") == "" {
		t.Error("the registered one is refused")
	}
}

// Programs on a user's device listen on a free port of an address that no other device can have. A name
// such as localhost may lead to another device (https://www.rfc-editor.org/rfc/rfc8252#section-8.3).
func TestOpenID_RedirectURIsOfLoopbackAddresses(t *testing.T) {
	t.Parallel()
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{
		Public: true, RedirectURIs: "http://127.0.0.1/callback\nhttp://[::1]:7000/callback\nhttp://localhost:8000/\nhttps://127.0.0.1:8443/callback",
	})
	for _, uri := range []string{
		"http://127.0.0.1/callback", "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback", "http://[::1]/callback", "http://[::1]:7001/callback",
		"http://localhost:8000/", "https://127.0.0.1:8443/callback",
	} {
		v := client.Visit(ada, "redirect_uri", uri)
		if !strings.HasPrefix(v.Header.Get("Location"), uri+"?code=") {
			t.Errorf("%s: %d %q", uri, v.Status, v.Header.Get("Location"))
		}
	}
	if _, err := site.App.Store.DeleteExpiredGrants(t.Context(), site.Clock.Now().AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{
		"http://localhost/", "http://localhost:8001/", "http://localhost:8000/callback", "http://127.0.0.1:8000/", "http://localhost.:8000/",
		"https://127.0.0.1/callback", "https://127.0.0.1:8444/callback", "https://127.0.0.1:80/callback", "https://[::1]:7000/callback",
		"http://127.0.0.2:80/callback", "http://127.1/callback", "http://0.0.0.0/callback", "http://[::]/callback", "http://2130706433/callback",
		"http://127.0.0.1:/callback", "http://127.0.0.1:0/callback", "http://127.0.0.1:65536/callback", "http://127.0.0.1:080/callback", "http://127.0.0.1:+1/callback", "http://127.0.0.1:x/callback",
		"http://[127.0.0.1]/callback", "http://::1/callback", "http://[::1/callback", "http://[[::1]]/callback", "http://[0:0:0:0:0:0:0:1]/callback", "http://[::ffff:127.0.0.1]/callback", "http://[::1%25eth0]/callback",
		"http://127.0.0.1:80/callback/", "http://127.0.0.1:80/callback?x=1", "http://127.0.0.1:80/callback#x", "http://127.0.0.1:80/Callback", "http://127.0.0.1:80",
		"http://127.0.0.1:80@evil.example/callback", "http://evil.example@127.0.0.1:80/callback", `http://127.0.0.1:80\@evil.example/callback`, "http://127.0.0.1:80:90/callback",
		"http://127.0.0.1.evil.example:80/callback", "http://127.0.0.1%2eevil.example/callback", "HTTP://127.0.0.1:80/callback", "http:127.0.0.1:80/callback", "http://127.0.0.1?/callback",
	} {
		wantRefusalPage(t, uri, site, client.Visit(ada, "redirect_uri", uri))
	}
}

// A public client can be a program on a user's device, which the system opens.
func TestOpenID_CustomSchemes(t *testing.T) {
	t.Parallel()
	uri := "app.immich:///oauth-callback"
	site, client, ada := startWithClient(t, testdb.SQLite(t), openid.ClientInput{Public: true, RedirectURIs: uri})
	for name, other := range map[string]string{
		"a scheme in capitals": "APP.immich:///oauth-callback", "fewer slashes": "app.immich:/oauth-callback", "no slashes": "app.immich:oauth-callback",
		"a host": "app.immich://evil/oauth-callback", "another scheme": "app.other:///oauth-callback", "a query": uri + "?x", "http": "http:///oauth-callback", "a path": "/oauth-callback",
	} {
		wantRefusalPage(t, name, site, client.Visit(ada, "redirect_uri", other))
	}
	if code := client.Authorize(ada).Get("code"); code == "" {
		t.Error("no code")
	}

	// After a form there is a page that leads on, also with a link: browsers ask before they open a program.
	visitor := ada.InNewBrowser()
	visitor.Submit(visitor.Get(client.AuthorizePath()), "Email me a link", "Email address", visitor.Email)
	landing := visitor.OpenNextLink()
	form, _ := landing.Form("Continue")
	v := visitor.DoOnce(visitor.FormRequest("/api/authenticate_magic_link", form.Values.Encode()))
	for v.Header.Get("Location") != "" {
		v = visitor.DoOnce(visitor.NewRequest(http.MethodGet, site.Host+v.Header.Get("Location"), nil))
	}
	next, _ := v.Refresh()
	link, _ := v.Link("Continue to Wiki")
	if v.Status != http.StatusOK || !strings.HasPrefix(next, uri+"?code=") || link != next {
		t.Fatalf("status %d, leads to %q, links to %q: %s", v.Status, next, link, v.Text())
	}
}
