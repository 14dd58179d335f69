// Command release adds to a built program what its users need to know about its dependencies:
//
//	go run ./tools/release PROGRAM SBOM
//
// It writes a software bill of materials in CycloneDX format to SBOM, and the licences of all
// modules in the program to LICENSE-3RD-PARTY.txt, both in the directory of the program.
// GoReleaser calls it for each program (goreleaser.yaml), from the root of the repository.
package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
)

// maxProgramSize is the largest program that may be released, in bytes.
const maxProgramSize = 30_000_000

func main() {
	log.SetFlags(0)
	log.SetPrefix("release: ")
	if len(os.Args) != 3 {
		log.Fatal("usage: go run ./tools/release PROGRAM SBOM")
	}
	if err := describe(context.Background(), os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

// describe writes the SBOM and the licences of a program beside it. It returns an error if the
// program is too large or has a dependency that may not be distributed as it is.
func describe(ctx context.Context, path, sbomName string) error {
	p, err := loadProgram(ctx, ".", path)
	if err != nil {
		return err
	}
	if len(p.content) > maxProgramSize {
		return fmt.Errorf("%s has %d bytes, the limit is %d", path, len(p.content), maxProgramSize)
	}
	sbom, err := p.sbom()
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.WriteFile(filepath.Join(dir, sbomName), sbom, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "LICENSE-3RD-PARTY.txt"), licenceTexts(p.modules), 0o644)
}

// program is a built program with the build information it contains.
type program struct {
	content    []byte
	info       *buildinfo.BuildInfo
	commitTime time.Time
	modules    []module // the dependencies, the Go standard library last
}

// loadProgram reads a program and its dependencies. source is the directory of the module that
// the program was built from.
func loadProgram(ctx context.Context, source, path string) (*program, error) {
	p := &program{}
	var err error
	if p.content, err = os.ReadFile(path); err != nil {
		return nil, err
	}
	if p.info, err = buildinfo.ReadFile(path); err != nil {
		return nil, err
	}
	if at := p.setting("vcs.time"); at != "" {
		if p.commitTime, err = time.Parse(time.RFC3339, at); err != nil {
			return nil, err
		}
	}
	p.modules, err = readModules(ctx, source, p.info)
	return p, err
}

// setting returns a build setting such as "GOOS", or an empty string.
func (p *program) setting(key string) string {
	for _, s := range p.info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// version returns the tag of the commit, or the pseudo-version that Go gives an untagged commit.
func (p *program) version() string { return p.info.Main.Version }

// readModules returns the modules in a program with their licences, which it reads from the
// module cache.
func readModules(ctx context.Context, source string, info *buildinfo.BuildInfo) ([]module, error) {
	paths := []string{}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			return nil, fmt.Errorf("%s is replaced in go.mod; a release must be reproducible from published modules", dep.Path)
		}
		paths = append(paths, dep.Path)
	}
	dirs, err := run(ctx, source, "go", append([]string{"list", "-m", "-f", "{{.Dir}}"}, paths...)...)
	if err != nil {
		return nil, err
	}
	goroot, err := run(ctx, source, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	deps := append(info.Deps[:len(info.Deps):len(info.Deps)], &debug.Module{Path: std, Version: info.GoVersion})
	folders := append(strings.Split(dirs, "\n"), goroot)
	var modules []module
	for i, dep := range deps {
		m := module{path: dep.Path, version: dep.Version, sum: dep.Sum}
		if m.licences, err = readLicences(folders[i]); err != nil {
			return nil, err
		}
		if len(m.licences) == 0 {
			return nil, fmt.Errorf("%s has no licence file; check that it may be distributed", m.path)
		}
		modules = append(modules, m)
	}
	return modules, nil
}

// run runs a command in a directory and returns its output without surrounding space.
func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, &stderr)
	}
	return strings.TrimSpace(string(out)), nil
}
