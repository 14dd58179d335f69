package apps

import (
	"net/url"
	"testing"
)

var ownAddresses = Own{BaseURL: &url.URL{Scheme: "https", Host: "people.example.com"}, Listeners: []string{"127.0.0.1:8080", ":9090"}}

func TestParseUpstream_Accepted(t *testing.T) {
	t.Parallel()
	a := App{Scheme: "https", Host: "wiki.example.com"}
	for text, want := range map[string]string{
		"": "", "  ": "",
		"http://127.0.0.1:3000":        "http://127.0.0.1:3000",
		" HTTP://Wiki.Internal:3000/ ": "http://wiki.internal:3000",
		"https://10.0.0.5":             "https://10.0.0.5",
		"http://localhost:3000":        "http://localhost:3000",
		"http://[::1]:3000":            "http://[::1]:3000",
		"http://[fdaa:0:1::3]:8080":    "http://[fdaa:0:1::3]:8080",
		"http://wiki":                  "http://wiki",
		"http://127.0.0.1:80":          "http://127.0.0.1",
		"http://127.0.0.1:8081":        "http://127.0.0.1:8081",
		"http://10.0.0.5:8080":         "http://10.0.0.5:8080",
		"http://7zip.example.com":      "http://7zip.example.com",
		"http://wiki.2nd":              "http://wiki.2nd",
		"http://wiki.example.com:3000": "http://wiki.example.com:3000", // the same machine, another port
	} {
		if got, err := ParseUpstream(text, a, ownAddresses); got != want || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestParseUpstream_Refused(t *testing.T) {
	t.Parallel()
	a := App{Scheme: "https", Host: "wiki.example.com"}
	for text, want := range map[string]error{
		"127.0.0.1:3000": errUpstream, "localhost:3000": errUpstream, "wiki": errUpstream, "http://": errUpstream, "http://:3000": errUpstream,
		"ftp://127.0.0.1": errUpstream, "ws://127.0.0.1:3000": errUpstream, "unix:/run/wiki.sock": errUpstream, "file:///etc/passwd": errUpstream,
		"http://127.0.0.1:0": errUpstream, "http://127.0.0.1:65536": errUpstream, "http://127.0.0.1:3000?a": errUpstream, "http://127.0.0.1:3000#a": errUpstream,
		"http://127.0.0.1:3000/wiki": errUpstreamPath, "http://127.0.0.1:3000//": errUpstreamPath,
		"http://user:password@127.0.0.1:3000": errUpstreamUser,

		"https://people.example.com": errUpstreamSelf, "http://PEOPLE.example.com.": errUpstreamSelf,
		"http://127.0.0.1:8080": errUpstreamSelf, "http://localhost:8080": errUpstreamSelf, "http://people.localhost:8080": errUpstreamSelf,
		"http://[::ffff:127.0.0.1]:8080": errUpstreamSelf, "http://0.0.0.0:8080": errUpstreamSelf,
		"http://127.0.0.1:9090": errUpstreamSelf, "http://[::1]:9090": errUpstreamSelf, // the metrics
		"https://wiki.example.com": errUpstreamOwnHost, "http://wiki.example.com": errUpstreamOwnHost,

		"http://169.254.169.254": errUpstreamMetadata, "http://169.254.169.254:80": errUpstreamMetadata, "http://[fe80::1]": errUpstreamMetadata,
		"http://[fd00:ec2::254]": errUpstreamMetadata, "http://[::ffff:169.254.169.254]": errUpstreamMetadata, "http://[64:ff9b::a9fe:a9fe]": errUpstreamMetadata,
		"http://2852039166": errUpstream, "http://0xa9fea9fe": errUpstream, "http://169.254.43518": errUpstream, "http://0251.0376.0251.0376": errUpstream, "http://127.1:3000": errUpstream,
		"http://[fe80::1%25eth0]": errUpstream,
		"http://0.0.0.0:3000":     errUpstreamAll, "http://[::]:3000": errUpstreamAll, "http://224.0.0.1": errUpstreamAll, "http://255.255.255.255": errUpstreamAll,
	} {
		if got, err := ParseUpstream(text, a, ownAddresses); err != want {
			t.Errorf("%q: %q, %v; want: %v", text, got, err, want)
		}
	}
}
