package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
)

// ask asks for an asset; headers alternate: a name and its value.
func ask(method, name string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "/"+Load().Path(name), nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	Load().ServeHTTP(w, r)
	return w.Result()
}

// unpack reads what was compressed.
func unpack(t *testing.T, coding string, body io.Reader) string {
	t.Helper()
	var err error
	switch coding {
	case "gzip":
		body, err = gzip.NewReader(body)
	case "br":
		body = brotli.NewReader(body)
	}
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestAssets_Coding(t *testing.T) {
	t.Parallel()
	plain, err := files.ReadFile("css/app.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, accept, coding string }{
		{"plain to who does not say what they take", "", ""},
		{"plain to who takes something else", "zstd, deflate", ""},
		{"gzip to who takes that", "gzip, deflate", "gzip"},
		{"gzip to who refuses Brotli", "br;q=0, gzip", "gzip"},
		{"Brotli to browsers", "gzip, deflate, br, zstd", "br"},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			t.Run(row.name+" by "+method, func(t *testing.T) {
				t.Parallel()
				answer := ask(method, "css/app.css", "Accept-Encoding", row.accept)
				if got := answer.Header.Get("Content-Encoding"); got != row.coding || answer.StatusCode != http.StatusOK {
					t.Fatalf("%d, and the coding is %q, want %q", answer.StatusCode, got, row.coding)
				}
				body, err := io.ReadAll(answer.Body)
				if err != nil {
					t.Fatal(err)
				}
				length, _ := strconv.Atoi(answer.Header.Get("Content-Length"))
				if method == "HEAD" {
					if len(body) > 0 || length < 1000 {
						t.Errorf("%d bytes, and the header says %d", len(body), length)
					}
					return
				}
				if length != len(body) {
					t.Errorf("%d bytes, and the header says %d", len(body), length)
				}
				if diff := cmp.Diff(string(plain), unpack(t, row.coding, bytes.NewReader(body))); diff != "" {
					t.Errorf("content (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestAssets_NotModified(t *testing.T) {
	t.Parallel()
	tags := map[string]bool{}
	for _, coding := range []string{"br", "gzip", ""} {
		tag := ask("GET", "css/app.css", "Accept-Encoding", coding).Header.Get("ETag")
		if len(tag) < 14 || tag[0] != '"' || tags[tag] {
			t.Errorf("the tag in coding %q is %s, and the others' are %v", coding, tag, tags)
		}
		tags[tag] = true
	}
	mine := ask("GET", "css/app.css", "Accept-Encoding", "br").Header.Get("ETag")
	for name, row := range map[string]struct {
		tags string
		want int
	}{
		"the same":              {mine, 304},
		"the same among others": {`"other", ` + mine, 304},
		"the same, made weak":   {"W/" + mine, 304},
		"any":                   {"*", 304},
		"another":               {`"other"`, 200},
	} {
		answer := ask("GET", "css/app.css", "Accept-Encoding", "br", "If-None-Match", row.tags)
		body, _ := io.ReadAll(answer.Body)
		if answer.StatusCode != row.want || (len(body) == 0) != (row.want == 304) {
			t.Errorf("%s: %d with %d bytes, want %d", name, answer.StatusCode, len(body), row.want)
		}
		for header, want := range map[string]string{"ETag": mine, "Vary": "Accept-Encoding", "Cache-Control": "public, max-age=31536000, immutable"} {
			if got := answer.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
	}
	if answer := ask("GET", "css/app.css", "Accept-Encoding", "gzip", "If-None-Match", mine); answer.StatusCode != 200 {
		t.Errorf("one that has it in another coding: %d", answer.StatusCode)
	}
}

func TestAssets_PackedFilesAreCurrent(t *testing.T) {
	t.Parallel()
	var want []string
	for path, content := range Load().All() {
		for _, coding := range codings {
			name := PackedName(path, coding)
			want = append(want, name)
			packed, err := files.Open("packed/" + name)
			if err != nil {
				t.Errorf("%v: run `make generate`", err)
				continue
			}
			if unpack(t, coding, packed) != string(content) {
				t.Errorf("packed/%s holds something else: run `make generate`", name)
			}
		}
	}
	entries, err := files.ReadDir("packed")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, entry := range entries {
		there[entry.Name()] = true
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(maps.Keys(there))); diff != "" {
		t.Errorf("run `make generate` (-want +there):\n%s", diff)
	}
}

func TestAssets_NothingElseIsServed(t *testing.T) {
	t.Parallel()
	assets := Load()
	for _, path := range []string{"/", "/css/", "/css/app.css", "/packed/", "/templates/layout.html", "/../static.go"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "/", nil)
			r.URL.Path = path
			w := httptest.NewRecorder()
			assets.ServeHTTP(w, r)
			if w.Code != 404 {
				t.Errorf("answered %d", w.Code)
			}
		})
	}
}
