package static

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

func TestTitleParts(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"This sign-in didn’t finish": "This [sign-in] didn’t finish",
		"Sign-in help":               "[Sign-in] help",
		"One sign-in, two sign-ins":  "One [sign-in], two sign-ins",
		"Sign in":                    "Sign in",
		"design-inspired":            "design-inspired",
		"":                           "",
	} {
		got := ""
		for _, p := range TitleParts(title) {
			if p.Whole {
				p.Text = "[" + p.Text + "]"
			}
			got += p.Text
		}
		if got != want {
			t.Errorf("%q: %s", title, got)
		}
	}
}

func TestTemplates_HeadingsKeepSignInTogether(t *testing.T) {
	t.Parallel()
	if !strings.Contains(string(Load().Content("css/app.css")), ".whole { white-space: nowrap; }") {
		t.Error("the style sheet doesn't have the class")
	}
	heading := regexp.MustCompile(`(?s)<h[12].*?</h[12]>`)
	unsafe := regexp.MustCompile(`(?i)\bsign-in\b|{{\.Title}}`)
	err := fs.WalkDir(Templates(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(Templates(), path)
		for _, h := range heading.FindAllString(string(text), -1) {
			if unsafe.MatchString(h) {
				t.Errorf("%s: %s", path, h)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
