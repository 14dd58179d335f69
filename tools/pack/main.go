// Command pack compresses what browsers fetch into the folder static/packed, as
// small as it gets, so that the program needs neither time nor memory for it. It
// is part of `make generate`.
package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/andybalholm/brotli"

	"github.com/guestlist/guestlist/static"
)

const folder = "static/packed"

func main() {
	log.SetFlags(0)
	if err := pack(); err != nil {
		log.Fatal("pack: ", err)
	}
}

// pack writes the files anew and deletes those of an older content.
func pack() error {
	old, err := filepath.Glob(folder + "/*")
	if err != nil {
		return err
	}
	written := map[string]bool{}
	for name, content := range static.Load().All() {
		var br, gz bytes.Buffer
		gzWriter, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
		if err != nil {
			return err
		}
		for _, w := range []io.WriteCloser{gzWriter, brotli.NewWriterLevel(&br, brotli.BestCompression)} {
			w.Write(content) // a buffer takes everything
			w.Close()
		}
		for coding, packed := range map[string][]byte{"br": br.Bytes(), "gzip": gz.Bytes()} {
			file := filepath.Join(folder, static.PackedName(name, coding))
			if err := os.WriteFile(file, packed, 0o644); err != nil {
				return err
			}
			written[file] = true
		}
	}
	for _, file := range old {
		if !written[file] {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	return nil
}
