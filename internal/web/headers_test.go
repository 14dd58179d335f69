package web

import (
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
)

// commonHeaders are the headers of every response.
var commonHeaders = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'",
	"X-Content-Type-Options":       "nosniff",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-store",
	"Referrer-Policy":              "same-origin",
	"Strict-Transport-Security":    "",
	"Access-Control-Allow-Origin":  "",
}

// methods are the usual methods and an unknown one.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"}

func TestEveryResponse_HasSecurityHeaders(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.signedIn(directory.Admin, "ada@example.com")
	target := f.add(directory.User{Email: directory.Email{Display: "target@example.com"}})
	check := func(name string, a answer, differences ...string) {
		t.Helper()
		want := map[string]string{}
		for name, value := range commonHeaders {
			want[name] = value
		}
		for i := 0; i < len(differences); i += 2 {
			want[differences[i]] = differences[i+1]
		}
		for header, value := range want {
			if got := a.header.Get(header); got != value {
				t.Errorf("%s: %d, %s is %q, want %q", name, a.status, header, got, value)
			}
		}
		if a.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: no X-Request-Id", name)
		}
		if kind, params, err := mime.ParseMediaType(a.header.Get("Content-Type")); a.body != "" && kind != "image/svg+xml" && (err != nil || params["charset"] != "utf-8") {
			t.Errorf("%s: the Content-Type is %q", name, a.header.Get("Content-Type"))
		}
	}

	// Where the address may hold a token, and the page too.
	withToken := []string{"Referrer-Policy", "strict-origin", "Cache-Control", "no-store, no-transform"}
	differ := func(method, path string) []string {
		read := method == "GET" || method == "HEAD"
		var differences []string
		if path == "/api/authenticate_magic_link" && read {
			differences = withToken
		}
		if described := []string{"/.well-known/jwks.json", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"}; slices.Contains(described, path) && read {
			differences = append(differences, "Cache-Control", "public, max-age=300")
		}
		isRoute := func(r route) bool {
			return r.pattern == method+" "+path || method == "HEAD" && r.pattern == "GET "+path
		}
		if slices.Contains(clientPaths, path) && slices.ContainsFunc(f.server.routes, isRoute) {
			differences = append(differences, "Access-Control-Allow-Origin", "*")
		}
		return differences
	}
	for _, r := range f.server.routes {
		method, path := r.address(target.ID)
		differences := differ(method, path)
		check(r.pattern+" by a stranger", f.visitor().send(method, path, ""), differences...)
		check(r.pattern+" by an administrator", boss.send(method, path, "{}", "Content-Type", "application/json"), differences...)
		boss = f.signedIn(directory.Admin, "ada@example.com") // some routes sign out
		for _, method := range methods {
			check(method+" on the path of "+r.pattern, f.visitor().send(method, path, "", "Origin", "https://evil.example", "Access-Control-Request-Method", "DELETE"), differ(method, path)...)
		}
	}
	for _, method := range methods {
		check(method+" on nothing", f.visitor().send(method, "/nothing", ""))
	}
	check("a mailed link", f.visitor().get("/api/authenticate_magic_link?token=x"), withToken...)
	check("nothing", f.visitor().get("/nothing"))
	check("a wrong method", f.visitor().send("PUT", "/users", ""))
	check("a redirect to the right spelling", f.visitor().get("//users"))
	check("too much", f.visitor().send("POST", "/signin", "email="+strings.Repeat("x", maxBody), "Content-Type", "application/x-www-form-urlencoded"))
	hooked, _, _, _ := newWebhookFixture(t)
	check("a webhook that nobody signed", hooked.visitor().send("POST", "/webhooks/stytch", hookBody))
	check("another site", f.visitor().send("POST", "/signin", "", "Sec-Fetch-Site", "cross-site"))
	for _, name := range []string{"css/app.css", "js/dialog.js", "img/mark.svg"} {
		check(name, f.visitor().get("/static/"+f.server.assets.Path(name)), "Cache-Control", "public, max-age=31536000, immutable")
	}

	f = newFixture(t, func(o *Options) { o.BaseURL.Scheme, o.BaseURL.Path = "https", "/people" })
	hsts := []string{"Strict-Transport-Security", "max-age=31536000; includeSubDomains"}
	check("by https", f.visitor().get("/people/"), hsts...)
	check("by https, outside of the path", f.visitor().get("/"), hsts...)
}

func TestAssets_AreCachedAndTemplatesNotServed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	page := f.visitor().get("/")
	for _, name := range []string{"css/app.css", "img/mark.svg"} {
		path := "/static/" + f.server.assets.Path(name)
		if !strings.Contains(page.body, path) {
			t.Errorf("the page does not use %s", path)
		}
		if a := f.visitor().get(path); a.status != http.StatusOK || a.body == "" {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	for _, path := range []string{
		"/static/", "/static/css/", "/static/css/app.css", "/static/css/app.000000000000.css", "/static/static.go",
		"/static/templates/", "/static/templates/layout.html", "/static/../static/templates/layout.html", "/static/css/../templates/layout.html",
		"/static/css/..%2ftemplates/layout.html", "/static/%2e%2e/templates/layout.html", "/static/..%5ctemplates%5clayout.html", "/templates/layout.html",
	} {
		if a := f.visitor().get(path); a.status == http.StatusOK || strings.Contains(a.body, "{{") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

func TestPages_HaveNothingInlineOrForeign(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	boss := f.signedIn(directory.Admin, "ada@example.com")
	for _, path := range []string{"/", "/users", "/users/new", "/users/" + boss.user.ID, "/profile", "/nothing"} {
		body := boss.get(path).body
		for _, never := range []string{"<style", " style=", " onclick=", " onload=", "javascript:", "https://", "http://", "<script>"} {
			if strings.Contains(body, never) {
				t.Errorf("%s holds %q", path, never)
			}
		}
	}
}
