package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// clientIP returns the network address that a request came from, as text
// without a port or a zone. A proxy's word on it counts only if the proxy is a
// trusted one: its own header where it has one, else the right-most address in
// X-Forwarded-For that is no trusted proxy's, because what stands to the left of
// that was written by a client.
func (s *server) clientIP(r *http.Request) string {
	peer, ok := peerAddress(r)
	switch {
	case !ok: // not of a network
		return ""
	case !s.trusted(peer):
		return peer.String()
	}
	if s.ClientIPHeader != "" {
		return lastHop(r.Header.Values(s.ClientIPHeader), peer, func(netip.Addr) bool { return false }).String()
	}
	return lastHop(r.Header.Values("X-Forwarded-For"), peer, s.trusted).String()
}

// lastHop walks the list in the values of a header from its end, over the
// addresses that are trusted, and returns the first that is not. Where the list
// ends before, or has something else in it than an address ("unknown", "_hidden"),
// the last trusted address is the answer: at first that of peer.
func lastHop(values []string, peer netip.Addr, trusted func(netip.Addr) bool) netip.Addr {
	last := peer
	hops := strings.Split(strings.Join(values, ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop := strings.TrimSpace(hops[i])
		if hop == "" { // https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1.2
			continue
		}
		ip, ok := parseHop(hop)
		if !ok {
			return last
		}
		last = ip
		if !trusted(ip) {
			return last
		}
	}
	return last
}

// parseHop reads an address as proxies write it: with or without a port, IPv6 with
// or without brackets, perhaps in quotes.
func parseHop(text string) (netip.Addr, bool) {
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		text = strings.TrimSpace(text[1 : len(text)-1])
	}
	if ip, err := netip.ParseAddr(text); err == nil {
		return plainAddr(ip), true
	}
	host := text
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		host = text[1 : len(text)-1]
		if !strings.Contains(host, ":") { // brackets are for IPv6
			return netip.Addr{}, false
		}
	} else if h, _, err := net.SplitHostPort(text); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}, false
	}
	return plainAddr(ip), true
}

// peerAddress returns the address at the other end of a request's connection.
func peerAddress(r *http.Request) (netip.Addr, bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return plainAddr(peer.Addr()), err == nil
}

// plainAddr returns an address in its only form: IPv4 in IPv6 as IPv4, and without
// a zone, which names an interface of one machine.
func plainAddr(ip netip.Addr) netip.Addr { return ip.Unmap().WithZone("") }

// trusted reports whether an address is a trusted proxy's.
func (s *server) trusted(ip netip.Addr) bool {
	for _, prefix := range s.TrustedProxies {
		if prefix.Contains(ip) {
			return true
		}
	}
	return false
}

// isFromTrustedProxy reports whether a request comes from a trusted proxy.
func (s *server) isFromTrustedProxy(r *http.Request) bool {
	peer, ok := peerAddress(r)
	return ok && s.trusted(peer)
}
