// Command peers builds programs that tests and benchmarks run Guestlist with, and prints their paths,
// one per line: Caddy and Traefik, which protect an app with Guestlist, oauth2-proxy and PocketBase,
// which people sign in to with Guestlist, and luikyv-op and zitadel-op, OpenID providers with which the
// tests of providers are tested. Guestlist is also compared with oauth2-proxy. Run it from the root of
// the repository:
//
//	go run ./tools/peers                 builds all of them
//	go run ./tools/peers oauth2-proxy    builds one
//
// Each has a module of its own below tools/peers, which pins its version, because their requirements
// exclude each other and would add hundreds of lines to Guestlist's go.mod. The programs are kept in
// .cache/peers and built again only if the version changes. A first build takes seven minutes on two
// cores, most of it for Traefik. The OpenID providers are small programs of their modules, around the
// examples of libraries; they are built every time, which takes a second, and half a minute the first time.
package main

import (
	"debug/buildinfo"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// dir holds the modules, cache the programs.
const (
	dir   = "tools/peers"
	cache = ".cache/peers"
)

// names lists the programs.
var names = []string{"caddy", "luikyv-op", "oauth2-proxy", "pocketbase", "traefik", "zitadel-op"}

func main() {
	flag.Parse()
	wanted := flag.Args()
	if len(wanted) == 0 {
		wanted = names
	}
	for _, name := range wanted {
		path, err := provide(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, "peers:", err)
			os.Exit(1)
		}
		fmt.Println(path)
	}
}

// provide returns the absolute path of a program, and builds it unless it is there.
func provide(name string) (string, error) {
	if !slices.Contains(names, name) {
		return "", fmt.Errorf("%q isn't one of %q", name, names)
	}
	path, err := filepath.Abs(filepath.Join(cache, name))
	if err != nil {
		return "", err
	}
	if hasSource(name) {
		return path, build(name, path, ".")
	}
	p, err := readPin(filepath.Join(dir, name, "go.mod"))
	if err != nil {
		return "", err
	}
	if p.isBuilt(path) {
		return path, nil
	}
	fmt.Fprintf(os.Stderr, "Building %s %s. This takes minutes the first time.\n", name, p.version)
	return path, build(name, path, p.tool)
}

// hasSource reports whether the module of a program has its source, instead of only its version.
func hasSource(name string) bool {
	_, err := os.Stat(filepath.Join(dir, name, "main.go"))
	return err == nil
}

// build builds a package for the module of a program.
func build(name, path, pkg string) error {
	cmd := exec.Command("go", "build", "-C", filepath.Join(dir, name), "-trimpath", "-buildvcs=false", "-o", path, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr // stdout is for paths
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build %s: %w", name, err)
	}
	return nil
}

// pin is what a go.mod file says about its program.
type pin struct {
	tool    string // the package
	module  string // that has the package
	version string // of the module
}

// toolLine and requireLine match lines of a go.mod file.
var (
	toolLine    = regexp.MustCompile(`(?m)^tool (\S+)$`)
	requireLine = regexp.MustCompile(`(?m)^\t(\S+) (v\S+)`)
)

// readPin reads a go.mod file that has one tool. The tool's module is the one whose path the tool's
// begins with.
func readPin(path string) (pin, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return pin{}, err
	}
	tool := toolLine.FindSubmatch(text)
	if tool == nil {
		return pin{}, fmt.Errorf("%s: no tool", path)
	}
	p := pin{tool: string(tool[1])}
	for _, found := range requireLine.FindAllSubmatch(text, -1) {
		module := string(found[1])
		if strings.HasPrefix(p.tool+"/", module+"/") && len(module) > len(p.module) {
			p.module = module
			p.version = string(found[2])
		}
	}
	if p.module == "" {
		return pin{}, fmt.Errorf("%s: no module for %s", path, p.tool)
	}
	return p, nil
}

// isBuilt reports whether the program at path is of the pinned version.
func (p pin) isBuilt(path string) bool {
	info, err := buildinfo.ReadFile(path)
	return err == nil && info.Path == p.tool && info.Main.Version == p.version
}
