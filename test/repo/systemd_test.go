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

// unit puts the unit into a folder of its own, with a program that is there.
func unit(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("no systemd-analyze on PATH; `apt install systemd` brings it")
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

func TestSystemdTakesTheUnitAsItIsMeant(t *testing.T) {
	t.Parallel()
	// What it does not understand it passes over, with status 0.
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", unit(t)).CombinedOutput()
	if err != nil || strings.Contains(string(out), "guestlist.service") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheUnitLeavesTheProgramLittleToBreak(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=yes", "--no-pager", unit(t)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	said := regexp.MustCompile(`Overall exposure level for \S+: ([\d.]+)`).FindSubmatch(out)
	if said == nil {
		t.Fatalf("no word of the whole: %s", out)
	}
	if level, err := strconv.ParseFloat(string(said[1]), 64); err != nil || level > 1.5 { // of 10
		t.Errorf("the exposure is %s\n%s", said[1], out)
	}
}

func TestTheSettingsOfTheUnitAreInForceWhereTheProxyLooks(t *testing.T) {
	t.Parallel()
	cfg := inForce(t, settingsIn(part(t, "docs/deploying.md", "(?s)```sh(.*?)```"))...)
	if proxied := part(t, "docs/reverse-proxy.md", `proxy_pass http://(\S+);`); cfg.Addr != proxied || cfg.LocalMode() {
		t.Errorf("it listens on %s, the proxy looks at %s", cfg.Addr, proxied)
	}
	folder := part(t, "deploy/guestlist.service", `(?m)^WorkingDirectory=(\S+)$`)
	state := "/var/lib/" + part(t, "deploy/guestlist.service", `(?m)^StateDirectory=(\S+)$`)
	list := filepath.Join(folder, strings.TrimPrefix(cfg.DatabaseURL, "sqlite:"))
	if said := "`" + list + "`"; folder != state || !strings.Contains(readText(t, "docs/deploying.md"), said) {
		t.Errorf("it works in %s, may write to %s, and has its list at %s", folder, state, list)
	}
	if file := part(t, "deploy/guestlist.service", `(?m)^EnvironmentFile=(\S+)$`); !strings.Contains(readText(t, "docs/deploying.md"), "`"+file+"`") {
		t.Errorf("docs/deploying.md does not say %s", file)
	}
}
