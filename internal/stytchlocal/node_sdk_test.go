package stytchlocal_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Each script in testdata/node drives the API with the official SDK for Node.
func TestNodeSDK(t *testing.T) {
	for _, script := range []string{"codes.mjs", "totps.mjs", "passkeys.mjs", "oauth.mjs"} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			runNode(t, onSQLite(t), script)
		})
	}
}

// runNode runs a script of testdata/node against a fixture's server.
func runNode(t *testing.T, f *fixture, script string) {
	t.Helper()
	modules, err := filepath.Abs("../../.cache/node/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		skipWithout(t, "node")
	}
	if _, err := os.Stat(filepath.Join(modules, "stytch")); err != nil {
		skipWithout(t, "Stytch's SDK for Node")
	}
	dir := t.TempDir() // Node looks for modules beside the script
	if err := os.CopyFS(dir, os.DirFS("testdata/node")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	c := f.server.Credentials()
	site, err := json.Marshal(map[string]any{
		"url": f.url, "project_id": c.ProjectID, "secret": c.Secret, "public_token": c.PublicToken, "dev_key": f.server.DevKey(), "now": f.clock.now().UnixMilli(),
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), node, filepath.Join(dir, script), string(site)).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", script, err, out)
	}
}

// skipWithout skips a test that needs a program, or fails it in CI.
func skipWithout(t *testing.T, name string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing; .ci/deps.sh installs it", name)
	}
	t.Skipf("%s is missing; .ci/deps.sh installs it", name)
}
