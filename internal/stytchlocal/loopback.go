package stytchlocal

import (
	"net"
	"net/http"
	"strings"

	"github.com/guestlist/guestlist/internal/netutil"
)

// LoopbackOnly responds 404 to requests that visibly do not come directly from this
// machine: those from another peer address, those for a host other than localhost,
// 127.0.0.1 or [::1] (a web page could have bound a name to 127.0.0.1), and those with a
// header that a proxy adds.
//
// It is a second line of defense. A forwarder that adds no header passes, so the handler
// must ask for a secret as well.
func LoopbackOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !netutil.IsLoopback(r.RemoteAddr) || !isOwnHost(r.Host) || isProxied(r.Header) {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// isOwnHost reports whether a Host header names this machine. A port is ignored.
func isOwnHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	switch strings.ToLower(strings.Trim(host, "[]")) {
	case "localhost", "127.0.0.1", "::1":
		return true
	}
	return false
}

// proxyHeaders are headers by which proxies, tunnels and content delivery networks describe
// the original request, in lower case.
var proxyHeaders = map[string]bool{
	"forwarded": true, "via": true, "client-ip": true, "true-client-ip": true, "cdn-loop": true, "remote-addr": true,
	"x-real-ip": true, "x-client-ip": true, "x-cluster-client-ip": true, "x-originating-ip": true, "x-remote-ip": true,
	"x-remote-addr": true, "x-proxyuser-ip": true, "x-appengine-user-ip": true, "x-host": true, "x-http-host-override": true,
	"x-amzn-trace-id": true, "x-amz-cf-id": true, "x-cloud-trace-context": true, "x-vercel-id": true, "x-nf-client-connection-ip": true,
	"proxy-client-ip": true, "wl-proxy-client-ip": true, "x-request-start": true, "x-coming-from": true, "max-forwards": true,
}

var proxyPrefixes = []string{
	"x-forward", "forwarded-", "x-original-", "x-envoy-", "x-azure-", "x-proxy-", "cf-", "fly-", "fastly-", "akamai-", "incap-",
	"ngrok-", "tailscale-", "x-tunnel-", "x-ms-tunnel-",
}

// isProxied reports whether a proxy has added a header. Underscores count as hyphens.
func isProxied(header http.Header) bool {
	for name := range header {
		name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
		if proxyHeaders[name] {
			return true
		}
		for _, prefix := range proxyPrefixes {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
	}
	return false
}
