package harness

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// WantPage checks the status and the heading of a page, and that its text contains texts.
func WantPage(t *testing.T, v View, status int, heading string, texts ...string) {
	t.Helper()
	if v.Status != status || v.Heading() != heading {
		t.Fatalf("%s: got %d %q, want %d %q: %s", v.Path, v.Status, v.Heading(), status, heading, v.Text())
	}
	for _, text := range texts {
		if !strings.Contains(v.Text(), text) {
			t.Errorf("%s does not say %q: %s", v.Path, text, v.Text())
		}
	}
}

// WantRow checks that a table on the page has a row that begins with these cells.
func WantRow(t *testing.T, v View, cells ...string) {
	t.Helper()
	if !HasRow(v, cells...) {
		t.Errorf("%s has no row %q: %q", v.Path, cells, v.Rows())
	}
}

// HasRow reports whether a table on the page has a row that begins with these cells.
func HasRow(v View, cells ...string) bool {
	return slices.ContainsFunc(v.Rows(), func(row []string) bool {
		return len(row) >= len(cells) && slices.Equal(row[:len(cells)], cells)
	})
}

// FollowLink requests the link with this text.
func FollowLink(t *testing.T, p *Person, v View, text string) View {
	t.Helper()
	href, ok := v.Link(text)
	if !ok {
		t.Fatalf("%s has no link %q: %s", v.Path, text, v.Text())
	}
	return p.send("GET", href, nil)
}

// PageContent returns the parts of a response that could reveal something: all but the
// request ID, the time and the values of cookies.
func PageContent(v View) map[string]any {
	header := v.Header.Clone()
	header.Del("X-Request-Id")
	header.Del("Date")
	for i, c := range header["Set-Cookie"] {
		name, rest, _ := strings.Cut(c, "=")
		value, attributes, _ := strings.Cut(rest, ";")
		before, expires, _ := strings.Cut(attributes, "Expires=") // from the wall clock, as Date
		header["Set-Cookie"][i] = name + "=" + strings.Repeat("x", len(value)) + ";" + before + expires[len(http.TimeFormat):]
	}
	return map[string]any{"status": v.Status, "header": header, "body": v.Body}
}
