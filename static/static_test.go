package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAssetsAreServed(t *testing.T) {
	t.Parallel()
	plain, err := files.ReadFile("css/app.css")
	if err != nil {
		t.Fatal(err)
	}
	assets := Load()
	for _, test := range []struct {
		name     string
		accept   string
		encoding string
	}{
		{"plain to who does not say what they take", "", ""},
		{"plain to who takes something else", "br, deflate", ""},
		{"plain to who refuses gzip", "gzip;q=0, br", ""},
		{"plain to who refuses gzip at length", "gzip; q=0.000", ""},
		{"compressed to browsers", "gzip, deflate, br, zstd", "gzip"},
		{"compressed to who would rather have something else", "br;q=1.0, gzip;q=0.05", "gzip"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest("GET", "/"+assets.Path("css/app.css"), nil)
			r.Header.Set("Accept-Encoding", test.accept)
			w := httptest.NewRecorder()
			assets.ServeHTTP(w, r)
			if got := w.Header().Get("Content-Encoding"); got != test.encoding {
				t.Fatalf("Content-Encoding is %q, want %q", got, test.encoding)
			}
			body := w.Body.Bytes()
			if test.encoding == "gzip" {
				unpacked, err := gzip.NewReader(bytes.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				if body, err = io.ReadAll(unpacked); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(plain), string(body)); diff != "" {
				t.Errorf("content (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingElseIsServed(t *testing.T) {
	t.Parallel()
	assets := Load()
	for _, path := range []string{"/", "/css/", "/css/app.css", "/templates/layout.html", "/../static.go"} {
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
