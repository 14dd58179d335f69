package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// module is a dependency of a program.
type module struct {
	path     string
	version  string
	sum      string // as in go.sum; empty for the Go standard library
	licences []licence
}

// std is the name of the Go standard library in vulnerability databases.
const std = "stdlib"

// licence is a licence file.
type licence struct{ name, text string }

var licenceFile = regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice|patents)([-_.].*)?$`)

// readLicences returns the licence files in a directory.
func readLicences(dir string) ([]licence, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var licences []licence
	for _, f := range files {
		if !licenceFile.MatchString(f.Name()) || f.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		licences = append(licences, licence{f.Name(), strings.TrimSpace(string(text))})
	}
	return licences, nil
}

// licenceTexts returns the licences of all modules in full, as most of them require.
func licenceTexts(modules []module) []byte {
	var out bytes.Buffer
	out.WriteString("Guestlist contains the following modules. These are their licences.\n")
	for _, m := range modules {
		fmt.Fprintf(&out, "\n%s\n%s %s\n", strings.Repeat("=", 80), m.path, m.version)
		for _, l := range m.licences {
			fmt.Fprintf(&out, "\n%s\n\n%s\n", l.name, l.text)
		}
	}
	return out.Bytes()
}

// spdx returns the licences of a module as an SPDX expression, or an empty string if none was
// recognized. All of them apply, each to a part of the module.
func (m module) spdx() string {
	var ids []string
	for _, l := range m.licences {
		for _, match := range licensecheck.Scan([]byte(l.text)).Match {
			// Google's patent grant has no SPDX identifier.
			if match.ID != "GooglePatentsFile" && !match.IsURL {
				ids = append(ids, match.ID)
			}
		}
	}
	slices.Sort(ids)
	return strings.Join(slices.Compact(ids), " AND ")
}
