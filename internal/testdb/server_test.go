package testdb

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestServer_StopsWithItsPipe(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "server")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", startScript, "sh", dir, "./testdata/serve", "true", "")
	pipe, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	// The server and its watcher inherit the write end. Reading ends when both have ended.
	alive, held, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{nil, held} // descriptor 4, because startScript uses 3
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	held.Close()
	pipe.Close()
	io.Copy(io.Discard, alive)
	cmd.Wait()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the server's directory still exists: %v", err)
	}
}

func TestOpen_MissingServer(t *testing.T) {
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

// recorder records whether a test would be skipped or fail. Only the first call counts,
// because the real Skip doesn't return.
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
