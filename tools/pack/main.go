// Command pack compresses the assets in static with Brotli and gzip, at their highest levels, into
// static/packed. The program embeds these files and serves them as they are. `make generate` runs it.
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

const dir = "static/packed"

func main() {
	log.SetFlags(0)
	if err := pack(); err != nil {
		log.Fatal("pack: ", err)
	}
}

// pack writes the compressed files and deletes those of earlier versions of the assets.
func pack() error {
	old, err := filepath.Glob(dir + "/*")
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
			w.Write(content) // a bytes.Buffer returns no errors
			w.Close()
		}
		for coding, packed := range map[string][]byte{"br": br.Bytes(), "gzip": gz.Bytes()} {
			path := filepath.Join(dir, static.PackedName(name, coding))
			if err := os.WriteFile(path, packed, 0o644); err != nil {
				return err
			}
			written[path] = true
		}
	}
	for _, path := range old {
		if !written[path] {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}
