package doctor_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/apps/snippet"
	"github.com/guestlist/guestlist/internal/cli"
	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/directory"
	"github.com/guestlist/guestlist/internal/doctor"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// operator is the actor of the tests' changes.
var operator = event.Origin{Actor: event.Operator("test")}

// newApp creates an app for everyone. The tool shows the headers it receives at its public path.
func newApp(t *testing.T, s *harness.Site, address, upstream string) (app apps.App, token string) {
	t.Helper()
	app, err := s.App.Apps.Create(t.Context(), operator, apps.Input{
		Name: "Wiki", URL: address, Audience: "everyone", Upstream: upstream, PublicPaths: "/headers.json",
	})
	if err != nil {
		t.Fatal(err)
	}
	_, token, err = s.App.Apps.CreateToken(t.Context(), operator, app, directory.User{}, apps.TokenRequest{ID: apps.NewTokenID(), Name: "doctor", Days: "7"})
	if err != nil {
		t.Fatal(err)
	}
	s.Log.AddSecret(token)
	return app, token
}

// checkApp runs the checks of an app and returns their findings, as "status text" by check. With a
// problem, they say what to do.
func checkApp(t *testing.T, o doctor.AppOptions) map[string]string {
	t.Helper()
	found := map[string]string{}
	doctor.RunApp(t.Context(), o, func(f diagnostic.Finding) {
		found[f.Check] = string(f.Status) + " " + f.Text
		if f.Status == diagnostic.Problem && f.Action == "" {
			t.Errorf("%s: it does not say what to do about %q", f.Check, f.Text)
		}
	})
	return found
}

// wantFindings checks that the findings that aren't ok contain the wanted texts, and that there are no
// others.
func wantFindings(t *testing.T, found, want map[string]string) {
	t.Helper()
	for check, text := range found {
		wanted, listed := want[check]
		if !strings.HasPrefix(text, "ok ") && !listed {
			t.Errorf("%s: %s", check, text)
		}
		if listed && !strings.Contains(text, wanted) {
			t.Errorf("%s: got %q, want %q", check, text, wanted)
		}
	}
	for check := range want {
		if found[check] == "" {
			t.Errorf("%s: not checked", check)
		}
	}
}

func TestRunApp_BehindNginx(t *testing.T) {
	t.Parallel()
	const proxyFirst = "skipped Not checked: proxy must pass first."
	skippedChecks := func(problem string) map[string]string {
		return map[string]string{
			"proxy": problem, "sign_in": proxyFirst, "address": proxyFirst, "visitor": proxyFirst, "aliases": proxyFirst, "identity": proxyFirst,
		}
	}
	for _, r := range []struct {
		name        string
		remove, add string // lines of nginx's configuration
		flag        string
		withoutKey  bool // no app token
		want        map[string]string
	}{
		{name: "the snippet", want: map[string]string{
			"proxy": "ok Requests for https://guestlist.example", "aliases": "ok Headers such as Remote_User don't get past nginx.", "identity": "ok Forged identity headers don't reach the tool.",
		}},
		{name: "the snippet, without an app token", withoutKey: true, want: map[string]string{"identity": "ok "}},
		{name: "no check", remove: "auth_request /.guestlist-auth;", want: skippedChecks("problem Requests for https://guestlist.example")},
		{name: "no address of the request", remove: "proxy_set_header X-Original-URL .*", want: skippedChecks("isn't told which request it is about.")},
		{name: "a method from the visitor", remove: "proxy_set_header X-Original-Method .*", want: map[string]string{"address": "problem A visitor can change which page Guestlist is asked about with X-Original-Method."}},
		{name: "an address from the visitor", remove: "proxy_set_header X-Original-URL .*", add: "proxy_set_header X-Original-URL $doctor_test_url;",
			want: map[string]string{"address": "problem A visitor can change which page Guestlist is asked about with X-Original-Url."}},
		{name: "a visitor's address from the visitor", remove: "proxy_set_header X-Forwarded-For .*", want: map[string]string{"visitor": "problem A visitor can write any address into the audit log with X-Forwarded-For."}},
		{name: "an identity header that isn't overwritten", remove: "proxy_set_header Remote-Email .*", want: map[string]string{"identity": "problem A visitor's Remote-Email reaches the tool at /."}},
		{name: "headers with underscores", add: "underscores_in_headers on;", want: map[string]string{"aliases": "ok Requests with headers such as Remote_User are refused."}},
		{name: "a proxy that isn't trusted", flag: "--guestlist-trusted-proxies=192.0.2.1", want: skippedChecks("are refused with 403: Guestlist doesn't trust the proxy")},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			n, tool := harness.NewNginx(t), harness.StartTool(t)
			s := n.Start("/people", testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-trusted-proxies=127.0.0.1")
			if r.flag != "" {
				s.Close()
				s = n.Start("/people", testdb.SQLite(t), harness.NewClock(harness.Noon), r.flag)
			}
			app, token := newApp(t, s, n.URL("guestlist.example"), "")
			n.Serve(n.Location(s), nginxLocations(t, app, s, tool.URL, r.remove, r.add))
			if r.withoutKey {
				token = ""
			}
			found := checkApp(t, doctor.AppOptions{App: app, BaseURL: s.Config.BaseURL, Upstream: tool.URL, Token: token, Transport: n.From("127.0.0.1")})
			wantFindings(t, found, r.want)
		})
	}
}

