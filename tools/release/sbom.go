package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/uuid"
)

// sbom returns the program's software bill of materials as CycloneDX JSON. It is derived from the
// build information in the program and is the same for the same program.
func (p *program) sbom() ([]byte, error) {
	sum := sha256.Sum256(p.content)
	ref := packageURL(p.info.Main.Path, p.version())
	main := cdx.Component{
		Type:       cdx.ComponentTypeApplication,
		Name:       "guestlist",
		Version:    p.version(),
		BOMRef:     ref,
		PackageURL: fmt.Sprintf("%s?goarch=%s&goos=%s", ref, p.setting("GOARCH"), p.setting("GOOS")),
		Hashes:     &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
		Licenses:   &cdx.Licenses{{License: &cdx.License{ID: "MIT"}}},
	}
	var components []cdx.Component
	var refs []string
	for _, m := range p.modules {
		c, err := m.component()
		if err != nil {
			return nil, err
		}
		components = append(components, c)
		refs = append(refs, c.BOMRef)
	}
	bom := cdx.NewBOM()
	bom.SerialNumber = uuid.NewSHA1(uuid.NameSpaceURL, sum[:]).URN()
	bom.Metadata = &cdx.Metadata{Timestamp: p.commitTime.UTC().Format(time.RFC3339), Component: &main}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	var out bytes.Buffer
	err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, cdx.SpecVersion1_6)
	return out.Bytes(), err
}

// component returns a module as a component of the SBOM.
func (m module) component() (cdx.Component, error) {
	url := packageURL(m.path, m.version)
	c := cdx.Component{Type: cdx.ComponentTypeLibrary, BOMRef: url, Name: m.path, Version: m.version, PackageURL: url}
	// A checksum in go.sum is a SHA-256 of all files: https://go.dev/ref/mod#go-sum-files
	if encoded, ok := strings.CutPrefix(m.sum, "h1:"); ok {
		sum, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return c, err
		}
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
	}
	switch expression := m.spdx(); {
	case strings.Contains(expression, " "):
		c.Licenses = &cdx.Licenses{{Expression: expression}}
	case expression != "":
		c.Licenses = &cdx.Licenses{{License: &cdx.License{ID: expression}}}
	}
	return c, nil
}

// packageURL returns the package URL of a module version
// (https://github.com/package-url/purl-spec). The specification asks for lower case, but
// vulnerability databases use the path as it is written.
func packageURL(path, version string) string {
	if path == std {
		version = strings.TrimPrefix(version, "go")
	}
	return "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
}
