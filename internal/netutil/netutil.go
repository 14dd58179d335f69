// Package netutil classifies network addresses.
package netutil

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// IsLoopback reports whether host is localhost or a loopback address. A port and the
// brackets of an IPv6 address are ignored. Subdomains of localhost don't count: some
// resolvers ask the network for them.
func IsLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}

// metadataAddresses are the addresses at which cloud providers serve a machine's
// credentials, and the link-local networks, in which most of them are.
var metadataAddresses = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("fd00:ec2::/32"),      // AWS
	netip.MustParsePrefix("fd20:ce::254/128"),   // Google
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle
}

// nat64 is the prefix under which networks with IPv6 only reach IPv4 addresses
// (https://www.rfc-editor.org/rfc/rfc6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// IsMetadata reports whether an address is link-local or that of a cloud provider's
// metadata service, in any notation. Nothing that Guestlist connects to on behalf of a user
// is there.
func IsMetadata(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if nat64.Contains(addr) {
		last := addr.As16()
		addr = netip.AddrFrom4([4]byte(last[12:]))
	}
	return slices.ContainsFunc(metadataAddresses, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// ListensOn reports whether an address is one on which a listener of this machine accepts
// connections. listeners are host:port, as for net.Listen; a host may be empty.
func ListensOn(listeners []string, addr netip.AddrPort) bool {
	target := addr.Addr().Unmap().WithZone("")
	return slices.ContainsFunc(listeners, func(listener string) bool {
		host, port, err := net.SplitHostPort(listener)
		if err != nil || port != strconv.Itoa(int(addr.Port())) {
			return false
		}
		own, err := netip.ParseAddr(host)
		switch {
		case strings.EqualFold(host, "localhost"):
			return target.IsLoopback() || target.IsUnspecified()
		case err == nil && !own.IsUnspecified():
			return own.Unmap() == target || own.IsLoopback() && target.IsUnspecified()
		}
		return target.IsLoopback() || target.IsUnspecified() || isOwnAddress(target)
	})
}

// isOwnAddress reports whether an interface of this machine has an address.
func isOwnAddress(addr netip.Addr) bool {
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return true // refuse what can't be ruled out
	}
	return slices.ContainsFunc(interfaces, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap().WithZone("") == addr
	})
}
