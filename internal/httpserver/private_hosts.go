package httpserver

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"

	"github.com/guestlist/guestlist/internal/config"
)

// privateSuffixes are the endings of names that no public web site can have.
var privateSuffixes = []string{".localhost", ".local", ".internal", ".svc", ".cluster.local", ".home.arpa", ".lan"}

// PrivateHostsOnly refuses requests for a host name that a public web site could have. It
// protects against DNS rebinding: a browser treats a page whose own name resolves to this
// listener as the same origin. Only the Host header reveals that, because browsers send
// Sec-Fetch-Site to secure origins only.
//
// IP addresses are accepted, names of one label, names of private networks
// (https://www.rfc-editor.org/rfc/rfc6762#appendix-G), the name of this machine, and those
// of the base URL and of GUESTLIST_METRICS_ADDR.
func PrivateHostsOnly(cfg config.Config, next http.Handler) http.Handler {
	allowed := map[string]bool{strings.ToLower(cfg.BaseURL.Hostname()): true}
	if host, _, err := net.SplitHostPort(cfg.MetricsAddr); err == nil {
		allowed[strings.ToLower(host)] = true
	}
	if name, err := os.Hostname(); err == nil {
		allowed[strings.ToLower(name)] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := requestHost(r); !allowed[host] && !isPrivateHost(host) {
			http.Error(w, "The metrics are served under an IP address, localhost, or a name of a private network, not under the name in Host.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// requestHost returns the host of a request in lower case, without port, brackets and
// trailing dot, or "" if the request has none.
func requestHost(r *http.Request) string {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
}

func isPrivateHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	for _, suffix := range privateSuffixes {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return host != "" && !strings.Contains(host, ".")
}
