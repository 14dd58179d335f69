package static

import (
	"net/http"
	"testing"
)

func TestNegotiate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		header []string
		want   string
	}{
		{"no header", nil, ""},
		{"an empty header", []string{""}, ""},
		{"browsers get the first coding", []string{"gzip, deflate, br, zstd"}, "br"},
		{"an accepted coding", []string{"gzip, deflate"}, "gzip"},
		{"other codings only", []string{"zstd, deflate"}, ""},
		{"a refused coding", []string{"gzip;q=0"}, ""},
		{"refused codings, other spellings", []string{"gzip; q=0.000, br ; q=0"}, ""},
		{"one refused", []string{"br;q=0, gzip"}, "gzip"},
		{"the higher weight", []string{"br;q=0.4, gzip;q=0.5"}, "gzip"},
		{"a small weight", []string{"gzip;q=0.001"}, "gzip"},
		{"the first of equals", []string{"gzip;q=0.5, br;q=0.5"}, "br"},
		{"any coding", []string{"*"}, "br"},
		{"any coding but one", []string{"*, br;q=0"}, "gzip"},
		{"any coding at a lower weight", []string{"gzip, *;q=0.1"}, "gzip"},
		{"identity only", []string{"identity, *;q=0"}, ""},
		{"identity preferred", []string{"identity, gzip;q=0.5"}, ""},
		{"identity and a coding at one weight", []string{"identity, gzip"}, "gzip"},
		{"identity at a lower weight", []string{"identity;q=0.5, gzip"}, "gzip"},
		{"names in any case", []string{"GZip;Q=1.0"}, "gzip"},
		{"in several lines", []string{"deflate", "gzip"}, "gzip"},
		{"similar names", []string{"x-gzip-like, brotli"}, ""},
		{"weights that are not numbers", []string{"gzip;q=much, br;q=NaN"}, ""},
		{"weights out of range", []string{"gzip;q=2, br;q=-1"}, ""},
		{"parameters other than q", []string{"gzip;level=1, br;x"}, ""},
		{"nonsense", []string{",;=,q=1;;"}, ""},
	} {
		if got := Negotiate(http.Header{"Accept-Encoding": row.header}, "br", "gzip"); got != row.want {
			t.Errorf("%s: %q: got %q, want %q", row.name, row.header, got, row.want)
		}
	}
}
