package main

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"

	"github.com/guestlist/guestlist/internal/config"
)

// privateSuffixes end names that no public web site can have.
var privateSuffixes = []string{".localhost", ".local", ".internal", ".svc", ".cluster.local", ".home.arpa", ".lan"}

// privateHostsOnly refuses requests for a host name that a web site could have. A
// page whose own name leads to this listener (DNS rebinding) is in a browser's eyes
// of one origin with it and could read it: what tells is the name in Host, and no
// other header, because browsers send Sec-Fetch-Site to secure origins only.
//
// IP addresses pass, names of one label, those of private networks, and those in
// the settings. https://www.rfc-editor.org/rfc/rfc6762#appendix-G
func privateHostsOnly(cfg config.Config, next http.Handler) http.Handler {
	own := map[string]bool{strings.ToLower(cfg.BaseURL.Hostname()): true}
	if host, _, err := net.SplitHostPort(cfg.MetricsAddr); err == nil {
		own[strings.ToLower(host)] = true
	}
	if name, err := os.Hostname(); err == nil {
		own[strings.ToLower(name)] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if host := requestHost(r); !own[host] && !isPrivateHost(host) {
			http.Error(w, "The metrics are served under an IP address, localhost, or a name of a private network, not under the name in Host.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// requestHost returns the host that a request names, without port and brackets and
// in lower case; empty where there is none.
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
