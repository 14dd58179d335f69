package stytchlocal

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// LoopbackOnly lets through what comes straight from this machine: the peer has a
// loopback address, the Host is localhost, 127.0.0.1 or [::1] on any port (a name
// that a web page has bound to 127.0.0.1 is neither), and no proxy has left a
// header. Everything else gets a plain 404.
func LoopbackOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopbackPeer(r.RemoteAddr) || !isLoopbackHost(r.Host) || isProxied(r.Header) {
			http.NotFound(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

func isLoopbackPeer(remoteAddr string) bool {
	peer, err := netip.ParseAddrPort(remoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback()
}

func isLoopbackHost(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostPort, "["), "]")
	}
	return strings.EqualFold(host, "localhost") || host == "127.0.0.1" || host == "::1"
}

// isProxied looks for the headers of proxies, also where one has written them
// with underscores.
func isProxied(header http.Header) bool {
	for name := range header {
		name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
		switch {
		case name == "forwarded", name == "x-real-ip", name == "via",
			strings.HasPrefix(name, "x-forwarded-"), strings.HasPrefix(name, "fly-"):
			return true
		}
	}
	return false
}