// nginxLocations returns the locations of the snippet for an app. Lines that match remove are left out,
// and add is added: to the location of the check if it sets a header, or before all locations.
func nginxLocations(t *testing.T, app apps.App, s *harness.Site, upstream, remove, add string) string {
	t.Helper()
	app.Upstream = upstream
	text := snippet.For(snippet.Nginx, app, snippet.Installation{BaseURL: s.Config.BaseURL, Addr: s.Config.Addr}).Text
	_, text, found := strings.Cut(text, "\n    location / {")
	end := strings.LastIndex(text, "}")
	if !found || end < 0 {
		t.Fatalf("no locations in %s", text)
	}
	text = strings.NewReplacer("$connection_upgrade", `"upgrade"`, "$guestlist_authorization", `""`).Replace("    location / {" + text[:end])
	visitorsURL := "set $doctor_test_url " + app.URL() + "$request_uri;\nif ($http_x_original_url) { set $doctor_test_url $http_x_original_url; }\n"
	var kept strings.Builder
	kept.WriteString(visitorsURL)
	if add != "" && !strings.HasPrefix(add, "proxy_") {
		kept.WriteString(add + "\n")
	}
	for line := range strings.Lines(text) {
		if remove != "" && regexp.MustCompile("^"+remove+"$").MatchString(strings.TrimSpace(line)) {
			continue
		}
		kept.WriteString(line)
		if strings.HasPrefix(add, "proxy_") && strings.TrimSpace(line) == "internal;" {
			kept.WriteString(add + "\n")
		}
	}
	return kept.String()
}

func TestRunApp_BuiltInProxy(t *testing.T) {
	t.Parallel()
	tool := harness.StartTool(t)
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	app, token := newApp(t, s, "http://wiki.localhost:"+s.Config.BaseURL.Port(), tool.URL)
	o := doctor.AppOptions{App: app, BaseURL: s.Config.BaseURL, Token: token, Transport: harness.LocalNames(t)}
	wantFindings(t, checkApp(t, o), map[string]string{
		"proxy": "asked by its built-in proxy.", "aliases": "ok Headers such as Remote_User are removed.", "identity": "ok ", "upstream": "ok ", "visitor": "ok ",
	})

	o.App.PublicPaths = []string{"/"} // a tool that doesn't show its headers
	wantFindings(t, checkApp(t, o), map[string]string{"identity": "skipped Not seen: whether forged identity headers reach the tool."})

	o.App.Upstream = "http://10.0.0.5:3000"
	wantFindings(t, checkApp(t, o), map[string]string{"identity": "skipped ", "upstream": "skipped Not checked: make sure that only the proxy can connect to http://10.0.0.5:3000."})

	own := ownAddress(t)
	if own == "127.0.0.1" {
		return // without a network, nothing can be reached around the proxy
	}
	addr := harness.AcceptConnections(t, ":0", func(net.Conn) {})
	_, port, _ := net.SplitHostPort(addr.String())
	o.App.Upstream = "http://127.0.0.1:" + port
	wantFindings(t, checkApp(t, o), map[string]string{"identity": "skipped ", "upstream": "problem The tool at http://127.0.0.1:" + port + " also listens on "})
}

func TestRunApp_TrustedMachine(t *testing.T) {
	t.Parallel()
	tool := harness.StartTool(t)
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-trusted-proxies=127.0.0.1")
	app, token := newApp(t, s, "http://wiki.localhost:"+s.Config.BaseURL.Port(), tool.URL)
	found := checkApp(t, doctor.AppOptions{App: app, BaseURL: s.Config.BaseURL, Token: token, Transport: harness.LocalNames(t)})
	wantFindings(t, found, map[string]string{"visitor": "warning Guestlist believes the address in X-Forwarded-For, because it trusts this machine."})
}

func TestDoctor_App(t *testing.T) {
	t.Parallel()
	tool := harness.StartTool(t)
	databaseURL := testdb.SQLite(t)
	s := harness.Start(t, databaseURL, harness.NewClock(harness.Noon))
	_, token := newApp(t, s, "http://127.0.0.1:"+s.Config.BaseURL.Port(), tool.URL)
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"DATABASE_URL=" + databaseURL, "GUESTLIST_ADDR=" + s.Config.Addr, "GUESTLIST_BASE_URL=" + s.URL}
	for _, r := range []struct {
		name  string
		args  []string
		stdin string
		fails bool
		want  string
	}{
		{"a healthy app", []string{"--app", "wiki", "--token-file", tokenFile}, "", false, "ok       identity        Forged identity headers don't reach the tool."},
		{"the token in standard input", []string{"--app", "wiki", "--token-file", "-"}, token, false, "ok       identity        Forged identity headers don't reach the tool."},
		{"as JSON", []string{"--app", "wiki", "--json"}, "", false, `"problems":0`},
		{"an unknown app", []string{"--app", "shop"}, "", true, `no app is called "shop", has this id or this address`},
		{"no app", []string{"--upstream", "http://127.0.0.1:3000"}, "", true, "say which app with --app NAME"},
		{"a bad upstream", []string{"--app", "wiki", "--upstream", "127.0.0.1:3000"}, "", true, `--upstream "127.0.0.1:3000" is not an address such as http://127.0.0.1:3000`},
		{"a bad token", []string{"--app", "wiki", "--token-file", "-"}, "a b", true, "--token-file doesn't contain an app token"},
	} {
		var out, warnings bytes.Buffer
		err := cli.Run(t.Context(), cli.Invocation{
			Args: append([]string{"doctor"}, r.args...), Env: env, Stdin: strings.NewReader(r.stdin), Stdout: &out, Stderr: &warnings, Now: s.Clock.Now,
		})
		text := out.String() + warnings.String()
		if err != nil {
			text += err.Error()
		}
		if (err != nil) != r.fails || !strings.Contains(text, r.want) || strings.Contains(text, token) {
			t.Errorf("%s: %v, want %q in\n%s", r.name, err, r.want, text)
		}
	}
}
