package text_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/guestlist/guestlist/internal/text"
)

func TestClean_KeepsNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Ada King", "Zoë O’Brien", "Łukasz Żółć", "山田太郎", "김민준", "Nguyễn Thị Ánh", "Ιωάννης", "שָׁלוֹם", "مُحَمَّد", "محـــمد",
		"می\u200cخواهم", "क्\u200dष", "\u0dc1\u0dca\u200d\u0dbb\u0dd3", "👩🏽\u200d🚀", "🏳\ufe0f\u200d🌈", "葛\U000E0100", "ᠠ\u180b",
		"ʻOkina", "Gal·la", "สมชาย", "e\u0301", "Ⅷ",
	} {
		if got := text.Clean(name); got != name {
			t.Errorf("%+q became %+q", name, got)
		}
	}
}

func TestClean_RemovesInvisibleCharacters(t *testing.T) {
	t.Parallel()
	const invisible = "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e" +
		"\u2060\u2061\u2062\u2063\u2064\u2065\u2066\u2067\u2068\u2069\u206a\u206f\u2800\u3164\ufe00\ufe0e\ufe0f\ufeff\uffa0\ufff0\ufff9\ufffa\ufffb" +
		"\U0001bca0\U0001d173\U000e0001\U000e0020\U000e007f\U000e0100\U000e01ef\ufffc\U0001d159\U00013441\ufdd0\ufffe\U0010ffff"
	for _, r := range invisible {
		for _, at := range []string{"%Ada", "A%da", "Ada%", "% Ada", "Ada %King"} {
			in := strings.ReplaceAll(at, "%", string(r))
			if got, want := text.Clean(in), strings.ReplaceAll(at, "%", ""); got != want {
				t.Errorf("%+q became %+q", in, got)
			}
		}
		if got := text.Name(string(r)); got != "" {
			t.Errorf("Name(%+q) = %+q", r, got)
		}
	}
}

func FuzzName(f *testing.F) {
	for _, name := range []string{"Ada", "\u202eevE", "می\u200cخواهم", "👩‍💻", "\u0301", "\u3164", "葛\U000E0100城", "a\xff", " \u2800 "} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name := text.Name(s)
		if again := text.Name(name); again != name {
			t.Errorf("Name(%+q) = %+q, and %+q if applied again", s, name, again)
		}
		if len(name) > 3*len(s) || utf8.ValidString(s) && !utf8.ValidString(name) {
			t.Errorf("%+q became %+q", s, name)
		}
		for _, bidi := range "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" {
			if strings.ContainsRune(name, bidi) {
				t.Errorf("%+q has a bidirectional control", name)
			}
		}
	})
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		in           string
		n            int
		runes, bytes string
	}{
		{"", 3, "", ""},
		{"Ada", 3, "Ada", "Ada"},
		{"Ada", 2, "Ad", "Ad"},
		{"Ada", 0, "", ""},
		{"Zoë", 3, "Zoë", "Zo"},
		{"山田", 1, "山", ""},
		{"山田", 3, "山田", "山"},
		{"\xbf\xbf\xbf", 1, "\xbf", ""},
	} {
		if got := text.Truncate(row.in, row.n); got != row.runes {
			t.Errorf("Truncate(%q, %d) = %q, want %q", row.in, row.n, got, row.runes)
		}
		if got := text.TruncateBytes(row.in, row.n); got != row.bytes {
			t.Errorf("TruncateBytes(%q, %d) = %q, want %q", row.in, row.n, got, row.bytes)
		}
	}
}
