package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// builder has two clones of what is committed, in folders of different length.
type builder struct{ work, first, second string }

func newBuilder(ctx context.Context, work string) (*builder, error) {
	changed, err := run(ctx, "", "git", "status", "--porcelain")
	if err != nil {
		return nil, err
	}
	if changed != "" {
		return nil, errors.New("a release is of what is committed; commit or stash what `git status` shows")
	}
	commit, err := run(ctx, "", "git", "rev-parse", "HEAD")
	if err != nil {
		return nil, err
	}
	b := &builder{work: work, first: filepath.Join(work, "first"), second: filepath.Join(work, "another", "place")}
	for _, dir := range []string{b.first, b.second} {
		if _, err := run(ctx, "", "git", "clone", "--quiet", "--no-checkout", "--config", "core.autocrlf=false", ".", dir); err != nil {
			return nil, err
		}
		if _, err := run(ctx, dir, "git", "checkout", "--quiet", "--detach", commit); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// source is where the files are that the program is built from.
func (b *builder) source() string { return b.first }

// build returns the file of the program for a target. It is built a second time
// with nothing from the cache of builds, or that would be compared with itself.
func (b *builder) build(ctx context.Context, t target) (string, error) {
	first, second := filepath.Join(b.work, "guestlist"), filepath.Join(b.work, "guestlist-again")
	if err := compile(ctx, b.first, first, t); err != nil {
		return "", err
	}
	if err := compile(ctx, b.second, second, t, "-a"); err != nil {
		return "", err
	}
	one, err := os.ReadFile(first)
	if err != nil {
		return "", err
	}
	two, err := os.ReadFile(second)
	if err != nil {
		return "", err
	}
	if !bytes.Equal(one, two) {
		return "", errors.New("built in another folder it is another program; something of the folder is in it")
	}
	return first, nil
}

// compile builds in dir.
func compile(ctx context.Context, dir, to string, t target, more ...string) error {
	env, err := environ(ctx, t)
	if err != nil {
		return err
	}
	args := append([]string{"build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w", "-o", to}, more...)
	cmd := exec.CommandContext(ctx, "go", append(args, ".")...)
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(cmd.Args[1:], " "), err, out)
	}
	return nil
}

// environ is what Go builds a target with. What is set on the machine that builds has
// no say in what comes out, but in where modules are: neither in the environment, nor
// by `go env -w`, which counts where a variable is empty.
func environ(ctx context.Context, t target) ([]string, error) {
	modules, err := run(ctx, "", "go", "env", "GOMODCACHE", "GOPROXY")
	if err != nil {
		return nil, err
	}
	cache, proxy, _ := strings.Cut(modules, "\n")
	return append(os.Environ(), "GOENV=off", "GOMODCACHE="+cache, "GOPROXY="+proxy, "GOOS="+t.os, "GOARCH="+t.arch, "CGO_ENABLED=0",
		"GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off"), nil
}

// run runs a program in a folder and returns what it prints.
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
