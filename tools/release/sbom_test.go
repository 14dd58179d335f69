package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestSBOM_ListsEveryModuleWithItsLicence(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "guestlist")
	if _, err := run(t.Context(), "../..", "go", "build", "-o", file, "."); err != nil {
		t.Fatal(err)
	}
	p, err := loadProgram(t.Context(), "../..", file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := p.sbom()
	if err != nil {
		t.Fatal(err)
	}
	var bom cdx.BOM
	if err := json.Unmarshal(text, &bom); err != nil {
		t.Fatal(err)
	}

	// The modules that Go's list of packages says are in the program.
	out, err := run(t.Context(), "../..", "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", ".")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{std + " " + runtime.Version(): true}
	for _, line := range strings.Fields(strings.ReplaceAll(out, " ", "@")) {
		want[strings.ReplaceAll(line, "@", " ")] = true
	}
	var got []string
	for _, c := range *bom.Components {
		got = append(got, c.Name+" "+c.Version)
		if c.Licenses == nil {
			t.Errorf("the licence of %s is not recognized", c.Name)
		}
		if c.Hashes == nil && c.Name != std {
			t.Errorf("%s has no checksum", c.Name)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), got); diff != "" {
		t.Errorf("-in the program, +in the SBOM:\n%s", diff)
	}
	if again, err := p.sbom(); err != nil || string(again) != string(text) {
		t.Errorf("a second SBOM of the program differs: %v", err)
	}
	validate(t, text)
}

// validate checks an SBOM against the schema that comes with the CycloneDX library.
func validate(t *testing.T, sbom []byte) {
	t.Helper()
	dir, err := run(t.Context(), "../..", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go")
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	for name, file := range map[string]string{"bom-1.6": "bom-1.6.schema.json", "spdx": "spdx.schema.json", "jsf-0.82": "jsf-0.82.schemax.json"} {
		f, err := os.Open(filepath.Join(dir, "schema", file))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		doc, err := jsonschema.UnmarshalJSON(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("http://cyclonedx.org/schema/"+name+".schema.json", doc); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(sbom)))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Error(err)
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "guestlist")
	if _, err := run(t.Context(), "../..", "go", "build", "-ldflags=-s -w", "-o", path, "."); err != nil {
		t.Fatal(err)
	}
	if err := describe(t.Context(), path, "sbom.json"); err != nil {
		t.Fatal(err)
	}
	licences, err := os.ReadFile(filepath.Join(filepath.Dir(path), "LICENSE-3RD-PARTY.txt"))
	for _, want := range []string{"github.com/spf13/cobra v", "stdlib go", "Apache License", "Copyright 2009 The Go Authors"} {
		if err != nil || !strings.Contains(string(licences), want) {
			t.Errorf("no %q in the licences, %v", want, err)
		}
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(path), "sbom.json")); err != nil {
		t.Error(err)
	}

	if err := os.Truncate(path, maxProgramSize+1); err != nil {
		t.Fatal(err)
	}
	if err := describe(t.Context(), path, "sbom.json"); err == nil || !strings.Contains(err.Error(), "30000001 bytes") {
		t.Errorf("a program of %d bytes: %v", maxProgramSize+1, err)
	}
}

func TestModuleSPDX_NamesEveryLicenceOnce(t *testing.T) {
	t.Parallel()
	dir, err := run(t.Context(), "../..", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/spf13/cobra")
	if err != nil {
		t.Fatal(err)
	}
	apache, err := readLicences(dir)
	if err != nil {
		t.Fatal(err)
	}
	goroot, err := run(t.Context(), "../..", "go", "env", "GOROOT")
	if err != nil {
		t.Fatal(err)
	}
	bsdAndPatents, err := readLicences(goroot)
	if err != nil {
		t.Fatal(err)
	}
	unknown := []licence{{"LICENSE", "All rights reserved."}}
	for _, row := range []struct {
		licences []licence
		want     string
	}{
		{apache, "Apache-2.0"},
		{bsdAndPatents, "BSD-3-Clause"},
		{slices.Concat(bsdAndPatents, apache, apache, unknown), "Apache-2.0 AND BSD-3-Clause"},
		{unknown, ""},
	} {
		if got := (module{licences: row.licences}).spdx(); got != row.want {
			t.Errorf("got %q, want %q", got, row.want)
		}
	}
}
