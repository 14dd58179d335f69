package middleware

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestCompress_ByResponse(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("people ", 200)
	for _, row := range []struct {
		name   string
		status int // 0 if the handler sets none
		header []string
		body   string
		want   bool
	}{
		{"a page", 200, []string{"Content-Type", "text/html", "Content-Length", "1400"}, long, true},
		{"an error page", 422, []string{"Content-Type", "text/html", "Content-Length", "1400"}, long, true},
		{"a page of just the smallest length", 200, []string{"Content-Type", "text/html", "Content-Length", "1024"}, long[:1024], true},
		{"a page below the smallest length", 200, []string{"Content-Type", "text/html", "Content-Length", "1023"}, long[:1023], false},
		{"a file of unknown length", 0, []string{"Content-Type", "text/csv"}, long, true},
		{"a redirect, of unknown length", 303, []string{"Content-Type", "text/html"}, long, false},
		{"a response without a type", 200, []string{"Content-Length", "1400"}, long, false},
		{"an asset with a coding of its own", 200, []string{"Content-Type", "text/css", "Content-Encoding", "br", "Content-Length", "1400"}, long, false},
		{"an asset that is served in ranges", 200, []string{"Content-Type", "text/css", "Accept-Ranges", "bytes", "Content-Length", "1400"}, long, false},
		{"a secret", 200, []string{"Content-Type", "text/html", "Cache-Control", "no-store, no-transform", "Content-Length", "1400"}, long, false},
		{"nothing", 204, nil, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			response := compressed(t, func(w http.ResponseWriter, _ *http.Request) {
				for i := 0; i < len(row.header); i += 2 {
					w.Header().Set(row.header[i], row.header[i+1])
				}
				if row.status != 0 {
					w.WriteHeader(row.status)
				}
				for part := range strings.SplitAfterSeq(row.body, " ") {
					_, _ = io.WriteString(w, part)
				}
			})
			body := io.Reader(response.Body)
			got := response.Header.Get("Content-Encoding") == "gzip"
			if got != row.want {
				t.Fatalf("compressed is %v, want %v", got, row.want)
			}
			if got {
				var err error
				if body, err = gzip.NewReader(body); err != nil {
					t.Fatal(err)
				}
			}
			if b, err := io.ReadAll(body); err != nil || string(b) != row.body {
				t.Errorf("the body is %q, %v", b, err)
			}
			if response.StatusCode != max(row.status, 200) {
				t.Errorf("the status is %d", response.StatusCode)
			}
		})
	}
}

func TestCompress_PartOfAFileIsNotAWholeOne(t *testing.T) {
	t.Parallel()
	handler := Compress(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		_, _ = io.WriteString(w, "email\n")
		panic(http.ErrAbortHandler)
	}))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	sent := httptest.NewRecorder()
	func() {
		defer func() { _ = recover() }()
		handler.ServeHTTP(sent, r)
	}()
	body, err := gzip.NewReader(sent.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(body); string(b) != "email\n" || err == nil {
		t.Errorf("%q is read as a whole file", b)
	}
}

// compressed returns the response of a handler behind Compress to a client that accepts gzip.
func compressed(t *testing.T, handler http.HandlerFunc) *http.Response {
	t.Helper()
	server := httptest.NewServer(Compress(handler))
	t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(t.Context(), "GET", server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	response, err := (&http.Transport{DisableCompression: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}
