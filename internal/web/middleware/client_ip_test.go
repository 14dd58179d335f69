package middleware

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClientIP_TakesHeadersFromTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		trusted []string
		header  string // Proxies.Header
		peer    string
		headers map[string]string
		want    string
	}{
		{"no proxy", nil, "", "198.51.100.7:999", nil, "198.51.100.7"},
		{"no proxy, IPv6", nil, "", "[2001:db8::1]:999", nil, "2001:db8::1"},
		{"a header from anybody", nil, "", "198.51.100.7:999", map[string]string{"X-Forwarded-For": "203.0.113.9"}, "198.51.100.7"},
		{"a header from somebody who is not the proxy", []string{"10.0.0.0/8"}, "", "198.51.100.7:999", map[string]string{"X-Forwarded-For": "203.0.113.9"}, "198.51.100.7"},
		{"the proxy's header", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "203.0.113.9"}, "203.0.113.9"},
		{"what the client wrote in front of it", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "1.2.3.4, 203.0.113.9"}, "203.0.113.9"},
		{"two proxies in a row", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "1.2.3.4, 203.0.113.9,10.0.0.2"}, "203.0.113.9"},
		{"proxies only", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"an address as IPv4 in IPv6", []string{"10.0.0.0/8"}, "", "[::ffff:10.0.0.1]:999", map[string]string{"X-Forwarded-For": "::ffff:203.0.113.9"}, "203.0.113.9"},
		{"no header from the proxy", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", nil, "10.0.0.1"},
		{"nonsense in the header", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "<script>"}, "10.0.0.1"},
		{"nonsense in front of a good one", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "x, 203.0.113.9"}, "203.0.113.9"},
		{"a header of its own", []string{"10.0.0.0/8"}, "Fly-Client-IP", "10.0.0.1:999", map[string]string{"Fly-Client-IP": "203.0.113.9", "X-Forwarded-For": "1.2.3.4"}, "203.0.113.9"},
		{"nonsense in a header of its own", []string{"10.0.0.0/8"}, "Fly-Client-IP", "10.0.0.1:999", map[string]string{"Fly-Client-IP": "x", "X-Forwarded-For": "1.2.3.4"}, "10.0.0.1"},
		{"a header of its own from anybody", nil, "Fly-Client-IP", "198.51.100.7:999", map[string]string{"Fly-Client-IP": "203.0.113.9"}, "198.51.100.7"},
		{"an address with a port", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "203.0.113.7:51234"}, "203.0.113.7"},
		{"IPv6", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "2001:db8::7"}, "2001:db8::7"},
		{"IPv6 in brackets", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "[2001:db8::7]"}, "2001:db8::7"},
		{"IPv6 with a port", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "[2001:db8::7]:51234"}, "2001:db8::7"},
		{"IPv6 in another spelling", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "[2001:DB8:0:0::0007]:1"}, "2001:db8::7"},
		{"quotes", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": `"[2001:db8::7]:1234"`}, "2001:db8::7"},
		{"a zone", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "fe80::1%eth0"}, "fe80::1"},
		{"a zone and a port", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "[fe80::1%25eth0]:80"}, "fe80::1"},
		{"IPv4 in IPv6 with a port", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "[::ffff:203.0.113.9]:1"}, "203.0.113.9"},
		{"a port of no number", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "203.0.113.9:_hidden"}, "203.0.113.9"},
		{"a port left empty", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "203.0.113.9:"}, "203.0.113.9"},
		{"a trusted proxy's address with a port", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "1.2.3.4, 203.0.113.9:5, 10.0.0.2:443"}, "203.0.113.9"},
		{"a trusted proxy in brackets", []string{"2001:db8:1::/48"}, "", "[2001:db8:1::1]:999", map[string]string{"X-Forwarded-For": "203.0.113.9,[2001:db8:1::2]:443"}, "203.0.113.9"},
		{"a trusted proxy with a zone", []string{"fe80::/10"}, "", "[fe80::1%eth0]:999", map[string]string{"X-Forwarded-For": "203.0.113.9, fe80::2%eth1"}, "203.0.113.9"},
		{"a zone of somebody who is no proxy", nil, "", "[fe80::1%eth0]:999", map[string]string{"X-Forwarded-For": "203.0.113.9"}, "fe80::1"},
		{"empty elements", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": ", 203.0.113.9 ,,\t,"}, "203.0.113.9"},
		{"nothing but empty elements", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": " , ,"}, "10.0.0.1"},
		{"unknown", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "1.2.3.4, unknown"}, "10.0.0.1"},
		{"something hidden in front of a proxy", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "1.2.3.4, _hidden, 10.0.0.2"}, "10.0.0.2"},
		{"brackets around IPv4", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "[203.0.113.9]"}, "10.0.0.1"},
		{"octal", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": "203.0.113.009"}, "10.0.0.1"},
		{"a port alone", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Forwarded-For": ":80"}, "10.0.0.1"},
		{"a header of its own with a port", []string{"10.0.0.0/8"}, "Fly-Client-IP", "10.0.0.1:999", map[string]string{"Fly-Client-IP": "203.0.113.9:51234"}, "203.0.113.9"},
		{"a header of its own with IPv6 and a port", []string{"10.0.0.0/8"}, "Fly-Client-IP", "10.0.0.1:999", map[string]string{"Fly-Client-IP": " [2001:db8::7]:51234 "}, "2001:db8::7"},
		{"a header of its own with a list", []string{"0.0.0.0/0"}, "Fly-Client-IP", "10.0.0.1:999", map[string]string{"Fly-Client-IP": "1.2.3.4, 203.0.113.9"}, "203.0.113.9"},
		{"headers of other proxies", []string{"10.0.0.0/8"}, "", "10.0.0.1:999", map[string]string{"X-Real-Ip": "1.2.3.4", "Forwarded": "for=1.2.3.4", "Fly-Client-IP": "1.2.3.4"}, "10.0.0.1"},
	} {
		p := Proxies{Header: row.header}
		for _, prefix := range row.trusted {
			p.Trusted = append(p.Trusted, netip.MustParsePrefix(prefix))
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = row.peer
		for name, value := range row.headers {
			r.Header.Set(name, value)
		}
		if got := p.ClientIP(r); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func TestClientIP_SeveralHeadersOfOneName(t *testing.T) {
	t.Parallel()
	p := Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	for _, row := range []struct {
		headers []string
		want    string
	}{
		{[]string{"1.2.3.4", "203.0.113.9"}, "203.0.113.9"},
		{[]string{"1.2.3.4", "203.0.113.9:5", "10.0.0.2"}, "203.0.113.9"},
		{[]string{"203.0.113.9", ""}, "203.0.113.9"},
		{[]string{"203.0.113.9, 10.0.0.3:80", "[::ffff:10.0.0.2]:443"}, "203.0.113.9"},
		{[]string{"1.2.3.4", "x"}, "10.0.0.1"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "10.0.0.1:999"
		r.Header["X-Forwarded-For"] = row.headers
		if got := p.ClientIP(r); got != row.want {
			t.Errorf("%q: %q, want %q", row.headers, got, row.want)
		}
	}
}

// FuzzClientIP holds that who is no proxy of ours has no say in where they
// come from, and that a proxy's word is an address or does not count.
func FuzzClientIP(f *testing.F) {
	f.Add("198.51.100.7", "203.0.113.9", "1.2.3.4", "")
	f.Add("10.0.0.1", "1.2.3.4, 203.0.113.9,10.0.0.2", "", "")
	f.Add("::ffff:10.0.0.1", "::ffff:203.0.113.9", "2001:db8::1", "Fly-Client-IP")
	f.Add("10.0.0.1", "<script>", "x", "Fly-Client-IP")
	f.Add("fe80::1%eth0", "fe80::1%eth0", "::", "Fly-Client-IP")
	f.Add("10.0.0.1", "203.0.113.7:51234, [2001:db8::7]:51234, \"[2001:db8::7]:1\"", "[fe80::1%25eth0]:80", "Fly-Client-IP")
	f.Add("::0%]", "0", "0", "")
	f.Add("10.0.0.1", "unknown, _hidden,,10.0.0.2:, [10.0.0.3]", "203.0.113.9:_x", "")
	f.Fuzz(func(t *testing.T, peer, forwarded, own, header string) {
		ip, err := netip.ParseAddr(peer)
		if err != nil {
			return
		}
		if header != "" {
			header = "Fly-Client-IP"
		}
		p := Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Header: header}
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = netip.AddrPortFrom(ip, 999).String()
		r.Header["X-Forwarded-For"] = []string{forwarded}
		r.Header["Fly-Client-Ip"] = []string{own}
		r.Header["Forwarded"] = []string{"for=" + own}
		got := p.ClientIP(r)
		bare := r.Clone(t.Context())
		bare.Header = http.Header{}
		trusted := ip.Unmap().Is4() && ip.Unmap().As4()[0] == 10
		if direct := p.ClientIP(bare); !trusted && got != direct {
			t.Errorf("from %s, who is no proxy, %q and %q make it %q", peer, forwarded, own, got)
		}
		if ip, err := netip.ParseAddr(got); err != nil || ip.Zone() != "" || ip.Is4In6() || ip.String() != got {
			t.Errorf("from %s, %q and %q make it %q, which is no address in its only form", peer, forwarded, own, got)
		}
		// A client writes in front of what the proxy adds, and can't change the outcome.
		if trusted && header == "" {
			r.Header["X-Forwarded-For"] = []string{forwarded, "203.0.113.77:8"}
			if got := p.ClientIP(r); got != "203.0.113.77" {
				t.Errorf("%q in front of the proxy's word makes it %q", forwarded, got)
			}
		}
	})
}
