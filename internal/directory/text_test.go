package directory_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/guestlist/guestlist/internal/directory"
)

func TestParseName(t *testing.T) {
	t.Parallel()
	const punctuation, tooLong = "Use letters, digits and punctuation only.", "Use at most 100 characters."
	tests := []struct{ name, in, want, err string }{
		{"keeps a name as typed", "Ada King, Countess of Lovelace", "Ada King, Countess of Lovelace", ""},
		{"takes no name", "", "", ""},
		{"takes space for no name", " \t\n", "", ""},
		{"drops surrounding space alone", "  Ada  King ", "Ada  King", ""},
		{"keeps any language", "Зоя 张伟 بهار Øyvind", "Зоя 张伟 بهار Øyvind", ""},
		{"keeps combined emoji", "👩‍💻 Ada", "👩‍💻 Ada", ""},
		{"keeps what is HTML elsewhere", `<b onclick="x">&amp;'`, `<b onclick="x">&amp;'`, ""},
		{"counts characters, not bytes", strings.Repeat("é", 100), strings.Repeat("é", 100), ""},
		{"refuses one character more", strings.Repeat("é", 101), "", tooLong},
		{"drops a control that turns the direction", "\u202eevE", "evE", ""},
		{"drops isolates and marks of direction", "\u2066Ada\u2069 \u200eKing\u200f\u061c", "Ada King", ""},
		{"drops what takes no room", "A\u200bd\u2060a\ufeff Ki\u00adng\u180e", "Ada King", ""},
		{"drops a joiner between Latin letters", "A\u200dd\u200ca", "Ada", ""},
		{"drops tags", "Ada\U000E0041\U000E007F", "Ada", ""},
		{"drops a variation selector behind a letter", "Ada\ufe0f", "Ada", ""},
		{"drops interlinear notes", "\ufff9Ada\ufffb", "Ada", ""},
		{"drops noncharacters", "Ada\ufdd0\uffff", "Ada", ""},
		{"takes invisible characters for no name", "\u200b\u200c\u200d\u2060\ufeff", "", ""},
		{"takes Hangul fillers for no name", "\u3164\u115f\u1160\uffa0", "", ""},
		{"takes blank Braille for no name", "\u2800 \u2800", "", ""},
		{"takes other spaces for no name", "\u00a0\u3000\u2003\u202f", "", ""},
		{"takes accents alone for no name", "\u0301\u034f", "", ""},
		{"keeps a joiner in a Persian word", "می\u200cخواهم", "می\u200cخواهم", ""},
		{"keeps joiners in an Indic word", "क्\u200dष \u0dc1\u0dca\u200d\u0dbb\u0dd3", "क्\u200dष \u0dc1\u0dca\u200d\u0dbb\u0dd3", ""},
		{"keeps one joiner of many", "می\u200c\u200c\u200cخواهم", "می\u200cخواهم", ""},
		{"keeps emoji of several", "🏳️‍🌈 👨‍👩‍👧 ❤️‍🔥 1️⃣ 👩🏽‍🚀", "🏳️‍🌈 👨‍👩‍👧 ❤️‍🔥 1️⃣ 👩🏽‍🚀", ""},
		{"keeps the form of an ideograph", "葛\U000E0100城", "葛\U000E0100城", ""},
		{"keeps a no-break space inside", "Ada\u00a0King", "Ada\u00a0King", ""},
		{"counts what is left", strings.Repeat("\u200b", 200) + "Ada", "Ada", ""},
		{"refuses a line break", "Ada\r\nBcc: eve@evil.example", "", punctuation},
		{"refuses a NUL", "Ada\x00", "", punctuation},
		{"refuses an escape", "\x1b[31mAda", "", punctuation},
		{"refuses a C1 control", "Ada\u0085King", "", punctuation},
		{"refuses a line separator", "Ada\u2028King", "", punctuation},
		{"refuses a paragraph separator", "Ada\u2029King", "", punctuation},
		{"refuses bytes that are no text", "Ada\xff", "", punctuation},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := directory.ParseName(test.in)
			if got != test.want || message(err) != test.err {
				t.Errorf("got %q and %q, want %q and %q", got, message(err), test.want, test.err)
			}
		})
	}
}

func TestParseRole(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     directory.Role
		err      string
	}{
		{"knows admin", "admin", directory.Admin, ""},
		{"knows member", "member", directory.Member, ""},
		{"takes nothing for member", "", directory.Member, ""},
		{"refuses capitals", "Admin", "", "Choose admin or member."},
		{"refuses space", "admin ", "", "Choose admin or member."},
		{"refuses others", "owner", "", "Choose admin or member."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := directory.ParseRole(test.in)
			if got != test.want || message(err) != test.err {
				t.Errorf("got %q and %q, want %q and %q", got, message(err), test.want, test.err)
			}
		})
	}
}

