package repo

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	requirement = regexp.MustCompile(`^(\d+\.\d+\.\d+|A\d+)$`) // of the standard, or of our own table
	// testName matches a test file, or the name of a test in the test file before it.
	testName = regexp.MustCompile("`([\\w./]+_test\\.go)`|\\b((?:Test|Fuzz)[A-Z]\\w*)")
)

func TestSecurityPage_NamesTestsThatExist(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	files, seen := map[string]string{}, []string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		id := strings.TrimSpace(cells[0])
		if !requirement.MatchString(id) {
			continue
		}
		if len(cells) != 4 || slices.Contains(seen, id) {
			t.Errorf("%s has %d cells, want 4, or is listed twice", id, len(cells))
			continue
		}
		seen = append(seen, id)
		heldBy := strings.TrimSpace(cells[3])
		if heldBy == "by reading" || heldBy == "**gap**" {
			continue
		}
		file, tests := "", 0
		for _, found := range testName.FindAllStringSubmatch(heldBy, -1) {
			if found[1] != "" {
				file = path.Clean(found[1])
				source, err := os.ReadFile(file)
				if err != nil {
					t.Errorf("%s: %v", id, err)
				}
				files[file] = string(source)
				continue
			}
			tests++
			if !strings.Contains(files[file], "\nfunc "+found[2]+"(") {
				t.Errorf("%s: %q has no %s", id, file, found[2])
			}
		}
		if tests == 0 {
			t.Errorf("%s names no test: %s", id, heldBy)
		}
	}
	if len(seen) < 80 {
		t.Errorf("the table has %d rows", len(seen))
	}
}
