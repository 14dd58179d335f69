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

func TestAnswersAreCompressedForWhoTakesThem(t *testing.T) {
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
		{"to who does not say", "/users", nil, false},
		{"to who refuses", "/users", []string{"Accept-Encoding", "gzip;q=0"}, false},
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
		if varies := got.header.Get("Vary") != ""; varies != (len(body) >= minCompressSize && !strings.Contains(row.path, "token")) {
			t.Errorf("%s: Vary is %q", row.name, got.header.Get("Vary"))
		}
		for _, a := range []answer{got, ada.send("HEAD", row.path, "", row.header...)} {
			if length := a.header.Get("Content-Length"); length != strconv.Itoa(len(got.body)) {
				t.Errorf("%s: %d bytes, and the header says %s", row.name, len(got.body), length)
			}
		}
	}
}
