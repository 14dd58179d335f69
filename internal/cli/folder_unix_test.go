//go:build unix

package cli_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/guestlist/guestlist/test/harness"
)

// TestSQLiteDirectory_NotWritable runs the program as a user without write permission for
// the directory or the file. It needs root.
func TestSQLiteDirectory_NotWritable(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can run a program as another user")
	}
	home, err := os.MkdirTemp("", "guestlist-unprivileged-")
	harness.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(home) })
	harness.Must(t, os.Chmod(home, 0o755))
	program := filepath.Join(home, "guestlist")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/guestlist/guestlist").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	as := func(args ...string) (stdout, stderr string) {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Dir, cmd.Env = "/", []string{}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err == nil {
			t.Errorf("%s: no error", args)
		}
		return out.String(), strings.TrimSpace(errs.String())
	}
	const advice = " Allow the user that runs guestlist to read, write and create files in its directory, or set another path in DATABASE_URL."
	existing := filepath.Join(home, "existing.db")
	if err := harness.RunCommand(t.Context(), []string{"migrate", "--database-url=sqlite:" + existing}, nil, nil, new(bytes.Buffer), new(bytes.Buffer)); err != nil {
		t.Fatal(err)
	}
	harness.Must(t, os.Chmod(existing, 0o600))
	for _, row := range []struct{ name, path string }{
		{"a new file", filepath.Join(home, "new.db")},
		{"a new folder", filepath.Join(home, "data", "guestlist.db")},
		{"a file that only another can read", existing},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := "The SQLite file can't be created or opened at " + row.path + ": permission denied." + advice
			for _, args := range [][]string{{"serve", "--guestlist-addr=127.0.0.1:0"}, {"migrate"}, {"users", "list"}} {
				if _, got := as(append(args, "--database-url=sqlite:"+row.path)...); got != "guestlist: "+want {
					t.Errorf("%s says: %s\nwant: %s", args, got, want)
				}
			}
			report, _ := as("doctor", "--json", "--database-url=sqlite:"+row.path)
			if got := harness.DatabaseProblem(t, []byte(report)); got != want && row.path != existing {
				t.Errorf("doctor says: %s\nwant: %s", got, want)
			} else if !strings.Contains(got, strings.TrimSpace(advice)) {
				t.Errorf("doctor advises: %s", got)
			}
		})
	}
}
