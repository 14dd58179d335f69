package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/apps"
	"github.com/guestlist/guestlist/internal/event"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// ask sends a GET request for a host to an instance, as a browser without cookies.
func ask(t *testing.T, s *harness.Site, host, path string) harness.View {
	t.Helper()
	direct := *s
	direct.Transport = nil
	visitor := harness.NewVisitor(&direct)
	r := visitor.NewRequest("GET", "http://"+s.Config.Addr+path, nil)
	r.Host = host
	v, err := visitor.Try(r, harness.NoRedirects)
	if err != nil {
		t.Fatalf("%s%s: %v", host, path, err)
	}
	return v
}

// summary returns the status, and where the answer leads or what its heading is.
func summary(v harness.View) string {
	if to, _, _ := strings.Cut(v.Header.Get("Location"), "?"); to != "" {
		return http.StatusText(v.Status) + " to " + to
	}
	return http.StatusText(v.Status) + ": " + v.Heading()
}

const (
	signInPage = "OK: Sign in"
	noApp      = "Not Found: No app at this address"
)

func TestHosts_PublicInstance(t *testing.T) {
	t.Parallel()
	tool := harness.StartTool(t)
	s, _ := startStandalone(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-apps=https://wiki.example.com -> "+tool.URL+",https://chat.example.com:8443,https://bücher.example")
	const enter = "See Other to https://guestlist.example/enter"
	for _, row := range []struct{ name, host, path, want string }{
		{"Guestlist", "guestlist.example", "/", signInPage},
		{"Guestlist in another case", "GUESTLIST.Example", "/", signInPage},
		{"Guestlist with a dot and the port", "guestlist.example.:443", "/", signInPage},
		{"an app", "wiki.example.com", "/", enter},
		{"an app in another case", "WIKI.example.COM", "/", enter},
		{"an app with a dot and the port", "wiki.example.com.:443", "/x", enter},
		{"an app's page that Guestlist has too", "wiki.example.com", "/users", enter},
		{"an app's health check", "wiki.example.com", "/healthz", enter},
		{"an app's assets", "wiki.example.com", "/static/css/app.css", enter},
		{"an app's developer pages", "wiki.example.com", "/dev/inbox", enter},
		{"an app on another port", "chat.example.com:8443", "/", enter},
		{"an app with an international name", "bücher.example", "/", enter},
		{"an app with an international name in ASCII", "xn--bcher-kva.example", "/", enter},

		{"an unknown host", "unknown.example.com", "/", noApp},
		{"an app's host with another port", "wiki.example.com:8443", "/", noApp},
		{"a host that ends like an app's", "xwiki.example.com", "/", noApp},
		{"a subdomain of an app's host", "a.wiki.example.com", "/", noApp},
		{"an unknown host below localhost", "tool.localhost", "/", noApp},
		{"an unknown host's health check", "server1.example.com:8080", "/healthz", "OK: "},

		{"an IP address", s.Config.Addr, "/", signInPage},
		{"an IP address of another network", "10.1.2.3:8080", "/", signInPage},
		{"an IPv6 address", "[fdaa::1]:8080", "/", signInPage},
		{"an IP address's health check", "10.1.2.3", "/readyz", "OK: "},
		{"localhost", "localhost:8080", "/", signInPage},
		{"a container", "guestlist:8080", "/", signInPage},
		{"a container with an underscore", "my_guestlist:8080", "/", signInPage},
		{"a service in a cluster", "guestlist.default.svc.cluster.local", "/", signInPage},
		{"Fly's private network", "guestlist.internal:8080", "/", signInPage},
		{"a malformed host", "wiki..example.com", "/", signInPage},
	} {
		if got := summary(ask(t, s, row.host, row.path)); got != row.want {
			t.Errorf("%s (%s%s): %s, want %s", row.name, row.host, row.path, got, row.want)
		}
	}
	if n, _ := tool.Requests(); n > 0 {
		t.Errorf("%d requests reached the tool", n)
	}
	unknown := ask(t, s, "unknown.example.com", "/")
	if link, _ := unknown.Link("Go to your apps"); link != "https://guestlist.example/apps" || strings.Contains(unknown.Body, "wiki") {
		t.Errorf("the page of an unknown host: %s", unknown.Body)
	}
	if !strings.Contains(s.Log.String(), "host=unknown.example.com") {
		t.Error("the log doesn't name the unknown host")
	}
}

func TestHosts_WithoutAppsEveryHostIsGuestlist(t *testing.T) {
	t.Parallel()
	s, _ := startStandalone(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	for i := range 25 { // without an address
		_, err := s.App.Apps.Create(t.Context(), event.Origin{}, apps.Input{Name: fmt.Sprintf("Tool %02d", i), Audience: string(apps.Everyone)})
		harness.Must(t, err)
	}
	for _, host := range []string{"guestlist.example", "unknown.example.com", "backend.example.com:8080", "10.1.2.3"} {
		if got := summary(ask(t, s, host, "/")); got != signInPage {
			t.Errorf("%s: %s", host, got)
		}
	}
	_, err := s.App.Apps.Create(t.Context(), event.Origin{}, apps.Input{Name: "Wiki", URL: "https://wiki.example.com", Audience: string(apps.Everyone)})
	harness.Must(t, err)
	if got := ask(t, s, "unknown.example.com", "/"); got.Status != http.StatusNotFound {
		t.Errorf("with an app that has an address: %d", got.Status)
	}
}

func TestHosts_AppWithoutUpstream(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-base-url=http://localhost:PORT", "--guestlist-apps=http://tool.localhost:PORT")
	s.Transport = harness.LocalNames(t)
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	app := "http://tool.localhost:" + s.Config.BaseURL.Port()
	harness.WantPage(t, ada.Get(app+"/x"), http.StatusNotFound, "Tool isn’t connected yet", "has no upstream")
}

func TestHosts_SharedByAnAppBelowGuestlistsPath(t *testing.T) {
	t.Parallel()
	tool := harness.StartTool(t)
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-base-url=http://localhost:PORT/people", "--guestlist-apps=http://localhost:PORT -> "+tool.URL)
	ada := s.NewPerson("ada@example.com")
	host := "http://" + s.Config.BaseURL.Host
	signIn := ada.Get(host + "/deep?x=1")
	harness.WantPage(t, signIn, http.StatusOK, "Sign in")
	ada.Submit(signIn, "Email me a link", "Email address", ada.Email)
	harness.WantPage(t, ada.PressContinue(ada.OpenNextLink()), http.StatusOK, "The tool", "Hello ada@example.com, this is /deep?x=1.")
	_, header := tool.Requests()
	if cookie := header.Get("Cookie"); cookie != "" {
		t.Errorf("the tool gets Guestlist's cookies: %s", cookie)
	}
	for path, want := range map[string]string{
		"/people/":        "See Other to /people/apps",
		"/people":         "Moved Permanently to /people/", // as before
		"/people/apps":    "OK: My apps",
		"/people/healthz": "OK: ",
		"/peoples":        "OK: The tool",
		"/users":          "OK: The tool",
		"/healthz":        "OK: The tool",
		"/static/x.css":   "OK: The tool",
	} {
		got := summary(ada.DoOnce(ada.NewRequest("GET", host+path, nil)))
		if path == "/people" {
			got = strings.Replace(got, "Temporary Redirect", "Moved Permanently", 1)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func TestHosts_DatabaseOutOfReach(t *testing.T) {
	t.Parallel()
	tool := harness.StartTool(t)
	s, _ := startStandalone(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-apps=https://wiki.example.com -> "+tool.URL)
	if err := s.App.Store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ host, path, want string }{
		{"wiki.example.com", "/", "Service Unavailable: We can’t check your access right now"},
		{"unknown.example.com", "/", "Service Unavailable: We can’t check your access right now"},
		{"guestlist.example", "/healthz", "OK: "},
		{"10.1.2.3:8080", "/healthz", "OK: "},
		{"localhost:8080", "/healthz", "OK: "},
	} {
		if got := summary(ask(t, s, row.host, row.path)); got != row.want {
			t.Errorf("%s%s: %s, want %s", row.host, row.path, got, row.want)
		}
	}
	if n, _ := tool.Requests(); n > 0 {
		t.Errorf("%d requests reached the tool", n)
	}
}
