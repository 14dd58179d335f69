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
	cmd := exec.Command("sh", "-c", watched, "sh", dir, "./testdata/serve", "true", "")
	pipe, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	// A pipe that the server and its watch hold: it ends when both have ended.
	alive, held, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{nil, held} // as 4; 3 is used
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	held.Close()
	pipe.Close()
	io.Copy(io.Discard, alive)
	cmd.Wait()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the server's folder is still there: %v", err)
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
