package negotiate

import (
	"net/http"
	"testing"
)

func TestEncoding(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		header []string
		want   string
	}{
		{"plain to who does not say", nil, ""},
		{"plain to who says nothing", []string{""}, ""},
		{"the first to browsers, who take all", []string{"gzip, deflate, br, zstd"}, "br"},
		{"what is taken", []string{"gzip, deflate"}, "gzip"},
		{"plain to who takes something else", []string{"zstd, deflate"}, ""},
		{"plain to who refuses", []string{"gzip;q=0"}, ""},
		{"plain to who refuses at length", []string{"gzip; q=0.000, br ; q=0"}, ""},
		{"the other to who refuses one", []string{"br;q=0, gzip"}, "gzip"},
		{"what weighs more", []string{"br;q=0.4, gzip;q=0.5"}, "gzip"},
		{"a small weight is one", []string{"gzip;q=0.001"}, "gzip"},
		{"of equals the first", []string{"gzip;q=0.5, br;q=0.5"}, "br"},
		{"anything is also this", []string{"*"}, "br"},
		{"anything but what is named", []string{"*, br;q=0"}, "gzip"},
		{"anything after what is named", []string{"gzip, *;q=0.1"}, "gzip"},
		{"nothing else is not this", []string{"identity, *;q=0"}, ""},
		{"plain to who would rather have that", []string{"identity, gzip;q=0.5"}, ""},
		{"packed to who takes both alike", []string{"identity, gzip"}, "gzip"},
		{"packed to who would rather not have it plain", []string{"identity;q=0.5, gzip"}, "gzip"},
		{"names in any case", []string{"GZip;Q=1.0"}, "gzip"},
		{"in several lines", []string{"deflate", "gzip"}, "gzip"},
		{"a name within another is none", []string{"x-gzip-like, brotli"}, ""},
		{"a weight that is none", []string{"gzip;q=much, br;q=NaN"}, ""},
		{"a weight out of range", []string{"gzip;q=2, br;q=-1"}, ""},
		{"a parameter that is no weight", []string{"gzip;level=1, br;x"}, ""},
		{"nonsense", []string{",;=,q=1;;"}, ""},
	} {
		if got := Negotiate(http.Header{"Accept-Encoding": row.header}, "br", "gzip"); got != row.want {
			t.Errorf("%s: %q is answered with %q, want %q", row.name, row.header, got, row.want)
		}
	}
}
