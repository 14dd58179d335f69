// Package repo tests the repository: its layout, its docs and its files for deploying.
package repo

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v3"

	"github.com/guestlist/guestlist/internal/cli"
	"github.com/guestlist/guestlist/internal/config"
	"github.com/guestlist/guestlist/test/harness"
)

// TestMain makes the test binary serve as the guestlist command of scripts.
func TestMain(m *testing.M) {
	testscript.Main(inRoot{m}, map[string]func(){"guestlist": func() { os.Exit(cli.Main()) }})
}

// inRoot runs the tests in the root of the repository, which their paths are relative to.
type inRoot struct{ *testing.M }

func (r inRoot) Run() int {
	if err := os.Chdir(harness.RepoRoot()); err != nil {
		panic(err)
	}
	return r.M.Run()
}

// flyFile has the allowed contents of fly.toml, so that misspelled keys are found.
type flyFile struct {
	App           string              `toml:"app"`
	PrimaryRegion string              `toml:"primary_region"`
	KillSignal    string              `toml:"kill_signal"`
	KillTimeout   int                 `toml:"kill_timeout"` // seconds
	Build         map[string]string   `toml:"build"`
	Env           map[string]string   `toml:"env"`
	Checks        map[string]flyCheck `toml:"checks"`
	VM            []map[string]string `toml:"vm"`
	Mounts        struct {
		Source            string `toml:"source"`
		Destination       string `toml:"destination"`
		InitialSize       string `toml:"initial_size"`
		SnapshotRetention int    `toml:"snapshot_retention"`
	} `toml:"mounts"`
	HTTPService struct {
		InternalPort       int        `toml:"internal_port"`
		ForceHTTPS         bool       `toml:"force_https"`
		AutoStopMachines   string     `toml:"auto_stop_machines"`
		AutoStartMachines  bool       `toml:"auto_start_machines"`
		MinMachinesRunning int        `toml:"min_machines_running"`
		Checks             []flyCheck `toml:"checks"`
		Concurrency        struct {
			Type      string `toml:"type"`
			SoftLimit int    `toml:"soft_limit"`
		} `toml:"concurrency"`
	} `toml:"http_service"`
}

type flyCheck struct {
	Type        string `toml:"type"` // only top-level checks have a type and a port
	Port        int    `toml:"port"`
	Method      string `toml:"method"`
	Path        string `toml:"path"`
	GracePeriod string `toml:"grace_period"`
	Interval    string `toml:"interval"`
	Timeout     string `toml:"timeout"`
}

// composeFile has the allowed contents of deploy/compose.yaml.
type composeFile struct {
	Name     string `yaml:"name"`
	Services map[string]struct {
		Image           string                       `yaml:"image"`
		Build           string                       `yaml:"build"`
		Command         string                       `yaml:"command"`
		NetworkMode     string                       `yaml:"network_mode"`
		DependsOn       map[string]map[string]string `yaml:"depends_on"`
		Environment     map[string]string            `yaml:"environment"`
		Ports           []string                     `yaml:"ports"`
		Volumes         []string                     `yaml:"volumes"`
		StopGracePeriod string                       `yaml:"stop_grace_period"`
		Healthcheck     struct {
			Test        []string `yaml:"test"`
			Interval    string   `yaml:"interval"`
			Timeout     string   `yaml:"timeout"`
			StartPeriod string   `yaml:"start_period"`
		} `yaml:"healthcheck"`
	} `yaml:"services"`
	Volumes map[string]any `yaml:"volumes"`
}

func readText(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// readFly reads fly.toml with more lines appended.
func readFly(t testing.TB, more string) (fly flyFile) {
	t.Helper()
	if err := toml.NewDecoder(strings.NewReader(readText(t, "fly.toml") + more)).DisallowUnknownFields().Decode(&fly); err != nil {
		t.Fatalf("fly.toml: %v", err)
	}
	return fly
}

func readCompose(t testing.TB) (compose composeFile) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(readText(t, "deploy/compose.yaml"))))
	decoder.KnownFields(true)
	if err := decoder.Decode(&compose); err != nil {
		t.Fatalf("deploy/compose.yaml: %v", err)
	}
	return compose
}

// match returns the first group of the first match of a pattern in a file.
func match(t testing.TB, path, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(readText(t, path))
	if found == nil {
		t.Fatalf("%s has no match of %s", path, pattern)
	}
	return found[1]
}

// assignment matches NAME='value' in a shell command or a systemd environment file.
var assignment = regexp.MustCompile(`\b([A-Z][A-Z_]+)='([^']*)'`)

// assignments returns the assignments in text as an environment.
func assignments(text string) (environ []string) {
	for _, found := range assignment.FindAllStringSubmatch(text, -1) {
		environ = append(environ, found[1]+"="+found[2])
	}
	return environ
}

// loadConfig returns the program's configuration for an environment.
func loadConfig(t testing.TB, environ ...string) config.Config {
	t.Helper()
	cfg, err := config.Load(config.Sources{Environ: environ})
	if err != nil {
		t.Fatalf("%v: %v", environ, err)
	}
	return cfg
}
