package doctor_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/internal/cli"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/internal/diagnostic"
	"github.com/guestlist/guestlist/internal/store"
	"github.com/guestlist/guestlist/internal/testdb"
	"github.com/guestlist/guestlist/test/harness"
)

// installation is a healthy installation: a running instance with MariaDB and a remote
// Stytch.
type installation struct {
	t      *testing.T
	site   *harness.Site
	wire   *harness.MySQLProxy // the proxy to its database
	stytch *harness.RemoteStytch
	env    []string // its settings
}

func newInstallation(t *testing.T) *installation {
	c := harness.NewClock(time.Now())
	w := &installation{t: t, stytch: harness.NewRemoteStytch(t, c), wire: harness.NewMySQLProxy(t, testdb.MySQL(t), nil)}
	w.site = harness.Start(t, w.wire.DSN, c, w.stytch.Flags()...)
	w.env = []string{
		"DATABASE_URL=" + w.wire.DSN, "GUESTLIST_ADDR=" + w.site.Config.Addr, "GUESTLIST_BASE_URL=" + w.site.URL, "GUESTLIST_ADMINS=ada@example.com",
		"STYTCH_PROJECT_ID=" + w.stytch.Env["STYTCH_PROJECT_ID"], "STYTCH_SECRET=" + w.stytch.Env["STYTCH_SECRET"], "STYTCH_BASE_URL=http://" + w.stytch.Addr,
	}
	return w
}

// runDoctor runs doctor and returns the findings that aren't ok, as "status text" by check.
func runDoctor(t *testing.T, environ []string, now func() time.Time) map[string]string {
	t.Helper()
	var out bytes.Buffer
	cfg, _ := config.LoadAll(config.Sources{Environ: environ})
	err := cli.Run(t.Context(), cli.Invocation{Args: []string{"doctor", "--json"}, Env: environ, Stdout: &out, Stderr: io.Discard, Now: now})
	for _, secret := range []string{"hush", "@example", "secret-test-", cfg.Stytch.Secret} {
		if secret != "" && strings.Contains(out.String(), secret) {
			t.Errorf("it tells %q: %s", secret, &out)
		}
	}
	var report struct {
		Findings           []diagnostic.Finding
		Problems, Warnings int
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	unwell := map[string]string{}
	for _, f := range report.Findings {
		if f.Status != diagnostic.OK {
			unwell[f.Check] = string(f.Status) + " " + f.Text
		}
		if f.Status == diagnostic.Problem && f.Action == "" && f.Check != "settings" {
			t.Errorf("%s: it does not say what to do about %q", f.Check, f.Text)
		}
	}
	if failed := err != nil; failed != (report.Problems > 0) {
		t.Errorf("it ends with %v after %d problems", err, report.Problems)
	}
	return unwell
}

// faults activates faults of the remote Stytch.
func (w *installation) faults(text string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPut, w.stytch.Site.URL+w.stytch.Site.DevPage("/dev/faults.json"), strings.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil || res.StatusCode != http.StatusOK {
		w.t.Fatalf("%v %v", res, err)
	}
	res.Body.Close()
}

// skipped returns the findings of checks that are skipped because of another.
func skipped(after string, checks ...string) map[string]string {
	findings := map[string]string{}
	for _, check := range checks {
		findings[check] = "skipped Not checked: " + after
	}
	return findings
}

// local returns an address with the name localhost, which Stytch accepts as a redirect URL.
func local(url string) string { return strings.Replace(url, "127.0.0.1", "localhost", 1) }

// corruptFile returns the URL of a file that is not a database.
func corruptFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "guestlist.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("This is no database. "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// loginRefused starts a mail server without TLS on every address of this machine, which
// refuses logins. It returns the port.
func loginRefused(t *testing.T) (port string) {
	t.Helper()
	addr := harness.AcceptConnections(t, ":0", func(c net.Conn) {
		fmt.Fprint(c, "220 mail.example\r\n")
		for lines := bufio.NewScanner(c); lines.Scan(); {
			switch verb, _, _ := strings.Cut(lines.Text(), " "); verb {
			case "EHLO":
				fmt.Fprint(c, "250-mail.example\r\n250 AUTH PLAIN\r\n")
			case "AUTH":
				fmt.Fprint(c, "535 no\r\n")
			default:
				fmt.Fprint(c, "250 fine\r\n")
			}
		}
	})
	_, port, _ = net.SplitHostPort(addr.String())
	return port
}

// ownAddress returns a non-loopback address of this machine, or 127.0.0.1 without a
// network.
func ownAddress(t *testing.T) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range addrs {
		if n, ok := addr.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	return "127.0.0.1"
}

// lockedFile returns the URL of a database that is locked exclusively.
func lockedFile(t *testing.T) string {
	t.Helper()
	databaseURL := testdb.SQLite(t)
	alone, err := store.OpenExclusive(t.Context(), databaseURL, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { alone.Close() })
	return databaseURL
}
