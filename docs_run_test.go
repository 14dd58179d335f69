package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/testdb"
)

// TestCommandsInTheDocsDoWhatTheySay runs those of Guestlist alone as they are
// written, in a folder with a new list, but for what stands for something of the
// reader's own.
func TestCommandsInTheDocsDoWhatTheySay(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		page, command string // a part of it
		theirs, ours  string
		says          string
	}{
		{"docs/backup.md", "guestlist backup", "/var/backups/", "./", "guestlist.db"},
		{"docs/moving.md", "guestlist copy", "mysql://user:password@host/guestlist?sslaccept=strict", "a database", "users"},
		{"README.md", "guestlist users import", "mysql --batch -e 'SELECT id, name, email FROM users' example", `printf 'id\tname\temail\n7\tAda\tada@example.com\n'`, "1 people put on the list"},
	} {
		t.Run(row.page, func(t *testing.T) {
			t.Parallel()
			if row.ours == "a database" {
				row.ours = testdb.MySQL(t)
			}
			dir := t.TempDir()
			sh(t, dir, "guestlist migrate")
			found := false
			for _, at := range block.FindAllStringSubmatch(readText(t, row.page), -1) {
				text := at[2] + at[3]
				if !strings.Contains(text, row.command) || !strings.Contains(text, row.theirs) {
					continue
				}
				found = true
				if out := sh(t, dir, strings.ReplaceAll(text, row.theirs, row.ours)); !strings.Contains(out, row.says) {
					t.Errorf("it does not say %q: %s", row.says, out)
				}
			}
			if !found {
				t.Errorf("no block has %s with %q", row.command, row.theirs)
			}
		})
	}
}

// sh runs a line of a shell, where guestlist is the program under test.
func sh(t *testing.T, dir, line string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", line)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}
