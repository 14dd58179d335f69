package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAnArchiveSaysNothingOfWhenAndWhereItWasMade(t *testing.T) {
	t.Parallel()
	entries := []entry{{"guestlist_1/guestlist", 0o755, []byte("program")}, {"guestlist_1/LICENSE", 0o644, []byte("MIT")}}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	want := []string{"guestlist_1/guestlist -rwxr-xr-x 2026-03-01T12:00:00Z program", "guestlist_1/LICENSE -rw-r--r-- 2026-03-01T12:00:00Z MIT"}
	for kind, row := range map[string]struct {
		write func([]entry, time.Time) ([]byte, error)
		read  func([]byte) ([]string, error)
	}{"tar.gz": {tarGz, readTarGz}, "zip": {zipped, readZip}} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			here, err := row.write(entries, at)
			if err != nil {
				t.Fatal(err)
			}
			// The same moment, told by the clock of another place.
			elsewhere, err := row.write(entries, at.In(time.FixedZone("east", 5*60*60)))
			if err != nil || !bytes.Equal(here, elsewhere) {
				t.Errorf("made elsewhere it is another archive: %v", err)
			}
			got, err := row.read(here)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

func readTarGz(archive []byte) ([]string, error) {
	zr, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	var lines []string
	for tr := tar.NewReader(zr); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			return nil, err
		}
		if h.Uid != 0 || h.Uname != "" || h.Gname != "" {
			return nil, fmt.Errorf("%s is somebody's: %d %q", h.Name, h.Uid, h.Uname)
		}
		lines = append(lines, fmt.Sprint(h.Name, " ", h.FileInfo().Mode(), " ", h.ModTime.UTC().Format(time.RFC3339), " ", string(data)))
	}
}

func readZip(archive []byte) ([]string, error) {
	zr, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, f := range zr.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprint(f.Name, " ", f.Mode(), " ", f.Modified.UTC().Format(time.RFC3339), " ", string(data)))
	}
	return lines, nil
}

func TestTheChecksumsAreThoseOfSha256sum(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"b.zip": "", "a.tar.gz": "abc"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeSums(dir); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	// Of "abc" and of nothing, from FIPS 180-4's examples.
	want := "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.tar.gz\n" +
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b.zip\n"
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
}

func TestOnlySystemsThatThereAreCanBeNamed(t *testing.T) {
	t.Parallel()
	if all, err := choose(nil); err != nil || len(all) != 6 {
		t.Errorf("%v, %v", all, err)
	}
	if one, err := choose([]string{"linux/arm64"}); err != nil || len(one) != 1 {
		t.Errorf("%v, %v", one, err)
	}
	if some, err := choose([]string{"linux/amd64", "linux"}); err == nil {
		t.Errorf("%v", some)
	}
}
