// Package static embeds what browsers get: style sheet, scripts and images under names that contain
// a checksum of their content, so that they can be cached for ever, and the page templates, which
// are not served. `make generate` writes compressed copies of the assets, also named by checksum:
// an asset that was changed since is served uncompressed.
package static

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"iter"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed css js img templates packed
var files embed.FS

// Templates returns the folder of page templates.
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

// file is the content of an asset by coding. The empty coding is uncompressed.
type file map[string][]byte

// codings are the codings of assets, the smallest first.
var codings = []string{"br", "gzip"}

// Load returns the embedded assets. They are read once.
func Load() *Assets { return newAssets() }

var newAssets = sync.OnceValue(func() *Assets {
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
	a.files[checksummed] = file{"": content}
	for _, coding := range codings {
		if packed, err := files.ReadFile("packed/" + PackedName(checksummed, coding)); err == nil {
			a.files[checksummed][coding] = packed
		}
	}
}

// PackedName returns the name in the folder packed of a compressed asset.
func PackedName(path, coding string) string {
	return strings.ReplaceAll(path, "/", "-") + "." + coding
}

// All yields every asset by its checksummed path, uncompressed.
func (a *Assets) All() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for path, f := range a.files {
			if !yield(path, f[""]) {
				return
			}
		}
	}
}

// Path returns the path below /static/ of an asset such as "css/app.css". It panics if there is
// none, which is an error in a template.
func (a *Assets) Path(name string) string {
	p, ok := a.paths[name]
	if !ok {
		panic("static: no asset " + name)
	}
	return p
}

// Content returns an asset such as "css/app.css", uncompressed. It panics if there is none.
func (a *Assets) Content(name string) []byte { return a.files[a.Path(name)][""] }

// types are the content types of assets.
var types = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// ServeHTTP serves an asset by its checksummed path below /static/, in the coding that the browser
// prefers. It answers 304 if the browser has it already.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	f, ok := a.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", types[path.Ext(name)])
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	coding := Negotiate(r.Header, codings...)
	content, ok := f[coding]
	if !ok {
		coding, content = "", f[""]
	}
	if coding != "" {
		h.Set("Content-Encoding", coding)
		h.Set("Content-Length", strconv.Itoa(len(content)))
	}
	h.Set("ETag", entityTag(name, coding))
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
}

// entityTag returns the ETag of an asset in a coding.
func entityTag(name, coding string) string { return strconv.Quote(path.Base(name) + "." + coding) }
