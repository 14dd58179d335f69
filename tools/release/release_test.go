package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repository returns a Git repository with one commit that contains a program, a file "text" with
// two lines, and the release script.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"go.mod": "module example.com/program\n\ngo 1.26\n", "main.go": "package main\n\nfunc main() {}\n", "text": "one\ntwo\n", ".gitignore": "/dist/\n",
	}
	for _, name := range []string{"release.sh", "goreleaser.yaml"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files["tools/release/"+name] = string(text)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"init", "--quiet"}, {"add", "."}, {"-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "--message=one"},
	} {
		if _, err := run(t.Context(), dir, "git", args...); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// release runs the release script with a shell script in place of GoReleaser.
func release(t *testing.T, dir, goreleaser string, environ ...string) (output string, err error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "goreleaser")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nset -e\nmkdir dist\n"+goreleaser), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", filepath.Join(dir, "tools/release/release.sh"), "linux/arm64", "windows/amd64")
	cmd.Env = append(append(os.Environ(), "GORELEASER="+path), environ...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestRelease_DoesNotDependOnTheMachine(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	settings := t.TempDir()
	cache := filepath.Join(settings, "modules")
	write := func(name, text string) string {
		path := filepath.Join(settings, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	out, err := release(t, dir, `
(go env GOFLAGS GOARM64 GOMODCACHE; cat text; grep targets: "$5") >dist/SHA256SUMS
mkdir dist/linux; touch dist/a.tar.gz dist/linux/a.cdx.json dist/linux/guestlist`,
		"GOENV="+write("env", "GOFLAGS=-tags=other\nGOARM64=v9.0\nGOMODCACHE="+cache+"\n"), "GOMODCACHE=",
		"GIT_CONFIG_GLOBAL="+write("gitconfig", "[core]\n\tautocrlf = true\n"))
	if err != nil {
		t.Fatal(err, out)
	}
	released, err := filepath.Glob(filepath.Join(dir, "dist/v0.0.0-*/*"))
	if err != nil || len(released) != 3 {
		t.Fatalf("released %q, %v\n%s", released, err, out)
	}
	var names []string
	for _, path := range released {
		names = append(names, filepath.Base(path))
	}
	if got := strings.Join(names, " "); got != "SHA256SUMS a.cdx.json a.tar.gz" {
		t.Errorf("released %s", got)
	}
	text, err := os.ReadFile(released[0])
	if want := "\nv8.0\n" + cache + "\none\ntwo\n  - targets: [linux_arm64, windows_amd64]\n"; err != nil || string(text) != want {
		t.Errorf("%v: %q, want %q", err, text, want)
	}
}

func TestRelease_IsRefused(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, goreleaser, want string }{
		{"when two builds differ", "pwd >dist/SHA256SUMS", "Two builds of the same commit differ"},
		{"when GoReleaser fails", "echo no licence; exit 1", "no licence"},
		{"when something is not committed", "exit 2", "commit or stash"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			dir := repository(t)
			if strings.Contains(row.name, "committed") {
				if err := os.WriteFile(filepath.Join(dir, "more"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out, err := release(t, dir, row.goreleaser)
			if err == nil || !strings.Contains(out, row.want) {
				t.Errorf("%v, want %q:\n%s", err, row.want, out)
			}
			if made, err := filepath.Glob(filepath.Join(dir, "dist/*")); err != nil || made != nil {
				t.Errorf("released %q, %v", made, err)
			}
		})
	}
}
