// Package repo tests the repository: its layout, its docs and its files for deploying.
package repo

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/guestlist/guestlist/internal/cli"
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
