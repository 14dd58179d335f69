package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
)

// module is one of others that is in the program.
type module struct {
	path, version string
	sum           string   // as in go.sum; Go's own library has none
	texts         []string // its licences, word by word, each below the name of its file
}

// std is what Go's own library is called in lists of vulnerabilities.
const std = "stdlib"

// modules returns what a program is made of, each with its licences from where the
// source has it.
func modules(ctx context.Context, source string, info *buildinfo.BuildInfo) ([]module, error) {
	paths := []string{}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			return nil, fmt.Errorf("%s is replaced, so that nobody else gets the same; release without", dep.Path)
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
	var list []module
	for i, dep := range deps {
		m := module{path: dep.Path, version: dep.Version, sum: dep.Sum}
		if m.texts, err = readLicences(folders[i]); err != nil {
			return nil, err
		}
		if len(m.texts) == 0 {
			return nil, fmt.Errorf("%s has no file that looks like a licence; see whether it may be handed on", m.path)
		}
		list = append(list, m)
	}
	return list, nil
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice|patents)([-_.].*)?$`)

func readLicences(dir string) ([]string, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, f := range files {
		if !licenceFile.MatchString(f.Name()) || f.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		texts = append(texts, f.Name()+"\n\n"+strings.TrimSpace(string(text)))
	}
	return texts, nil
}

// licenceTexts is what the licences ask for: themselves, with every copy.
func licenceTexts(list []module) []byte {
	var out bytes.Buffer
	out.WriteString("Guestlist has the work of others in it. These are their licences.\n")
	for _, m := range list {
		fmt.Fprintf(&out, "\n%s\n%s %s\n", strings.Repeat("=", 80), m.path, m.version)
		for _, text := range m.texts {
			fmt.Fprintf(&out, "\n%s\n", text)
		}
	}
	return out.Bytes()
}

// known are sentences that stand in one licence each, by its name at
// https://spdx.org/licenses/.
var known = []struct{ id, sentence string }{
	{"Apache-2.0", "apache license version 2.0"},
	{"BSD-3-Clause", "may be used to endorse or promote products"},
	{"BSD-2-Clause", "redistribution and use in source and binary forms"},
	{"ISC", "permission to use, copy, modify, and/or distribute this software for any purpose"},
	{"MIT", "permission is hereby granted, free of charge, to any person obtaining a copy"},
	{"MPL-2.0", "mozilla public license version 2.0"},
	{"blessing", "the author disclaims copyright to this source code"},
}

// licences names those that are in a module's files, as an SPDX expression; empty
// if none is known. Several hold together, each for a part.
func (m module) licences() string {
	text := strings.ToLower(strings.NewReplacer(",", "", "*", "", "#", "").Replace(strings.Join(m.texts, " ")))
	text = strings.Join(strings.Fields(text), " ")
	var ids []string
	for _, k := range known {
		if !strings.Contains(text, strings.ReplaceAll(k.sentence, ",", "")) {
			continue
		}
		if k.id == "BSD-2-Clause" && strings.Count(text, k.sentence) == strings.Count(text, known[1].sentence) {
			continue // each is the beginning of the one with three clauses
		}
		ids = append(ids, k.id)
	}
	return strings.Join(ids, " AND ")
}
