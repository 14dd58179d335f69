package peers

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// The tool of deploy/compose.yaml is behind Caddy with deploy/Caddyfile, in local mode and without TLS.
func TestCompose_ToolBehindCaddy(t *testing.T) {
	t.Parallel()
	links := newTool(t, "links")
	to := addresses{proxy: harness.ReserveAddr(t), people: harness.ReserveAddr(t)}
	_, port, _ := net.SplitHostPort(to.proxy)
	text, err := os.ReadFile(harness.RepoPath("deploy/Caddyfile"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeFile(t, dir, "Caddyfile", "{\n\tadmin off\n\tpersist_config off\n\tdefault_bind 127.0.0.1\n}\n"+
		strings.NewReplacer("127.0.0.1:8081", to.people, "127.0.0.1:9090", links.addr, ":8080", ":"+port).Replace(string(text)))
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		if strings.Contains(address, "localhost:") {
			address = to.proxy
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	guestlist, tool := "http://localhost:"+port, "http://links.localhost:"+port
	runCaddy(t, dir, transport, guestlist, tool)
	s := harness.Start(t, testdb.SQLite(t), harness.NewClock(harness.Noon), "--guestlist-addr="+to.people, "--guestlist-base-url="+guestlist,
		"--guestlist-trusted-proxies=127.0.0.1", "--guestlist-admins=ada@example.com", "--guestlist-apps="+tool)
	s.Transport = asBrowser{transport}

	ada := s.NewPerson("ada@example.com")
	target := probe("/bookmarks")
	harness.WantPage(t, ada.Submit(ada.Get(tool+target), "Email me a link", "Email address", ada.Email), 200, "Check your email")
	if len(links.saw(target)) > 0 {
		t.Fatal("the tool was reached without signing in")
	}
	v := ada.PressContinue(ada.OpenNextLink())
	var got received
	if err := json.Unmarshal([]byte(v.Body), &got); err != nil || got.Target != target || got.Header.Get("Remote-User") == "" {
		t.Errorf("got %d at %s: %s", v.Status, v.Path, v.Body)
	}
	ada.Submit(ada.Get(tool+"/.guestlist/signout"), "Sign out") // where the tool's own leads
	if v := ada.CallAPI("GET", "/api/session", ""); v.Status != http.StatusUnauthorized {
		t.Errorf("still signed in: %d", v.Status)
	}
}
