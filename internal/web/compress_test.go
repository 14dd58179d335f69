package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
)

func TestCompress_WhatIsCompressed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ada := f.signedIn(directory.Admin, "ada@example.com")
	for i := range 20 {
		f.add(directory.User{Email: directory.Email{Display: fmt.Sprintf("katherine%d@example.com", i)}, Name: "Katherine"})
	}
	for _, row := range []struct {
		name, path string
		header     []string
		want       bool
	}{
		{"a page", "/users", []string{"Accept-Encoding", "gzip, deflate, br, zstd"}, true},
		{"a page that a browser asks for from here", "/users", []string{"Accept-Encoding", "gzip", "Sec-Fetch-Site", "same-origin"}, true},
		{"a page whose address was typed", "/users", []string{"Accept-Encoding", "gzip", "Sec-Fetch-Site", "none"}, true},
		{"a page that says what was wrong", "/users?role=king", []string{"Accept-Encoding", "gzip"}, true},
		{"long JSON", "/api/users", []string{"Accept-Encoding", "gzip"}, true},
		{"short JSON", "/api/session", []string{"Accept-Encoding", "gzip"}, false},
		{"without Accept-Encoding", "/users", nil, false},
		{"if gzip is refused", "/users", []string{"Accept-Encoding", "gzip;q=0"}, false},
		{"a page that another site has the browser ask for", "/users?q=k", []string{"Accept-Encoding", "gzip", "Sec-Fetch-Site", "cross-site"}, false},
		{"a page that a site beside ours has the browser ask for", "/users?q=k", []string{"Accept-Encoding", "gzip", "Sec-Fetch-Site", "same-site"}, false},
		{"the page with a link's token", "/api/authenticate_magic_link?token=secret", []string{"Accept-Encoding", "gzip"}, false},
	} {
		plain, got := ada.get(row.path), ada.send("GET", row.path, "", row.header...)
		body := got.body
		if packed := got.header.Get("Content-Encoding") == "gzip"; packed != row.want {
			t.Errorf("%s: compressed is %v, want %v", row.name, packed, row.want)
		} else if packed {
			unpacked, err := gzip.NewReader(strings.NewReader(body))
			if err != nil {
				t.Fatalf("%s: %v", row.name, err)
			}
			var b bytes.Buffer
			if _, err := io.Copy(&b, unpacked); err != nil {
				t.Errorf("%s: %v", row.name, err)
			}
			body = b.String()
		}
		if body != plain.body || got.status != plain.status {
			t.Errorf("%s: %d %q, want %d %q", row.name, got.status, body, plain.status, plain.body)
		}
		for _, header := range []string{"Accept-Encoding", "Sec-Fetch-Site"} {
			if vary := strings.Join(got.header["Vary"], ","); !strings.Contains(vary, header) {
				t.Errorf("%s: Vary is %q, without %s", row.name, vary, header)
			}
		}
		if got.header.Get("No-Gzip-Compression") != "" {
			t.Errorf("%s: a mark for ourselves is sent", row.name)
		}
		want := strconv.Itoa(len(got.body))
		if row.want {
			want = "" // it is compressed while it is sent
		}
		if length := got.header.Get("Content-Length"); length != want {
			t.Errorf("%s: the length is given as %q, want %q", row.name, length, want)
		}
		head := ada.send("HEAD", row.path, "", row.header...)
		if length := head.header.Get("Content-Length"); head.header.Get("Content-Encoding") != "" || length != strconv.Itoa(len(body)) {
			t.Errorf("%s: by HEAD, the length is given as %q, want %d", row.name, length, len(body))
		}
	}
}
