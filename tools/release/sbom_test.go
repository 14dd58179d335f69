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

func TestTheSBOMHasEveryModuleOfTheProgramWithItsLicence(t *testing.T) {
	t.Parallel()
	here := target{runtime.GOOS, runtime.GOARCH}
	file := filepath.Join(t.TempDir(), "guestlist")
	if _, err := run(t.Context(), "../..", "go", "build", "-o", file, "."); err != nil {
		t.Fatal(err)
	}
	p, err := loadProgram(t.Context(), "../..", file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := p.sbom(here)
	if err != nil {
		t.Fatal(err)
	}
	var bom cdx.BOM
	if err := json.Unmarshal(text, &bom); err != nil {
		t.Fatal(err)
	}

	// What is in a program, as Go's list of packages has it.
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
			t.Errorf("no licence is known of %s; add a sentence of it to known", c.Name)
		}
		if c.Hashes == nil && c.Name != std {
			t.Errorf("%s has no checksum", c.Name)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), got); diff != "" {
		t.Errorf("-in the program +in the SBOM:\n%s", diff)
	}
	if again, err := p.sbom(here); err != nil || string(again) != string(text) {
		t.Errorf("a second one is another: %v", err)
	}
	validate(t, text)
}

// validate goes by the schema that is handed out with the library.
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

func TestALicenceIsKnownByItsWords(t *testing.T) {
	t.Parallel()
	const two = "Redistribution and use in source and binary forms, with or without\nmodification"
	const three = two + " … may be used to\nendorse or promote products"
	for _, row := range []struct{ text, want string }{
		{"Permission is hereby granted, free of charge, to any person\nobtaining a copy", "MIT"},
		{"   Apache License\n   Version 2.0, January 2004", "Apache-2.0"},
		{two, "BSD-2-Clause"},
		{three, "BSD-3-Clause"},
		{three + "\n" + two, "BSD-3-Clause AND BSD-2-Clause"},
		{"All rights reserved.", ""},
	} {
		if got := (module{texts: []string{row.text}}).licences(); got != row.want {
			t.Errorf("%q is %q, want %q", row.text, got, row.want)
		}
	}
}
