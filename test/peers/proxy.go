package peers

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/guestlist/guestlist/test/harness"
)

// The hosts of Guestlist and of the two apps, which have no domain in common.
const (
	peopleHost = "people.example.com"
	wikiHost   = "wiki.example.com"
	boardHost  = "board.example.org"
)

// hosts lists them.
var hosts = []string{peopleHost, wikiHost, boardHost}

// hostURLs are their home pages.
var hostURLs = []string{"https://" + peopleHost + "/", "https://" + wikiHost + "/", "https://" + boardHost + "/"}

// addresses holds where a proxy listens and where it sends requests, as host:port.
type addresses struct{ proxy, people, wiki, board string }

// proxy is a kind of proxy in front of Guestlist and the apps.
type proxy struct {
	name  string
	start func(t testing.TB, to addresses, tls certificate)
}

// proxies lists all of them.
var proxies = []proxy{
	{"builtin", startBuiltIn},
	{"nginx", startNginx},
	{"caddy", startCaddy},
	{"traefik", startTraefik},
	{"haproxy", startHAProxy},
	{"envoy", startEnvoy},
}

// snippet returns the fenced block of docs/protect-a-tool.md in a language that contains a text.
func snippet(t testing.TB, language, part string) string {
	t.Helper()
	page, err := os.ReadFile(harness.RepoPath("docs/protect-a-tool.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllSubmatch(page, -1) {
		if bytes.Contains(found[1], []byte(part)) {
			return string(found[1])
		}
	}
	t.Fatalf("docs/protect-a-tool.md has no %s with %q", language, part)
	return ""
}

// localize replaces the addresses of a snippet.
func (to addresses) localize(text string) string {
	return strings.NewReplacer("127.0.0.1:8080", to.people, "127.0.0.1:3000", to.wiki, "127.0.0.1:3001", to.board).Replace(text)
}

// forBoard returns the part of a snippet that is about the wiki, for the board.
func forBoard(text string) string {
	return strings.NewReplacer(wikiHost, boardHost, "wiki", "board", "127.0.0.1:3000", "127.0.0.1:3001").Replace(text)
}

// block returns the block of a snippet that begins with a line and ends with a closing brace at the
// same indentation.
func block(t testing.TB, text, part string) string {
	t.Helper()
	for _, found := range regexp.MustCompile(`(?ms)^\S[^\n]*\{\n.*?^\}\n`).FindAllString(text, -1) {
		if strings.Contains(found, part) {
			return found
		}
	}
	t.Fatalf("no block with %q in %s", part, text)
	return ""
}

// startBuiltIn starts no program: Guestlist is the proxy. TLS ends in front of it, as on Fly.
func startBuiltIn(t testing.TB, to addresses, c certificate) {
	listener, err := tls.Listen("tcp", to.proxy, &tls.Config{Certificates: []tls.Certificate{c.pair}})
	if err != nil {
		t.Fatal(err)
	}
	relay(t, listener, to.people)
}

// nginxConfig surrounds the snippet: all files in one directory, one process, in the foreground.
const nginxConfig = `daemon off;
master_process off;
pid pid;
events {}
http {
access_log off;
client_body_temp_path tmp;
proxy_temp_path tmp;
fastcgi_temp_path tmp;
uwsgi_temp_path tmp;
scgi_temp_path tmp;
%s
}
`

func startNginx(t testing.TB, to addresses, c certificate) {
	path := harness.FindNginx(t)
	dir := t.TempDir()
	text := snippet(t, "nginx", "auth_request")
	text += forBoard(block(t, text, wikiHost))
	text = regexp.MustCompile(`/etc/nginx/tls/\S+\.(pem|key);`).ReplaceAllString(text, c.path+";")
	text = strings.ReplaceAll(to.localize(text), "listen 443 ssl", "listen "+to.proxy+" ssl")
	writeFile(t, dir, "nginx.conf", fmt.Sprintf(nginxConfig, text))
	run(t, harness.Program{Path: path, Args: []string{"-p", dir, "-c", "nginx.conf", "-e", "stderr"}, Dir: dir}, c.transport(to.proxy), hostURLs...)
}

// unchanged is the edit of a configuration as it is in the docs.
func unchanged(text string) string { return text }

func startCaddy(t testing.TB, to addresses, c certificate) { startCaddyWith(t, to, c, unchanged) }

// startCaddyWith starts Caddy with another configuration, which edit makes of the one in the docs.
func startCaddyWith(t testing.TB, to addresses, c certificate, edit func(text string) string) {
	t.Helper()
	dir := t.TempDir()
	text := edit(snippet(t, "caddy", "forward_auth"))
	text += forBoard(block(t, text, wikiHost))
	// Certificates of the test's, and Caddy's default ports moved.
	text = regexp.MustCompile(`(?m)^(\S+) \{\n`).ReplaceAllString(to.localize(text), "$1 {\n\tbind 127.0.0.1\n\ttls "+c.path+" "+c.path+"\n")
	_, port, _ := net.SplitHostPort(to.proxy)
	_, unused, _ := net.SplitHostPort(harness.ReserveAddr(t))
	writeFile(t, dir, "Caddyfile", fmt.Sprintf("{\n\tadmin off\n\tpersist_config off\n\thttps_port %s\n\thttp_port %s\n}\n%s", port, unused, text))
	runCaddy(t, dir, c.transport(to.proxy), hostURLs...)
}

// runCaddy runs Caddy with the Caddyfile in dir.
func runCaddy(t testing.TB, dir string, transport *http.Transport, urls ...string) {
	t.Helper()
	path := harness.FindPeer(t, "Caddy", harness.RepoPath(".cache/peers/caddy"))
	run(t, harness.Program{Path: path, Args: []string{"run", "--config", filepath.Join(dir, "Caddyfile"), "--adapter", "caddyfile"}, Dir: dir}, transport, urls...)
}

func startTraefik(t testing.TB, to addresses, c certificate) { startTraefikWith(t, to, c, unchanged) }

// startTraefikWith starts Traefik with other files, which edit makes of those in the docs.
func startTraefikWith(t testing.TB, to addresses, c certificate, edit func(text string) string) {
	t.Helper()
	path := harness.FindPeer(t, "Traefik", harness.RepoPath(".cache/peers/traefik"))
	dir := t.TempDir()
	dynamic := filepath.Join(dir, "dynamic")
	if err := os.Mkdir(dynamic, 0o700); err != nil {
		t.Fatal(err)
	}
	static := edit(snippet(t, "yaml", "# /etc/traefik/traefik.yaml"))
	writeFile(t, dir, "traefik.yaml", strings.NewReplacer("/etc/traefik/dynamic", dynamic, `":443"`, to.proxy).Replace(static))
	wiki := edit(snippet(t, "yaml", "# /etc/traefik/dynamic/wiki.yaml"))
	writeFile(t, dynamic, "guestlist.yaml", to.localize(edit(snippet(t, "yaml", "# /etc/traefik/dynamic/guestlist.yaml"))))
	writeFile(t, dynamic, "wiki.yaml", to.localize(wiki))
	writeFile(t, dynamic, "board.yaml", to.localize(forBoard(wiki)))
	writeFile(t, dynamic, "tls.yaml", fmt.Sprintf("tls:\n  certificates:\n    - certFile: %[1]s\n      keyFile: %[1]s\n", c.path))
	run(t, harness.Program{Path: path, Args: []string{"--configFile=" + filepath.Join(dir, "traefik.yaml")}, Dir: dir}, c.transport(to.proxy), hostURLs...)
}

func startHAProxy(t testing.TB, to addresses, c certificate) {
	startHAProxyWith(t, to, c, unchanged)
}

// startHAProxyWith starts HAProxy with another script, which edit makes of the one in the docs.
func startHAProxyWith(t testing.TB, to addresses, c certificate, edit func(script string) string) {
	t.Helper()
	path := harness.FindPeer(t, "HAProxy", "haproxy", "/usr/sbin/haproxy", harness.RepoPath(".cache/haproxy/haproxy"))
	dir := t.TempDir()
	writeFile(t, dir, "guestlist.lua", edit(to.localize(snippet(t, "lua", "register_action"))))
	text := snippet(t, "haproxy", "frontend")
	// The lines about the wiki, in the frontend, and its backend at the end.
	text = regexp.MustCompile(`(?m)^    .*\bis_wiki\b.*\n`).ReplaceAllStringFunc(text, func(line string) string { return line + forBoard(line) })
	text += "\n" + forBoard(text[strings.Index(text, "backend wiki\n"):])
	text = strings.NewReplacer("/etc/haproxy/guestlist.lua", filepath.Join(dir, "guestlist.lua"), "/etc/haproxy/tls/", c.path, "bind :443", "bind "+to.proxy).Replace(to.localize(text))
	writeFile(t, dir, "haproxy.cfg", text)
	run(t, harness.Program{Path: path, Args: []string{"-db", "-f", filepath.Join(dir, "haproxy.cfg")}, Dir: dir}, c.transport(to.proxy), hostURLs...)
}

// run starts a proxy and returns when it serves all URLs.
func run(t testing.TB, p harness.Program, transport *http.Transport, urls ...string) {
	t.Helper()
	client := &http.Client{Transport: transport, CheckRedirect: harness.NoRedirects}
	defer client.CloseIdleConnections()
	p.Start(t, func() bool {
		for _, address := range urls {
			answer, err := client.Get(address)
			if err != nil {
				return false
			}
			answer.Body.Close()
			if answer.StatusCode == http.StatusNotFound { // Traefik has no route yet
				return false
			}
		}
		return true
	})
}

// certificate is for all hosts of the tests.
type certificate struct {
	path  string // a PEM file with the certificate and its key
	pair  tls.Certificate
	known *x509.CertPool // has the certificate
}

// transport returns a browser's transport, for which all hosts are at an address.
func (c certificate) transport(addr string) *http.Transport {
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: c.known},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		},
	}
}

// newCertificate creates a certificate for an hour.
func newCertificate(t testing.TB) certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: hosts, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	c := certificate{path: filepath.Join(t.TempDir(), "tls.pem"), known: x509.NewCertPool()}
	if c.pair, err = tls.X509KeyPair(certPEM, keyPEM); err != nil {
		t.Fatal(err)
	}
	c.known.AppendCertsFromPEM(certPEM)
	if err := os.WriteFile(c.path, append(certPEM, keyPEM...), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

func writeFile(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
