package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/config"
)

// settingRow is a row of the table of settings: name, default, meaning.
var settingRow = regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\|(.*?)\\|.*\\|$")

func TestTheReadmeNamesEverySettingWithItsDefault(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{}
	for _, row := range settingRow.FindAllStringSubmatch(string(readme), -1) {
		written[row[1]] = strings.Trim(row[2], "` ")
	}
	settings := map[string]string{}
	for _, s := range config.Settings {
		settings[s.Name] = s.Default
	}
	if diff := cmp.Diff(settings, written); diff != "" {
		t.Errorf("README.md differs from config.Settings (-settings +README):\n%s", diff)
	}
}
