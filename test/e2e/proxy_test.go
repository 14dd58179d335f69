package e2e

import (
	"encoding/json"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

func TestProxy_ClientAddressFromATrustedProxy(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("127.0.0.2 is an address of this machine on Linux alone")
	}
	for proxies, want := range map[string]string{"127.0.0.1": "127.0.0.2", "none": "127.0.0.1", "192.0.2.1": "127.0.0.1"} {
		t.Run(proxies, func(t *testing.T) {
			t.Parallel()
			n := harness.NewNginx(t)
			s := n.Start("/people", testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-trusted-proxies="+proxies)
			n.Serve(n.Location(s))
			s.Transport = n.From("127.0.0.2")
			ada := s.NewPerson("ada@example.com")
			ada.RequestLink()
			press := ada.ContinueRequest(ada.NextLink())
			press.Header.Set("X-Forwarded-For", "192.0.2.66") // forged by the client
			if v := ada.DoOnce(press); v.Status != http.StatusSeeOther || v.Header.Get("Location") != "/people/apps" {
				t.Fatalf("not signed in: %d, leads to %q", v.Status, v.Header.Get("Location"))
			}
			if s.Count("SELECT COUNT(*) FROM events WHERE kind = 'signed_in' AND address = ?", want) != 1 {
				t.Errorf("the trail has no sign-in from %s: %s", want, ada.CallAPI("GET", "/api/events", "").Body)
			}
		})
	}
}

func TestProxy_StrippedPathIsExplained(t *testing.T) {
	t.Parallel()
	n := harness.NewNginx(t)
	s := n.Start("/people", testdb.SQLite(t), harness.NewClock(harness.Noon))
	n.Serve(strings.Replace(n.Location(s), s.Config.Addr+";", s.Config.Addr+"/;", 1))
	visitor := harness.NewVisitor(s)
	for _, path := range []string{"/", "/users"} {
		harness.WantPage(t, visitor.Get(path), 404, "Page not found", "the proxy in front removes that path and must keep it")
	}
	if v := visitor.CallAPI("GET", "/healthz", ""); v.Status != 404 || v.Body != `{"error":"not below the path of GUESTLIST_BASE_URL"}`+"\n" {
		t.Errorf("/healthz: %d %s", v.Status, v.Body)
	}
}

func TestProxy_WithoutHostHeader(t *testing.T) {
	t.Parallel()
	n := harness.NewNginx(t)
	s := n.Start("/people", testdb.SQLite(t), harness.NewClock(harness.Noon))
	location := regexp.MustCompile(`proxy_set_header Host .*`).ReplaceAllString(n.Location(s), "")
	n.Serve(strings.Replace(location, "/people/", "/", 1))
	harness.WantPage(t, s.NewPerson("ada@example.com").SignIn(), 200, "My apps", "People")
	// The developer pages are not reachable through the proxy.
	for _, path := range []string{"/dev/inbox", "/dev/faults", "/dev/oauth/google", "/v1/debug/whoami", "/v1/public/oauth/google/start"} {
		if v := harness.NewVisitor(s).Get(s.Host + path); v.Status != 404 {
			t.Errorf("%s: %d", path, v.Status)
		}
	}
}

// 3 MB; by default nginx accepts 1 MB.
func TestProxy_LargeUpload(t *testing.T) {
	t.Parallel()
	s := harness.StartBehindNginx(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	ada := s.NewPerson("ada@example.com")
	ada.SignIn()
	harness.WantPage(t, ada.UploadFile("people.csv", harness.PeopleFile(60_000)), 200, "people.csv", "Import 60,000 people")
}

// The instance is public, below a path of another host name.
func TestStandalone_BelowAPathBehindNginx(t *testing.T) {
	t.Parallel()
	n, mails := harness.NewNginx(t), harness.NewMailServer(t)
	base := n.URL("guestlist.example") + "/people"
	s := n.Start("/people", testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-base-url="+base, "--guestlist-trusted-proxies=127.0.0.1",
		"--guestlist-local-stytch=on", "--smtp-url=smtp://"+mails.Addr, "--guestlist-admins=ada@example.com")
	// nginx forwards the whole host, so that the program refuses other paths.
	n.Serve(strings.Replace(n.Location(s), "/people/", "/", 1))

	invitation := <-mails.Links
	if !strings.HasPrefix(invitation, base+"/v1/magic_links/redirect?") {
		t.Errorf("the invitation leads to %s", invitation)
	}
	ada := s.NewPerson("ada@example.com")
	landing := ada.OpenLink(invitation)
	harness.WantPage(t, ada.PressContinue(landing), 200, "My apps", "People")
	added := ada.CallAPI("POST", "/api/users", `{"email":"grace@example.com"}`)
	var grace struct{ ID string }
	if err := json.Unmarshal([]byte(added.Body), &grace); err != nil || added.Header.Get("Location") != "/people/api/users/"+grace.ID {
		t.Errorf("grace is at %q: %d %s", added.Header.Get("Location"), added.Status, added.Body)
	}

	visitor := harness.NewVisitor(s)
	for path, want := range map[string]int{
		"/people": 307, "/people/": 200, "/people/healthz": 200, "/people/readyz": 200, "/people/users": 303, "/people/api/users": 401,
		"/": 404, "/healthz": 404, "/users": 404, "/v1/magic_links/redirect?token=x": 404, "/v1/users/search": 404,
		"/dev/inbox": 404, "/people/dev/inbox": 404, "/dev/inbox.json": 404, "/dev/faults": 404, "/people/dev/faults": 404,
		"/dev/oauth/google": 404, "/people/dev/oauth/google": 404, "/v1/public/oauth/google/start": 404, "/people/v1/public/oauth/google/start": 404,
	} {
		v := visitor.DoOnce(visitor.NewRequest("GET", s.Host+path, nil))
		if v.Status != want {
			t.Errorf("%s: %d, want %d", path, v.Status, want)
		}
		if v.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s has no Strict-Transport-Security", path)
		}
		if to := v.Header.Get("Location"); to != "" && !strings.HasPrefix(to, "/people/") {
			t.Errorf("%s leads to %s", path, to)
		}
	}
}

func TestLocalMode_WithSMTP(t *testing.T) {
	t.Parallel()
	mails := harness.NewMailServer(t)
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--smtp-url=smtp://"+mails.Addr, "--guestlist-admins=ada@example.com")
	<-mails.Links // the invitation
	ada := s.NewPerson("ada@example.com")
	sent := ada.RequestLink()
	harness.WantPage(t, sent, 200, "Check your email")
	if _, shown := sent.Link("Open the local inbox"); shown {
		t.Error("the page leads to another inbox")
	}
	harness.WantPage(t, ada.PressContinue(ada.OpenLink(<-mails.Links)), 200, "My apps", "People")
}
