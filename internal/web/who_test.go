package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestAProxysWordIsTakenOnlyFromATrustedOne(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		trusted []string
		header  string // Options.ClientIPHeader
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
		s := &server{Options: Options{ClientIPHeader: row.header}}
		for _, p := range row.trusted {
			s.TrustedProxies = append(s.TrustedProxies, netip.MustParsePrefix(p))
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = row.peer
		for name, value := range row.headers {
			r.Header.Set(name, value)
		}
		if got := s.clientIP(r); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}

func TestClientAddress_SeveralHeadersOfOneName(t *testing.T) {
	t.Parallel()
	s := &server{Options: Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
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
		if got := s.clientIP(r); got != row.want {
			t.Errorf("%q: %q, want %q", row.headers, got, row.want)
		}
	}
}

func TestABrowserIsDescribedAsItsOwnerWouldNameIt(t *testing.T) {
	t.Parallel()
	for userAgent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                           "Firefox on Windows",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                                      "Chrome on Linux",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36":                              "Chrome on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0":              "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 OPR/120.0.0.0":        "Opera on macOS",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                      "Safari on macOS",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1":    "Safari on iPhone",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1": "Chrome on iPhone",
		"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15":           "Firefox on iPad",
		"Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":                      "Chrome on Android",
		"Mozilla/5.0 (Linux; Android 15; SM-S931B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36": "Samsung Internet on Android",
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                             "Chrome on ChromeOS",
		"curl/8.14.1":                     "curl",
		"Mozilla/5.0 (X11; Linux x86_64)": "Browser on Linux",
		"Go-http-client/1.1":              "Unknown browser",
		"":                                "Unknown browser",
	} {
		if got := describeBrowser(userAgent); got != want {
			t.Errorf("%q is %q, want %q", userAgent, got, want)
		}
	}
}
