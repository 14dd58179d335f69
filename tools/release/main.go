// Command release makes what people download: for each system the program in an
// archive with its licences, a list of what it is built from (SBOM), and the
// checksums of all.
//
//	go run ./tools/release                  everything, into dist/VERSION
//	go run ./tools/release linux/arm64      one system, or several
//
// It builds what is committed, in a clone of its own, and then once more from
// nothing in another place: where the two differ by a byte there is no release. It
// asks no network for anything that the module cache has.
package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// target is a system that the program is built for.
type target struct{ os, arch string }

func (t target) String() string { return t.os + "/" + t.arch }

var targets = []target{
	{"linux", "amd64"}, {"linux", "arm64"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

// maxBinarySize is how large a program may be, in bytes.
const maxBinarySize = 25_000_000

func main() {
	out := flag.String("o", "dist", "the folder for the folder that is named by the version")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	wanted, err := choose(flag.Args())
	if err == nil {
		err = release(ctx, *out, wanted)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// choose returns the targets that are named, all if none is.
func choose(names []string) ([]target, error) {
	if len(names) == 0 {
		return targets, nil
	}
	var chosen []target
	for _, name := range names {
		i := slices.IndexFunc(targets, func(t target) bool { return t.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("%q is no system of a release; these are: %v", name, targets)
		}
		chosen = append(chosen, targets[i])
	}
	return chosen, nil
}

func release(ctx context.Context, out string, wanted []target) error {
	work, err := os.MkdirTemp("", "guestlist-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b, err := newBuilder(ctx, work)
	if err != nil {
		return err
	}
	partial := filepath.Join(out, ".partial") // on the disk of its later name
	if err := errors.Join(os.RemoveAll(partial), os.MkdirAll(partial, 0o755)); err != nil {
		return err
	}
	version := ""
	for _, t := range wanted {
		begun := time.Now()
		file, err := b.build(ctx, t)
		if err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		p, err := loadProgram(ctx, b.source(), file)
		if err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		if len(p.bytes) > maxBinarySize {
			return fmt.Errorf("%s: the program has %d bytes, more than %d", t, len(p.bytes), maxBinarySize)
		}
		if err := p.pack(partial, b.source(), t); err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		version = p.version()
		fmt.Printf("%-14s %s  %.1f MB, the same twice, in %.0f s\n", t, version, float64(len(p.bytes))/1e6, time.Since(begun).Seconds())
	}
	if err := writeSums(partial); err != nil {
		return err
	}
	final := filepath.Join(out, version)
	if err := errors.Join(os.RemoveAll(final), os.Rename(partial, final)); err != nil {
		return err
	}
	fmt.Println(final)
	return nil
}

// program is a built one, and what Go says is in it.
type program struct {
	bytes   []byte
	info    *buildinfo.BuildInfo
	time    time.Time // of its commit
	modules []module  // all that is in it of others, Go's own library at the end
}

func loadProgram(ctx context.Context, source, file string) (*program, error) {
	p := &program{}
	var err error
	if p.bytes, err = os.ReadFile(file); err != nil {
		return nil, err
	}
	if p.info, err = buildinfo.ReadFile(file); err != nil {
		return nil, err
	}
	for _, s := range p.info.Settings {
		if s.Key == "vcs.time" {
			p.time, err = time.Parse(time.RFC3339, s.Value)
		}
	}
	if err == nil {
		p.modules, err = modules(ctx, source, p.info)
	}
	return p, err
}

// version is the tag's, or what Go makes of a commit without one.
func (p *program) version() string { return p.info.Main.Version }

// name is what the files of a target begin with.
func (p *program) name(t target) string {
	return strings.Join([]string{"guestlist", strings.TrimPrefix(p.version(), "v"), t.os, t.arch}, "_")
}