func TestParseSearch(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     []string
		err      string
	}{
		{"finds no term in nothing", "  ", nil, ""},
		{"splits at what stands between words", "King, Ada;x", []string{"king", "ada", "x"}, ""},
		{"leaves out hyphens and apostrophes", "Jean-Luc O’Brien", []string{"jeanluc", "obrien"}, ""},
		{"drops punctuation beside words", "Ada – King !", []string{"ada", "king"}, ""},
		{"takes an address out of what surrounds it", "<mailto:x@sea.example?subject=a>,", []string{"x@sea.example"}, ""},
		{"takes the address alone of a long name with one", "\"Ada Augusta King, Countess of Lovelace\" <ada@sea.example>", []string{"ada@sea.example"}, ""},
		{"takes a domain", "@sea.example", []string{"sea.example"}, ""},
		{"splits at any space", " ada\tking\u3000lovelace ", []string{"ada", "king", "lovelace"}, ""},
		{"drops case and accents", "ÉLODIE Ångström", []string{"elodie", "angstrom"}, ""},
		{"keeps an address whole", "Ada+list@Example.com", []string{"ada+list@example.com"}, ""},
		{"keeps the letters that a pattern would have", `%_*\'"`, []string{`%_*\'"`}, ""},
		{"cuts a long word as the index does", strings.Repeat("a", 100), []string{strings.Repeat("a", 64)}, ""},
		{"takes four words", "a b c d", []string{"a", "b", "c", "d"}, ""},
		{"refuses five", "a b c d e", nil, "Search with at most 4 words."},
		{"refuses 101 characters", strings.Repeat("ü", 101), nil, "Search with at most 100 characters."},
		{"refuses bytes that are no text", "\xff", nil, "Search with at most 100 characters."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := directory.ParseSearch(test.in)
			if diff := cmp.Diff(test.want, got); message(err) != test.err || len(got)+len(test.want) > 0 && diff != "" {
				t.Errorf("says %q, want %q (-want +got):\n%s", message(err), test.err, diff)
			}
		})
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"lowers", "ADA", "ada"},
		{"drops accents, however they were typed", "\u00c9lodie E\u0301lodie", "elodie elodie"},
		{"drops the dot of a Turkish capital", "İstanbul", "istanbul"},
		{"brings wide letters home", "Ａｄａ", "ada"},
		{"splits ligatures", "ﬁn", "fin"},
		{"writes letters with strokes as their letters", "Łø ß Đđ ı Æ Œ Þ Ð Ħ Ŧ Ŋ ĸ", "lo ss dd i ae oe th d h t n q"},
		{"has one sigma", "ΣΑΣ σας", "σασ σασ"},
		{"has one apostrophe and one hyphen", "O’B`C´DʼE′F A‐B‑C–D—E−F", "o'b'c'd'e'f a-b-c-d-e-f"},
		{"has one kana", "カタカナ ﾀﾛｳ", "かたかな たろう"},
		{"drops vowel points and what makes words longer", "שָׁלוֹם محـــمَّد", "שלום محمد"},
		{"drops what nobody sees", "A\u200bd\u00ada\ufe0f", "ada"},
		{"keeps what is no letter", "зоя 张伟 🎉 1+1", "зоя 张伟 🎉 1+1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := directory.Fold(test.in); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSortName(t *testing.T) {
	t.Parallel()
	email := directory.Email{Display: "Ada@Example.com", Normalized: "ada@example.com"}
	tests := []struct{ name, in, want string }{
		{"is the name, folded", "Élodie", "elodie"},
		{"has no apostrophe, and a space for a hyphen", "Jean-Luc O’Brien", "jean luc obrien"},
		{"is the address of somebody without a name", "", "ada@example.com"},
		{"is the address of somebody whose name has nothing but accents", "´ \u0301", "ada@example.com"},
		{"ends in no space", "Ada ´", "ada"},
		{"is cut where folding makes it longer", strings.Repeat("ﷺ", 100), string([]rune(strings.Repeat(directory.Fold("ﷺ"), 100))[:100])},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u := directory.User{Name: test.in, Email: email}
			if got := u.SortKey(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, person, address string
		want                  []string
	}{
		{
			"are those of name and address", "Ada King", "ada@example.com",
			[]string{"ada@example.com", "adaking", "com", "example.com", "king"},
		},
		{
			"begin at each part of a word", "Sinéad O'Brien-Lee", "so.lee+x@a-b.example",
			[]string{
				"ab.example", "b.example", "brienlee", "example", "lee", "lee+x@ab.example", "obrienlee", "sineadobrienlee",
				"so.lee+x@ab.example", "x@ab.example",
			},
		},
		{
			"are those of an international domain, typed and in ASCII", "", "zoe@Bücher.example",
			[]string{
				"bcherkva.example", "bucher.example", "example", "kva.example", "xnbcherkva.example", "zoe@bucher.example",
				"zoe@xnbcherkva.example",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			slices.Sort(test.want)
			u := directory.User{Name: test.person, Email: mustParse(t, test.address)}
			if diff := cmp.Diff(test.want, u.SearchTerms()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzWords looks for names that can't be found by searching for them.
func FuzzWords(f *testing.F) {
	for _, name := range []string{"Ada King", "O'Brien", "İ ŞĞ", "ﷺ", "e\u0301 \u0301", strings.Repeat("x", 90), "a\u00a0b", "\u1e9e"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		name, err := directory.ParseName(typed)
		if err != nil {
			return
		}
		words := directory.User{Name: name, Email: mustParse(t, "ada@example.com")}.SearchTerms()
		if !slices.IsSorted(words) || slices.Contains(words, "") || len(slices.Compact(slices.Clone(words))) != len(words) {
			t.Errorf("words are not sorted and different: %q", words)
		}
		for _, word := range words {
			if utf8.RuneCountInString(word) > 64 {
				t.Errorf("%q is too long for the index", word)
			}
		}
		for _, part := range strings.Fields(name) {
			terms, err := directory.ParseSearch(part)
			if err != nil {
				continue
			}
			for _, term := range terms {
				if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, term) }) {
					t.Errorf("nobody is found by %q of %q: %q", term, name, words)
				}
			}
		}
	})
}

func mustParse(t testing.TB, address string) directory.Email {
	t.Helper()
	email, err := directory.ParseEmail(address)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	return email
}

// message is what an error says; empty for none.
func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
