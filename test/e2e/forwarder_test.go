package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// outsider is a remote client that reaches an instance through a forwarder.
type outsider struct {
	t       *testing.T
	by      http.RoundTripper
	forward string // the address of the forwarder
}

// ask returns the status and the body of a response. The request is a POST if form is not
// nil.
func (s outsider) ask(method, path string, form url.Values) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.forward+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := s.by.RoundTrip(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// The forwarder connects from loopback, sends 127.0.0.1 as the host and adds no header, so
// nothing in a request reveals that it is forwarded.
func TestLocalMode_BehindAForwarderWithoutHeaders(t *testing.T) {
	t.Parallel()
	n := harness.NewNginx(t)
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	n.Serve(fmt.Sprintf("location / { proxy_pass http://%s; }", s.Config.Addr))
	mallory := outsider{t, n.From("127.0.0.1"), n.URL("localhost")}

	if status, _ := mallory.ask("POST", "/signin", url.Values{"email": {"mallory@example.com"}}); status != http.StatusSeeOther {
		t.Fatalf("asking for a link: %d", status)
	}
	for _, path := range []string{"/dev/inbox", "/dev/inbox.json", "/dev/faults", "/dev/faults.json", "/dev/oauth/google", "/dev/", "/dev/nothing"} {
		if status, body := mallory.ask("GET", path, nil); status != http.StatusNotFound || harness.MailedLink.MatchString(body) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := mallory.ask("POST", "/dev/faults", url.Values{"clock": {"60"}}); status != http.StatusNotFound {
		t.Errorf("moving the clock: %d", status)
	}
	// The public token, which every link contains, leads to a page that needs the key.
	oauth := "google?" + url.Values{"public_token": {harness.StytchEnv(t, s)["STYTCH_PUBLIC_TOKEN"]}}.Encode()
	if status, body := mallory.ask("POST", "/dev/oauth/"+oauth, url.Values{"email": {"ada@example.com"}, "verified": {"yes"}}); status != http.StatusNotFound || !strings.Contains(body, "needs a key") {
		t.Errorf("pretending to be Google: %d %s", status, body)
	}
	for method, path := range map[string]string{"GET": "/v1/debug/whoami", "POST": "/v1/users/search", "DELETE": "/v1/users/x", "PUT": "/v1/users/x"} {
		if status, _ := mallory.ask(method, path, nil); status != http.StatusUnauthorized {
			t.Errorf("%s %s without the project's secret: %d", method, path, status)
		}
	}
	for _, path := range []string{"/", "/signin/sent", "/healthz", "/readyz", "/dev/inbox", "/v1/nothing", "/api/openapi.yaml"} {
		if _, body := mallory.ask("GET", path, nil); strings.Contains(body, s.DevKey()) {
			t.Errorf("%s tells the key", path)
		}
	}
	if n := s.Count("SELECT COUNT(*) FROM users"); n != 0 {
		t.Errorf("%d people are on the list", n)
	}
	// The key that was printed opens the pages.
	harness.WantPage(t, s.NewPerson("ada@example.com").SignIn(), 200, "My apps", "People")
}

// With a mail server, anyone can read mails to their own address.
func TestLocalMode_BehindAForwarderWithAMailServer(t *testing.T) {
	t.Parallel()
	n, mails := harness.NewNginx(t), harness.NewMailServer(t)
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--smtp-url=smtp://"+mails.Addr)
	n.Serve(fmt.Sprintf("location / { proxy_pass http://%s; }", s.Config.Addr))
	mallory := outsider{t, n.From("127.0.0.1"), n.URL("localhost")}
	if _, body := mallory.ask("GET", "/", nil); strings.Contains(body, "becomes its administrator") {
		t.Error("the sign-in page says that the first person becomes administrator")
	}
	if status, _ := mallory.ask("POST", "/signin", url.Values{"email": {"mallory@example.com"}}); status != http.StatusSeeOther {
		t.Fatalf("asking for a link: %d", status)
	}
	select {
	case link := <-mails.Links:
		t.Errorf("a stranger was mailed %s", link)
	default:
	}
	harness.Eventually(t, "a warning that no one can administer the list", func() bool { return strings.Contains(s.Log.String(), "no one can administer the list") })
}

func TestLocalMode_ForwardedRequestsAreRefused(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	env := harness.StytchEnv(t, s)
	for _, header := range []string{
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded", "Forwarded-For", "Forwarded",
		"Via", "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "Client-IP", "True-Client-IP", "CF-Connecting-IP", "CF-Ray", "CF-Visitor", "CDN-Loop",
		"Fly-Client-IP", "Fly-Forwarded-Proto", "Fastly-Client-IP", "X-Original-Forwarded-For", "X-Original-Host", "X-Original-URL", "X-Envoy-External-Address",
		"X-Amzn-Trace-Id", "X-Azure-ClientIP", "Tailscale-User-Login", "Ngrok-Skip-Browser-Warning", "X_Forwarded_For", "x-real_ip",
	} {
		for _, path := range []string{"/dev/", "/dev/inbox", "/dev/inbox.json", "/dev/faults", "/dev/faults.json", "/dev/oauth/google", "/v1/", "/v1/debug/whoami", "/v1/public/oauth/google/start", "/v1/sessions/jwks/" + env["STYTCH_PROJECT_ID"]} {
			visitor := harness.NewVisitor(s)
			r := visitor.NewRequest("GET", s.URL+path, nil)
			if strings.HasPrefix(path, "/v1/") {
				r.SetBasicAuth(env["STYTCH_PROJECT_ID"], env["STYTCH_SECRET"])
			}
			r.Header[header] = []string{""} // even an empty header counts
			if v := visitor.DoOnce(r); v.Status != http.StatusNotFound || strings.Contains(v.Body, "key") {
				t.Errorf("%s with %s: %d %s", path, header, v.Status, v.Body)
			}
		}
	}
}

// Some load balancers append the client's port to its address.
func TestClientAddress_WithAPortFromNginx(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{
		"a port":               "$remote_addr:$remote_port",
		"quotes":               `'"$remote_addr:$remote_port"'`,
		"a port behind others": "'192.0.2.66, $remote_addr:$remote_port'",
		"an empty element":     "'$remote_addr:$remote_port, '",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS != "linux" {
				t.Skip("127.0.0.2 is an address of this machine on Linux alone")
			}
			n := harness.NewNginx(t)
			s := n.Start("/people", testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-trusted-proxies=127.0.0.1")
			n.Serve(strings.Replace(n.Location(s), "$proxy_add_x_forwarded_for", header, 1))
			s.Transport = n.From("127.0.0.2")
			ada := s.NewPerson("ada@example.com")
			ada.SignIn()
			if s.Count("SELECT COUNT(*) FROM events WHERE kind = 'signed_in' AND address = ?", "127.0.0.2") != 1 {
				t.Errorf("the trail has no sign-in from 127.0.0.2: %s", ada.CallAPI("GET", "/api/events", "").Body)
			}
		})
	}
}

// The test suite of another program finds its mails with the output of config --stytch-env.
func TestConfig_InboxURLShowsMails(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon))
	s.NewPerson("ada@example.com").RequestLink()
	var inbox struct{ Messages []harness.Mail }
	harness.Eventually(t, "the mail", func() bool {
		answer, err := http.Get(harness.StytchEnv(t, s)["INBOX_URL"])
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return json.NewDecoder(answer.Body).Decode(&inbox) == nil && len(inbox.Messages) == 1
	})
	if to := inbox.Messages[0].To; !regexp.MustCompile(`^ada@`).MatchString(to) {
		t.Errorf("it is to %s", to)
	}
}
