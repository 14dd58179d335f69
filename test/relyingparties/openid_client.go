package relyingparties

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/guestlist/guestlist/test/harness"
)

// openidClient is a small web application with openid-client for Node, in testdata/node.
var openidClient = party{
	name: "openid-client", callback: "/callback", signedOut: "/signed-out", backchannel: "/backchannel",
	start: startOpenIDClient, open: openPage, read: readPage, refresh: refreshPage, signOut: signOutPage,
	refreshPath: "/refresh", keepsKeys: true, endsOnRefusal: true,
}

func startOpenIDClient(t *testing.T, r registration) {
	modules := harness.RepoPath(".cache/openid-client/node_modules")
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(filepath.Join(modules, "openid-client"))
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no Node or no openid-client; .ci/deps.sh installs them")
		}
		t.Skip("no Node or no openid-client; .ci/deps.sh installs them")
	}
	dir := t.TempDir() // Node looks for modules beside the script
	if err := os.CopyFS(dir, os.DirFS("testdata/node")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	settings, err := json.Marshal(map[string]string{"issuer": r.issuer, "client_id": r.clientID, "client_secret": r.secret, "address": r.address})
	if err != nil {
		t.Fatal(err)
	}
	harness.Program{Path: node, Args: []string{filepath.Join(dir, "server.mjs"), string(settings)}, Dir: dir}.Start(t, func() bool { return listens(r.address) })
}

// listens reports whether a program listens on an address.
func listens(address string) bool {
	c, err := net.Dial("tcp", address)
	if err == nil {
		c.Close()
	}
	return err == nil
}
