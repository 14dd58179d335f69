package apps

import (
	"strings"
	"testing"
)

func TestParseHost_CanonicalForm(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ scheme, host, want string }{
		{"https", "wiki.example.com", "wiki.example.com"},
		{"https", "WIKI.Example.COM", "wiki.example.com"},
		{"https", "wiki.example.com.", "wiki.example.com"},
		{"https", "wiki.example.com:443", "wiki.example.com"},
		{"https", "wiki.example.com:0443", "wiki.example.com"},
		{"https", "wiki.example.com.:443", "wiki.example.com"},
		{"https", "wiki.example.com:80", "wiki.example.com:80"},
		{"http", "wiki.example.com:80", "wiki.example.com"},
		{"http", "tool.localhost:8080", "tool.localhost:8080"},
		{"https", "bücher.example", "xn--bcher-kva.example"},
		{"https", "BÜCHER.example", "xn--bcher-kva.example"},
		{"https", "xn--bcher-kva.example", "xn--bcher-kva.example"},
		{"http", "127.0.0.1:3000", "127.0.0.1:3000"},
		{"http", "[::1]:3000", "[::1]:3000"},
		{"http", "[0:0::1]", "[::1]"},
		{"http", "localhost", "localhost"},
	} {
		if got, ok := ParseHost(row.scheme, row.host); got != row.want || !ok {
			t.Errorf("%s %s: %q, %v; want %q", row.scheme, row.host, got, ok, row.want)
		}
	}
}

func TestParseHost_Malformed(t *testing.T) {
	t.Parallel()
	for _, host := range []string{
		"", ".", ":80", "a..b", "wiki.example.com..", "-a.example", "a-.example", "wiki.example.com:", "wiki.example.com:0", "wiki.example.com:65536",
		"wiki.example.com:+80", "wiki.example.com:8o", "wiki example.com", "user@wiki.example.com", "wiki.example.com/x", "wiki.example.com#x",
		"wiki.example.com,evil.example", "wiki_x.example.com", "[::1", "::1", "[::1%25eth0]", "[127.0.0.1]", "wiki\x00.example.com", "wiki.example.com\r\n",
		strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 130) + "example", "xn--a.example", "%77iki.example.com",
	} {
		if got, ok := ParseHost("https", host); ok {
			t.Errorf("%q: accepted as %q", host, got)
		}
	}
}

func TestParseURL_Refused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "wiki.example.com", "ftp://wiki.example.com", "https://", "https://wiki.example.com/path", "https://wiki.example.com?x", "https://wiki.example.com/?",
		"https://wiki.example.com#x", "https://user@wiki.example.com", "https://wiki.example.com:99999", "javascript:alert(1)", "//wiki.example.com",
	} {
		if scheme, host, err := ParseURL(text); err == nil {
			t.Errorf("%q: accepted as %s://%s", text, scheme, host)
		}
	}
	if scheme, host, err := ParseURL(" HTTPS://Wiki.Example.com:443/ "); scheme != "https" || host != "wiki.example.com" || err != nil {
		t.Errorf("got %s, %s, %v", scheme, host, err)
	}
}

func FuzzParseHost(f *testing.F) {
	for _, host := range []string{"wiki.example.com", "BÜCHER.example.:443", "[::1]:80", "a..b", "xn--bcher-kva.example"} {
		f.Add(host)
	}
	f.Fuzz(func(t *testing.T, host string) {
		canonical, ok := ParseHost("https", host)
		if !ok {
			return
		}
		if again, ok := ParseHost("https", canonical); again != canonical || !ok {
			t.Errorf("%q is %q, which is %q, %v", host, canonical, again, ok)
		}
		if strings.ContainsAny(canonical, "/@?#%\\ \t\r\n,") || strings.ToLower(canonical) != canonical {
			t.Errorf("%q is %q", host, canonical)
		}
	})
}
