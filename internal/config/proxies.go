package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"go4.org/netipx"
)

// setProxies parses trusted proxies. On Fly, every connection from outside comes through
// Fly's proxy, whose addresses aren't documented and which sets Fly-Client-IP. https://fly.io/docs/networking/request-headers/
func setProxies(l *loader, text string) error {
	l.TrustedProxies, l.ClientIPHeader = nil, ""
	switch text {
	case "none":
		return nil
	case "fly":
		l.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
		l.ClientIPHeader = "Fly-Client-IP"
		return nil
	}
	// Spaces are separators too, except around the dash of a range.
	text = rangeDash.Replace(text)
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",; \t\r\n", r) }) {
		networks, err := parseNetworks(part)
		if err != nil {
			return fmt.Errorf("must be comma-separated addresses, networks and ranges such as 10.0.0.1,10.1.0.0/16,10.2.0.1-10.2.0.9, fly, or none, not %q", part)
		}
		l.TrustedProxies = append(l.TrustedProxies, networks...)
	}
	return nil
}

var rangeDash = strings.NewReplacer(" - ", "-", " -", "-", "- ", "-")

var errNoNetwork = errors.New("not an address, network or range")

// parseNetworks parses an address (IPv6 also in brackets or with a zone, which is dropped),
// a network with its length or mask, or a range of addresses. IPv4-mapped IPv6 becomes IPv4,
// the form in which clients are compared.
func parseNetworks(text string) ([]netip.Prefix, error) {
	if ip, err := parseAddress(text); err == nil {
		return []netip.Prefix{netip.PrefixFrom(ip, ip.BitLen())}, nil
	}
	if from, to, ok := strings.Cut(text, "-"); ok {
		first, err := parseAddress(from)
		last, lastErr := parseAddress(to)
		r := netipx.IPRangeFrom(first, last)
		if err != nil || lastErr != nil || !r.IsValid() {
			return nil, errNoNetwork
		}
		return r.Prefixes(), nil
	}
	host, length, ok := strings.Cut(text, "/")
	if mask, err := netip.ParseAddr(length); ok && err == nil && mask.Is4() {
		ones, bits := net.IPMask(mask.AsSlice()).Size()
		if bits == 0 { // not contiguous
			return nil, errNoNetwork
		}
		length = fmt.Sprint(ones)
	}
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	}
	prefix, err := netip.ParsePrefix(host + "/" + length)
	if err != nil {
		return nil, err
	}
	if prefix.Addr().Is4In6() && prefix.Bits() >= 96 {
		prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
	}
	return []netip.Prefix{prefix.Masked()}, nil
}

func parseAddress(text string) (netip.Addr, error) {
	if len(text) > 2 && text[0] == '[' && text[len(text)-1] == ']' && strings.Contains(text, ":") {
		text = text[1 : len(text)-1]
	}
	ip, err := netip.ParseAddr(text)
	return ip.Unmap().WithZone(""), err
}
