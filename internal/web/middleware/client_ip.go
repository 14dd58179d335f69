package middleware

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are the reverse proxies in front of the program. The zero value trusts none.
type Proxies struct {
	Trusted []netip.Prefix // networks of the proxies whose headers are believed
	Header  string         // header that holds the client's address; empty means X-Forwarded-For
}

// ClientIP returns the address that a request came from, without a port or zone, or the empty
// string if the connection has none. If a trusted proxy sent the request, it is read from the
// proxy's own header, or X-Forwarded-For is walked from the right, skipping trusted proxies:
// everything further left was written by the client.
func (p Proxies) ClientIP(r *http.Request) string {
	peer, ok := peerAddress(r)
	switch {
	case !ok:
		return ""
	case !p.isTrusted(peer):
		return peer.String()
	case p.Header != "":
		return lastHop(r.Header.Values(p.Header), peer, func(netip.Addr) bool { return false }).String()
	}
	return lastHop(r.Header.Values("X-Forwarded-For"), peer, p.isTrusted).String()
}

// Sent reports whether a trusted proxy sent a request.
func (p Proxies) Sent(r *http.Request) bool {
	peer, ok := peerAddress(r)
	return ok && p.isTrusted(peer)
}

func (p Proxies) isTrusted(ip netip.Addr) bool {
	return slices.ContainsFunc(p.Trusted, func(prefix netip.Prefix) bool { return prefix.Contains(ip) })
}

// lastHop walks the list in a header's values from its end and returns the first address that is
// not trusted. If the list ends before that, or holds something that is no address ("unknown",
// "_hidden"), it returns the last trusted address, which is peer at first.
func lastHop(values []string, peer netip.Addr, isTrusted func(netip.Addr) bool) netip.Addr {
	last := peer
	hops := strings.Split(strings.Join(values, ","), ",")
	for _, hop := range slices.Backward(hops) {
		hop = strings.TrimSpace(hop)
		if hop == "" { // https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1.2
			continue
		}
		ip, ok := parseHop(hop)
		if !ok {
			return last
		}
		last = ip
		if !isTrusted(ip) {
			return last
		}
	}
	return last
}

// parseHop reads an address as proxies write it: with or without a port, IPv6 with or without
// brackets, perhaps in quotes.
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
	return plainAddr(ip), err == nil
}

// peerAddress returns the remote address of a request's connection.
func peerAddress(r *http.Request) (netip.Addr, bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return plainAddr(peer.Addr()), err == nil
}

// plainAddr returns IPv4 in IPv6 as IPv4, and drops the zone, which names an interface of one machine.
func plainAddr(ip netip.Addr) netip.Addr { return ip.Unmap().WithZone("") }
