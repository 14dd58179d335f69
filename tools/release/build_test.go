package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestTheSettingsOfTheMachineHaveNoSayInARelease(t *testing.T) {
	dir := t.TempDir()
	cache := filepath.Join(dir, "modules")
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("GOENV", write("env", "GOFLAGS=-tags=other\nGOARM64=v9.0\nGOMODCACHE="+cache+"\n"))
	t.Setenv("GOMODCACHE", "")
	env, err := environ(t.Context(), targets[0])
	if err != nil {
		t.Fatal(err)
	}
	asked := exec.CommandContext(t.Context(), "go", "env", "GOFLAGS", "GOARM64", "GOMODCACHE")
	asked.Env = env
	if said, err := asked.Output(); err != nil || string(said) != "\nv8.0\n"+cache+"\n" {
		t.Errorf("%v: %q", err, said)
	}
}

func TestAReleaseIsOfWhatIsCommittedLetterByLetter(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, words := range [][]string{
		{"init", "--quiet"}, {"add", "file"}, {"-c", "user.name=Ada", "-c", "user.email=ada@example.com", "commit", "--quiet", "--message=one"},
	} {
		if words[0] == "add" {
			if err := os.WriteFile("file", []byte("one\ntwo\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := run(t.Context(), "", "git", words...); err != nil {
			t.Fatal(err)
		}
	}
	settings := filepath.Join(t.TempDir(), "gitconfig")
	if err := os.WriteFile(settings, []byte("[core]\n\tautocrlf = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", settings)
	b, err := newBuilder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(b.source(), "file")); err != nil || string(text) != "one\ntwo\n" {
		t.Errorf("%v: %q", err, text)
	}
}
