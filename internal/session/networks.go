package session

import "net/netip"

// networks are what a browser's address is counted as, from the smallest to the
// largest. IPv4: the address and its /24. IPv6: the /64, which a household has whole,
// the /56 that a provider gives to a home line, and the /48 of a company. Addresses
// that can't be read count as one.
func (b Browser) networks() []string {
	ip, err := netip.ParseAddr(b.Address)
	if err != nil {
		return []string{"unknown"}
	}
	ip = embedded(ip.Unmap().WithZone(""))
	if ip.Is4() {
		return []string{ip.String(), prefix(ip, 24)}
	}
	return []string{prefix(ip, 64), prefix(ip, 56), prefix(ip, 48)}
}

// nat64 is the well-known prefix for IPv4 addresses written as IPv6 by a translator,
// https://www.rfc-editor.org/rfc/rfc6052.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// embedded returns the IPv4 address that a translator wrote as IPv6, or ip itself.
func embedded(ip netip.Addr) netip.Addr {
	if !nat64.Contains(ip) {
		return ip
	}
	b := ip.As16()
	return netip.AddrFrom4([4]byte(b[12:]))
}

func prefix(ip netip.Addr, bits int) string {
	p, _ := ip.Prefix(bits) // the address has so many bits
	return p.String()
}
