// Package netutil classifies network addresses.
package netutil

import (
	"net"
	"net/netip"
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
