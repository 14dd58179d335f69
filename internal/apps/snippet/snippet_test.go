package snippet

import (
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/apps"
)

var people = Installation{BaseURL: &url.URL{Scheme: "https", Host: "people.example.com"}, Addr: "127.0.0.1:8080"}

func wiki(upstream string) apps.App {
	return apps.App{Name: "Wiki", Scheme: "https", Host: "wiki.example.com", Upstream: upstream}
}

// The tests of the proxies run the documentation's texts.
func TestFor_AgreesWithTheDocumentation(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/protect-a-tool.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []Way{Caddy, Nginx, Traefik} {
		text := For(w, wiki("http://127.0.0.1:3000"), people).Text
		// Each part of a text is somewhere on the page: there, an app's part and the one for
		// all apps may be apart.
		for _, part := range parts(w, text) {
			if !strings.Contains(string(page), part) {
				t.Errorf("%s: docs/protect-a-tool.md doesn't have:\n%s", w, part)
			}
		}
	}
}

// parts splits a text into what the documentation shows in one piece.
func parts(w Way, text string) []string {
	if w == Traefik {
		at := strings.Index(text, "  middlewares:\n    guestlist:")
		return []string{text[:at], text[at:]}
	}
	if w == Nginx {
		at := strings.Index(text, "server {")
		return []string{text[:at], text[at:]}
	}
	return []string{text}
}

func TestFor_FillsInTheAddresses(t *testing.T) {
	t.Parallel()
	wide := Installation{BaseURL: people.BaseURL, Addr: ":9090"}
	port := apps.App{Name: "Shop", Scheme: "http", Host: "shop.example.org:8443", Upstream: "https://10.0.0.7:9443"}
	for _, row := range []struct {
		name string
		way  Way
		app  apps.App
		in   Installation
		want []string
		none []string
	}{
		{"Caddy", Caddy, wiki("http://127.0.0.1:3000"), people, []string{"wiki.example.com {", "forward_auth 127.0.0.1:8080 {", "reverse_proxy 127.0.0.1:3000"}, []string{"http://", "Replace"}},
		{"Caddy without an upstream", Caddy, wiki(""), people, []string{"reverse_proxy 127.0.0.1:3000", "Replace 127.0.0.1:3000 with where the app listens"}, nil},
		{"Caddy, http and a port", Caddy, port, wide, []string{"http://shop.example.org:8443 {", "forward_auth 127.0.0.1:9090", "reverse_proxy https://10.0.0.7:9443"}, nil},
		{"nginx, http and a port", Nginx, port, wide, []string{"listen 8443;", "server_name shop.example.org;", "X-Original-URL http://shop.example.org:8443$request_uri", "proxy_pass https://10.0.0.7:9443;"}, []string{"ssl"}},
		{"Traefik, http and a port", Traefik, port, wide, []string{"Host(`shop.example.org`)", "url: https://10.0.0.7:9443", "    shop:"}, []string{"tls"}},
		{"built in", BuiltIn, wiki("http://127.0.0.1:3000"), people, []string{"wiki.example.com.  CNAME  people.example.com."}, nil},
		{"built in, without an upstream", BuiltIn, wiki(""), people, []string{"Fill in “Where the app listens”"}, []string{"CNAME"}},
		{"built in, on this machine", BuiltIn, apps.App{Scheme: "http", Host: "tool.localhost:8080", Upstream: "http://127.0.0.1:3000"}, people, []string{"Nothing to set up"}, []string{"CNAME"}},
		{"built in, Guestlist on this machine", BuiltIn, wiki("http://127.0.0.1:3000"), Installation{BaseURL: &url.URL{Scheme: "http", Host: "localhost:8080"}}, []string{"only this machine"}, []string{"CNAME"}},
		{"built in, Guestlist at an address", BuiltIn, wiki("http://127.0.0.1:3000"), Installation{BaseURL: &url.URL{Scheme: "http", Host: "203.0.113.5"}}, []string{"wiki.example.com.  A  203.0.113.5"}, []string{"CNAME"}},
		{"built in, on Guestlist's own host", BuiltIn, apps.App{Scheme: "https", Host: "people.example.com", Upstream: "http://127.0.0.1:3000"}, people, []string{"Nothing to set up"}, []string{"CNAME"}},
	} {
		s := For(row.way, row.app, row.in)
		text := s.Intro + "\n" + s.Text
		for _, want := range row.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in:\n%s", row.name, want, text)
			}
		}
		for _, none := range row.none {
			if strings.Contains(text, none) {
				t.Errorf("%s: %q in:\n%s", row.name, none, text)
			}
		}
	}
}

func TestReachedAt_IsAnAddressOnThisMachine(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		":8080": "127.0.0.1:8080", "0.0.0.0:8080": "127.0.0.1:8080", "[::]:80": "127.0.0.1:80", "10.0.0.5:8080": "10.0.0.5:8080",
		"[::1]:8080": "[::1]:8080", "": "127.0.0.1:8080",
	} {
		if got := (Installation{Addr: addr}).reachedAt(); got != want {
			t.Errorf("%q: %q, want %q", addr, got, want)
		}
	}
}

func TestParseWay_IgnoresCase(t *testing.T) {
	t.Parallel()
	if w, ok := ParseWay(" Nginx "); !ok || w != Nginx {
		t.Errorf("%q, %v", w, ok)
	}
	if _, ok := ParseWay("apache"); ok {
		t.Error("apache is a way")
	}
	if len(All(wiki(""), people)) != len(Ways) || !slices.Contains(Ways, BuiltIn) {
		t.Error("All doesn't have all ways")
	}
}
