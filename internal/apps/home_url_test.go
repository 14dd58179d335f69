package apps

import (
	"strings"
	"testing"
)

func TestParseHomeURL_Accepted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                 "",
		"  ":                               "",
		" https://example.com/grafana ":    "https://example.com/grafana",
		"https://example.com":              "https://example.com",
		"HTTPS://Example.COM:443/Grafana/": "https://example.com/Grafana/",
		"http://nas.localhost:5000/#/home": "http://nas.localhost:5000/#/home",
		"https://example.com/a?org=1&x=y":  "https://example.com/a?org=1&x=y",
		"https://bücher.example/käse":      "https://xn--bcher-kva.example/k%C3%A4se",
	} {
		if got, err := ParseHomeURL(text); got != want || err != nil {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestParseHomeURL_Refused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"example.com/grafana", "//example.com", "/grafana", "ftp://example.com", "javascript:alert(1)", "data:text/html,x", "https://", "https:///x",
		"https://user@example.com", "https://example.com@evil.example/", "https://exa mple.com/", "https://example.com:99999/", "https://example.com/%zz",
		"https://example.com/\nx", "https://example.com/" + strings.Repeat("a", 500),
	} {
		if got, err := ParseHomeURL(text); err == nil {
			t.Errorf("%q: accepted as %q", text, got)
		}
	}
}
