package repo

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// copyUnit copies the unit to a temporary directory, with a program that exists, and returns its path.
func copyUnit(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze isn't installed (Debian package systemd)")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "guestlist.service")
	text := strings.ReplaceAll(readText(t, "deploy/guestlist.service"), "/usr/local/bin/guestlist", self)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUnit_IsValid(t *testing.T) {
	t.Parallel()
	// systemd-analyze reports unknown settings with status 0.
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", copyUnit(t)).CombinedOutput()
	if err != nil || strings.Contains(string(out), "guestlist.service") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestUnit_RestrictsTheProgram(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=yes", "--no-pager", copyUnit(t)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	level := regexp.MustCompile(`Overall exposure level for \S+: ([\d.]+)`).FindSubmatch(out)
	if level == nil {
		t.Fatalf("no overall exposure level in %s", out)
	}
	if exposure, err := strconv.ParseFloat(string(level[1]), 64); err != nil || exposure > 1.5 { // of 10
		t.Errorf("the exposure level is %s\n%s", level[1], out)
	}
}

func TestUnit_MatchesTheDocs(t *testing.T) {
	t.Parallel()
	cfg := loadConfig(t, assignments(match(t, "docs/deploying.md", "(?s)```sh(.*?)```"))...)
	if proxied := match(t, "docs/reverse-proxy.md", `proxy_pass http://(\S+);`); cfg.Addr != proxied || cfg.LocalMode() {
		t.Errorf("listens on %s, the proxy forwards to %s", cfg.Addr, proxied)
	}
	dir := match(t, "deploy/guestlist.service", `(?m)^WorkingDirectory=(\S+)$`)
	state := "/var/lib/" + match(t, "deploy/guestlist.service", `(?m)^StateDirectory=(\S+)$`)
	database := filepath.Join(dir, strings.TrimPrefix(cfg.DatabaseURL, "sqlite:"))
	if dir != state || !strings.Contains(readText(t, "docs/deploying.md"), "`"+database+"`") {
		t.Errorf("the working directory is %s, the writable one %s, the database %s", dir, state, database)
	}
	if file := match(t, "deploy/guestlist.service", `(?m)^EnvironmentFile=(\S+)$`); !strings.Contains(readText(t, "docs/deploying.md"), "`"+file+"`") {
		t.Errorf("docs/deploying.md doesn't mention %s", file)
	}
}
