package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// entry is a file in an archive.
type entry struct {
	name string
	mode os.FileMode
	data []byte
}

// pack writes the archive of a target, and its SBOM beside it. Every time in them is
// that of the commit.
func (p *program) pack(dir, source string, t target) error {
	suffix := ""
	if t.os == "windows" {
		suffix = ".exe"
	}
	entries := []entry{{"guestlist" + suffix, 0o755, p.bytes}}
	for _, name := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		data, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return err
		}
		entries = append(entries, entry{name, 0o644, data})
	}
	entries = append(entries, entry{"LICENSE-3RD-PARTY.txt", 0o644, licenceTexts(p.modules)})

	write, ending := tarGz, ".tar.gz"
	if t.os == "windows" {
		write, ending = zipped, ".zip"
	}
	name := p.name(t)
	for i := range entries {
		entries[i].name = name + "/" + entries[i].name
	}
	archive, err := write(entries, p.time)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, name+ending), archive, 0o644); err != nil {
		return err
	}
	sbom, err := p.sbom(t)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name+".cdx.json"), sbom, 0o644)
}

// tarGz says nothing of who made it, or when or where.
func tarGz(entries []entry, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	zw, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	tw := tar.NewWriter(zw)
	for _, e := range entries {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: e.name, Mode: int64(e.mode), Size: int64(len(e.data)), ModTime: at, Format: tar.FormatUSTAR}
		if err := tw.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := tw.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := tw.Close(); err != nil {
		return nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func zipped(entries []entry, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	zw := zip.NewWriter(&out)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: at.UTC()}
		h.SetMode(e.mode)
		w, err := zw.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// writeSums writes the checksum of every file in a folder, as sha256sum does.
func writeSums(dir string) error {
	files, err := os.ReadDir(dir) // in order of their names
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), f.Name())
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(sums.String()), 0o644)
}
