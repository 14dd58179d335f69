// Package static holds everything a browser gets: style sheet, scripts and
// pictures under names that carry a checksum of their content, so that they may
// be kept for ever, and the page templates, which are not served. What is served
// is compressed once, at start.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed css js img templates
var files embed.FS

// Templates is the folder of page templates.
func Templates() fs.FS {
	sub, err := fs.Sub(files, "templates")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return sub
}

// Assets are the files that browsers fetch.
type Assets struct {
	paths map[string]string // name -> checksummed path: css/app.css -> css/app.0123456789ab.css
	files map[string]file   // by checksummed path
}

type file struct{ plain, gzipped []byte }

// Load returns the embedded assets. They are read and compressed once, however
// many parts of the program ask.
func Load() *Assets { return load() }

var load = sync.OnceValue(func() *Assets {
	a := &Assets{paths: map[string]string{}, files: map[string]file{}}
	for _, dir := range []string{"css", "js", "img"} {
		entries, err := files.ReadDir(dir)
		if err != nil {
			panic(err) // the folder is embedded above
		}
		for _, entry := range entries {
			a.add(path.Join(dir, entry.Name()))
		}
	}
	return a
})

func (a *Assets) add(name string) {
	content, err := files.ReadFile(name)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(content)
	ext := path.Ext(name)
	checksummed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	a.paths[name] = checksummed
	a.files[checksummed] = file{plain: content, gzipped: compress(content)}
}

func compress(content []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic(err) // the level is one of the package's own
	}
	w.Write(content) // a buffer takes everything
	w.Close()
	return b.Bytes()
}

// Path returns the path below /static/ of an asset such as "css/app.css". It
// panics for a name that does not exist: a template's typing error.
func (a *Assets) Path(name string) string {
	p, ok := a.paths[name]
	if !ok {
		panic("static: no asset " + name)
	}
	return p
}

// types of what is served; anything else is not.
var types = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// ServeHTTP serves the asset of a checksummed path, relative to /static/.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := a.files[strings.TrimPrefix(r.URL.Path, "/")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", types[path.Ext(r.URL.Path)])
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Vary", "Accept-Encoding")
	if acceptsGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(f.gzipped)
		return
	}
	w.Write(f.plain)
}

// acceptsGzip reports whether the browser lists gzip, without a weight or with
// one above zero.
func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(coding, ";")
		if strings.TrimSpace(name) == "gzip" {
			return strings.Trim(weight, " q=0.") != "" || strings.TrimSpace(weight) == ""
		}
	}
	return false
}
