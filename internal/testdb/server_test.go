package testdb

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestServerEndsWithThePipe(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "server")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", watched, "sh", dir, "sleep", "600")
	alive, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	alive.Close()
	io.Copy(io.Discard, out) // ends when the server and its watch have both ended
	cmd.Wait()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the server's folder is still there: %v", err)
	}
}

func TestMissingServer(t *testing.T) {
	for _, row := range []struct{ name, ci, want string }{
		{"is a skip on a developer's machine", "", "skip"},
		{"is a failure in CI", "true", "fatal"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("CI", row.ci)
			r := &recorder{TB: t}
			missing(r, errNoServer)
			if r.got != row.want {
				t.Errorf("got %s, want %s", r.got, row.want)
			}
		})
	}
}

// recorder notes how a test would have ended. missing calls Fatal last, so the
// first call counts: the real Skip does not return.
type recorder struct {
	testing.TB
	got string
}

func (r *recorder) Helper() {}

func (r *recorder) Skip(...any) {
	if r.got == "" {
		r.got = "skip"
	}
}

func (r *recorder) Fatal(...any) {
	if r.got == "" {
		r.got = "fatal"
	}
}
