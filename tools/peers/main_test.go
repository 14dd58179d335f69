package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestReadPin_EveryProgram(t *testing.T) {
	t.Parallel()
	want := map[string]pin{
		"caddy":        {tool: "github.com/caddyserver/caddy/v2/cmd/caddy", module: "github.com/caddyserver/caddy/v2", version: "v2.11.9"},
		"oauth2-proxy": {tool: "github.com/oauth2-proxy/oauth2-proxy/v7", module: "github.com/oauth2-proxy/oauth2-proxy/v7", version: "v7.15.6"},
		"pocketbase":   {tool: "github.com/pocketbase/pocketbase/examples/base", module: "github.com/pocketbase/pocketbase", version: "v0.28.4"},
		"traefik":      {tool: "github.com/traefik/traefik/v3/cmd/traefik", module: "github.com/traefik/traefik/v3", version: "v3.6.7"},
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(name, "main.go")); err == nil {
			continue // it has its source
		}
		got, err := readPin(filepath.Join(name, "go.mod"))
		if err != nil || got != want[name] {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, want[name])
		}
	}
}

func TestReadPin_RefusesOtherFiles(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no tool":             "module a\n\nrequire (\n\texample.com/b v1.0.0\n)\n",
		"no module":           "module a\n\ntool example.com/b\n",
		"a module like it":    "module a\n\ntool example.com/bc\n\nrequire (\n\texample.com/b v1.0.0\n)\n",
		"a module without it": "module a\n\ntool example.com/b\n\nrequire (\n\texample.com/b/c v1.0.0\n)\n",
	} {
		path := filepath.Join(t.TempDir(), "go.mod")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readPin(path); err == nil {
			t.Errorf("%s: read %+v", name, got)
		}
	}
}

func TestPin_IsBuiltOnlyInItsVersion(t *testing.T) {
	t.Parallel()
	self, err := os.Executable() // a program of another module
	if err != nil {
		t.Fatal(err)
	}
	p := pin{tool: "example.com/b", module: "example.com/b", version: "v1.0.0"}
	if p.isBuilt(self) || p.isBuilt(filepath.Join(t.TempDir(), "missing")) {
		t.Error("another program, or none, counts as built")
	}
}
