package repo

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/config"
)

// settingRow matches a row of a table of settings: name, default, meaning.
var settingRow = regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|(.*?)\\|.*\\|$")

func TestSettings_AreDocumentedWithTheirDefaults(t *testing.T) {
	t.Parallel()
	settings := map[string]string{}
	for _, s := range config.Settings {
		settings[s.Name] = s.Default
	}
	if diff := cmp.Diff(settings, documentedSettings(t, "docs/settings.md")); diff != "" {
		t.Errorf("docs/settings.md differs from config.Settings (-settings +page):\n%s", diff)
	}
	few := documentedSettings(t, "README.md")
	if len(few) != 10 {
		t.Errorf("README.md lists %d settings, want 10", len(few))
	}
	for name, value := range few {
		if want, ok := settings[name]; !ok || value != want {
			t.Errorf("README.md: %s has the default %q, want %q", name, value, want)
		}
	}
}

// documentedSettings returns the defaults in a page's table of settings, by name.
func documentedSettings(t *testing.T, page string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	defaults := map[string]string{}
	for _, row := range settingRow.FindAllStringSubmatch(string(text), -1) {
		defaults[row[1]] = strings.Trim(row[2], "` ")
	}
	return defaults
}
