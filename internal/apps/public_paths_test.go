package apps

import (
	"strings"
	"testing"
)

func TestIsPublic_MatchesDecodedPath(t *testing.T) {
	t.Parallel()
	a := App{PublicPaths: []string{"/health", "/assets/*", "/käse"}}
	for _, target := range []string{
		"/health", "/health?x=/private", "/he%61lth", "/assets/", "/assets/app.css", "/assets/a/b.css?v=2", "/assets/a%20b", "/k%C3%A4se", "/assets/app..css", "/assets/...", "/health?x=%2f",
	} {
		if !a.IsPublic(target) {
			t.Errorf("%s isn't public", target)
		}
	}
	for _, target := range []string{
		"", "/", "/healthy", "/health/", "/Health", "/assets", "/assetsx", "/private", "health", "//health", "/x/../health", "/health/.", "/assets/../private",
		"/assets/%2e%2e/private", "/assets/..%2fprivate", "/assets/%2E./private", "/assets/a%2fb", "/assets/a%2Fb", "/assets\\..\\private", "/assets/%5cprivate",
		"/assets/a%00", "/assets/;x", "/health;x", "/assets//b", "/assets/%", "/assets/%zz", "/assets/%252e%252e/private", "/private?/assets/x", "/private#/assets/x",
		"/assets/a%3bb", "/assets/\x00", "/assets/%0a", "/assets/%ff", "https://wiki.example.com/health", "/assets/./x", "/private%3f/assets/",
	} {
		if a.IsPublic(target) {
			t.Errorf("%s is public", target)
		}
	}
	if (App{}).IsPublic("/") {
		t.Error("an app without public paths has one")
	}
	if !(App{PublicPaths: []string{"/*"}}).IsPublic("/any/thing") {
		t.Error("/* doesn't match everything")
	}
}

func TestParsePublicPaths_Refused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"health", "/a*", "/*/b", "/a/*/b", "/a?x", "/a#x", "/a//b", "/a/../b", "/./a", "/a;b", "/a\\b", "/%41", "*", "/a/**", "https://x/a", "/" + strings.Repeat("a", 200),
		strings.Repeat("/a\n/b\n", 1) + strings.Join(many(51), "\n"),
	} {
		if got, err := ParsePublicPaths(text); err == nil {
			t.Errorf("%q: accepted as %q", text, got)
		}
	}
	got, err := ParsePublicPaths(" /health \r\n\n/assets/*\n/health\n/*\n/")
	if want := "/health /assets/* /* /"; strings.Join(got, " ") != want || err != nil {
		t.Errorf("got %q, %v; want %s", got, err, want)
	}
}

// many returns n different paths.
func many(n int) []string {
	paths := make([]string, n)
	for i := range paths {
		paths[i] = "/" + strings.Repeat("x", i+1)
	}
	return paths
}
