package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/uuid"
)

// sbom lists what a program is made of, in CycloneDX's form as JSON. It says what Go
// has written into the program itself, and the same for the same program each time.
func (p *program) sbom(t target) ([]byte, error) {
	sum := sha256.Sum256(p.bytes)
	main := cdx.Component{
		Type: cdx.ComponentTypeApplication, Name: "guestlist", Version: p.version(),
		BOMRef: packageURL(p.info.Main.Path, p.version()), PackageURL: packageURL(p.info.Main.Path, p.version()) + "?goarch=" + t.arch + "&goos=" + t.os,
		Hashes:   &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
		Licenses: &cdx.Licenses{{License: &cdx.License{ID: "MIT"}}},
	}
	components, refs := []cdx.Component{}, []string{}
	for _, m := range p.modules {
		c, err := m.component()
		if err != nil {
			return nil, err
		}
		components, refs = append(components, c), append(refs, c.BOMRef)
	}
	bom := cdx.NewBOM()
	bom.SerialNumber = uuid.NewSHA1(uuid.NameSpaceURL, sum[:]).URN()
	bom.Metadata = &cdx.Metadata{Timestamp: p.time.UTC().Format(time.RFC3339), Component: &main}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	var out bytes.Buffer
	err := cdx.NewBOMEncoder(&out, cdx.BOMFileFormatJSON).SetPretty(true).SetEscapeHTML(false).EncodeVersion(bom, cdx.SpecVersion1_6)
	return out.Bytes(), err
}

func (m module) component() (cdx.Component, error) {
	url := packageURL(m.path, m.version)
	c := cdx.Component{Type: cdx.ComponentTypeLibrary, BOMRef: url, Name: m.path, Version: m.version, PackageURL: url}
	// A sum of go.sum is a SHA-256 over all files: https://go.dev/ref/mod#go-sum-files.
	if b64, ok := strings.CutPrefix(m.sum, "h1:"); ok {
		sum, err := base64.StdEncoding.DecodeString(b64)
		if err != nil {
			return c, err
		}
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
	}
	switch ids := m.licences(); {
	case strings.Contains(ids, " "):
		c.Licenses = &cdx.Licenses{{Expression: ids}}
	case ids != "":
		c.Licenses = &cdx.Licenses{{License: &cdx.License{ID: ids}}}
	}
	return c, nil
}

// packageURL names a module as scanners look for it (https://github.com/package-url/purl-spec).
// The spec has Go's paths in lower case; whoever looks for holes has them as they are.
func packageURL(path, version string) string {
	if path == std {
		version = strings.TrimPrefix(version, "go")
	}
	return "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
}
