package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"go4.org/netipx"
)

// setProxies knows Fly by name: nothing from outside reaches a program there but
// through Fly's proxy, which comes from no address that Fly promises, and sets
// Fly-Client-IP itself. https://fly.io/docs/networking/request-headers/
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
	// Spaces separate as well, but for those around the dash of a range.
	text = rangeDash.Replace(text)
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",; \t\r\n", r) }) {
		networks, err := parseNetworks(part)
		if err != nil {
			return fmt.Errorf("must be addresses, networks and ranges such as 10.0.0.1,10.1.0.0/16,10.2.0.1-10.2.0.9, fly, or none, not %q", part)
		}
		l.TrustedProxies = append(l.TrustedProxies, networks...)
	}
	return nil
}

var rangeDash = strings.NewReplacer(" - ", "-", " -", "-", "- ", "-")

var errNoNetwork = errors.New("no address, network or range")

// parseNetworks reads an address (IPv6 also in brackets or with a zone, which is
// dropped), a network with its length or its mask, or a range of addresses. IPv4 in
// IPv6 becomes IPv4, because clients are compared in that form.
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
		if bits == 0 { // ones behind zeros
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
