package harness

import (
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
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Nginx is a real nginx with TLS that forwards to instances, each below its own path.
type Nginx struct {
	t       testing.TB
	program string
	dir     string // holds its files
	addr    string
	known   *x509.CertPool // has its certificate
}

// NewNginx prepares an nginx for Serve. It skips the test if nginx is missing, or fails it
// in CI.
func NewNginx(t testing.TB) *Nginx {
	t.Helper()
	n := &Nginx{t: t, program: FindNginx(t), dir: t.TempDir(), addr: ReserveAddr(t)}
	n.certify("localhost", "guestlist.example")
	return n
}

// FindNginx returns the path of nginx. It skips the test if nginx is missing, or fails it in CI.
func FindNginx(t testing.TB) string {
	t.Helper()
	// On Debian, a user's PATH lacks /usr/sbin; .ci/deps.sh puts nginx into .cache.
	for _, name := range []string{"nginx", "/usr/sbin/nginx", RepoPath(".cache/nginx")} {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no nginx on PATH")
	}
	t.Skip("no nginx on PATH; `apt install nginx` or `brew install nginx` brings one")
	return ""
}

// nginxPort is the last port that ReserveAddr has returned.
var nginxPort atomic.Int32

// ReserveAddr returns a loopback address that stays free: its port is below those that
// systems assign for port 0, and is returned only once.
func ReserveAddr(t testing.TB) string {
	t.Helper()
	nginxPort.CompareAndSwap(0, 20_000+int32(os.Getpid()%5000))
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", nginxPort.Add(1)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port for nginx")
	return ""
}

// StartBehindNginx starts an instance that is reached through nginx, below a path.
func StartBehindNginx(t testing.TB, databaseURL string, c *Clock, flags ...string) *Site {
	t.Helper()
	n := NewNginx(t)
	s := n.Start("/people", databaseURL, c, append([]string{"--guestlist-trusted-proxies=127.0.0.1"}, flags...)...)
	n.Serve(n.Location(s))
	return s
}

// Start runs an instance whose base URL is the path at nginx, or as a flag says.
func (n *Nginx) Start(path, databaseURL string, c *Clock, flags ...string) *Site {
	n.t.Helper()
	s := Start(n.t, databaseURL, c, append([]string{"--guestlist-base-url=" + n.URL("localhost") + path}, flags...)...)
	s.Host, s.URL, s.Transport = "https://"+s.Config.BaseURL.Host, s.Config.BaseURL.String(), n.From("127.0.0.1")
	return s
}

// URL returns the URL of a host at nginx.
func (n *Nginx) URL(host string) string {
	return "https://" + host + n.addr[strings.LastIndex(n.addr, ":"):]
}

// From returns the transport of a browser with a loopback address. It connects to nginx
// for any host with nginx's port, and directly to other ports.
func (n *Nginx) From(address string) http.RoundTripper {
	port := n.addr[strings.LastIndex(n.addr, ":"):]
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: n.known},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if strings.HasSuffix(address, port) {
				address = n.addr
			}
			return dialer.DialContext(ctx, network, address)
		},
	}
	n.t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// nginxBlock matches the configuration for nginx in docs/reverse-proxy.md.
var nginxBlock = regexp.MustCompile("(?s)```nginx\n(.*?)```")

// Location returns the configuration of docs/reverse-proxy.md for an instance.
func (n *Nginx) Location(s *Site) string {
	n.t.Helper()
	page, err := os.ReadFile(RepoPath("docs/reverse-proxy.md"))
	if err != nil {
		n.t.Fatal(err)
	}
	block := nginxBlock.FindSubmatch(page)
	if block == nil {
		n.t.Fatal("docs/reverse-proxy.md has no block for nginx")
	}
	return strings.NewReplacer("/people", s.Config.BaseURL.Path, "127.0.0.1:8080", s.Config.Addr).Replace(string(block[1]))
}

// nginxConfig surrounds the locations: all files in one directory, one process, in the
// foreground.
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
	server {
		listen %s ssl;
		ssl_certificate tls.pem;
		ssl_certificate_key tls.pem;
%s
	}
}
`

// Serve runs nginx with these locations until the end of the test.
func (n *Nginx) Serve(locations ...string) {
	n.t.Helper()
	n.write("nginx.conf", fmt.Sprintf(nginxConfig, n.addr, strings.Join(locations, "\n")))
	args := []string{"-p", n.dir, "-c", "nginx.conf", "-e", "stderr"}
	if out, err := exec.CommandContext(n.t.Context(), n.program, append(args, "-t")...).CombinedOutput(); err != nil {
		n.t.Fatalf("nginx -t: %v\n%s", err, out)
	}
	cmd := exec.Command(n.program, args...)
	if err := cmd.Start(); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	Eventually(n.t, "nginx", func() bool {
		c, err := net.Dial("tcp", n.addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// certify creates the certificate for these hosts.
func (n *Nginx) certify(hosts ...string) {
	n.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		n.t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: hosts, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		n.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		n.t.Fatal(err)
	}
	n.write("tls.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))+
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	parsed, err := x509.ParseCertificate(certificate)
	if err != nil {
		n.t.Fatal(err)
	}
	n.known = x509.NewCertPool()
	n.known.AddCert(parsed)
}

// write writes a file into nginx's directory.
func (n *Nginx) write(name, text string) {
	n.t.Helper()
	if err := os.WriteFile(filepath.Join(n.dir, name), []byte(text), 0o600); err != nil {
		n.t.Fatal(err)
	}
}
