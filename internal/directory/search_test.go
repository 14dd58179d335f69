package directory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/guestlist/guestlist/internal/directory"
)

// finds reports whether a search finds a user as the store does: by all terms, each
// the beginning of a word.
func finds(t testing.TB, u directory.User, search string) bool {
	t.Helper()
	terms, err := directory.ParseSearch(search)
	if err != nil {
		t.Errorf("%q: %v", search, err)
	}
	words := u.SearchTerms()
	return !slices.ContainsFunc(terms, func(term string) bool {
		return !slices.ContainsFunc(words, func(word string) bool { return strings.HasPrefix(word, term) })
	})
}

func TestSearch_FindsWhatPeopleType(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		searches []string
	}{
		{"Łukasz Żółć", []string{"Lukasz", "łukasz", "ŁUKASZ", "zolc", "Żółć", "lukasz zolc"}},
		{"Søren Ørsted", []string{"Soren", "orsted", "SØREN", "soren orsted"}},
		{"Straße Groß", []string{"Strasse", "straße", "STRASSE", "STRAẞE", "gross"}},
		{"Strasse", []string{"straße"}},
		{"Đorđe Ærø", []string{"Dorde", "aero", "ærø", "đorđe"}},
		{"Işık", []string{"IŞIK", "isik", "ışık", "İSİK"}},
		{"İbrahim Çağlar", []string{"ibrahim", "IBRAHIM", "caglar"}},
		{"Zoë O’Brien", []string{"O'Brien", "O’Brien", "obrien", "o brien", "brien", "O`Brien", "O´Brien", "Oʼbrien", "O′Brien", "zoe o'brien"}},
		{"Zoë O'Brien", []string{"O’Brien", "obrien", "O‛Brien", "Ｏ＇Brien"}},
		{"Obrien", []string{"O'Brien", "O’Brien", "o-brien"}},
		{"O Brien", []string{"O'Brien", "obrien"}},
		{"Jean Luc Picard", []string{"jean-luc", "Jean‑Luc", "jean luc", "jeanluc", "jean–luc picard", "picard", "luc picard"}},
		{"Jean-Luc Picard", []string{"jean luc", "jean-luc", "jeanluc", "luc", "Jean‐Luc", "Jean−Luc", "Jean﹣Luc", "picard jean"}},
		{"Ludwig van der Berg", []string{"vanderberg", "van der berg", "van-der-berg", "berg"}},
		{"J.R.R. Tolkien", []string{"jrr", "j.r.r.", "J. R. R. Tolkien", "tolkien", "jrrtolkien"}},
		{"山田太郎", []string{"太郎", "山田", "山田 太郎", "郎", "山田太郎"}},
		{"山田 太郎", []string{"山田太郎", "太郎", "山田　太郎"}},
		{"김민준", []string{"민준", "김", "김 민준", "\u1106\u1175\u11ab\u110c\u116e\u11ab"}},
		{"やまだ タロウ", []string{"たろう", "ヤマダ", "ﾔﾏﾀﾞ", "タロウ"}},
		{"ジャン・リュック", []string{"リュック", "ジャンリュック", "ジャン リュック"}},
		{"สมชาย ใจดี", []string{"สมชาย", "ชาย", "ใจดี"}},
		{"Nguyễn Thị Ánh Đặng", []string{"nguyen", "thi anh", "dang", "NGUYỄN", "Nguye\u0302\u0303n"}},
		{"Þórður Ægisson", []string{"thordur", "aegisson", "þórður", "ÞÓRÐUR"}},
		{"Müller", []string{"muller", "MÜLLER", "Mu\u0308ller"}},
		{"Françoise Œuvrard", []string{"francoise", "oeuvrard", "œuvrard"}},
		{"Ħanna Ŧ Ŋaski", []string{"hanna", "t", "naski"}},
		{"Γιώργος Παπαδόπουλος", []string{"ΓΙΩΡΓΟΣ", "γιωργος", "παπαδοπουλοσ"}},
		{"Ґалаґан Ёлкин", []string{"галаган", "елкин"}},
		{"مُحَمَّد", []string{"محمد", "محـــمد", "مُحَمَّد"}},
		{"أحمد علی", []string{"احمد", "علي"}},
		{"שָׁלוֹם בן־דוד", []string{"שלום", "בן-דוד", "דוד"}},
		{"می\u200cخواهم", []string{"میخواهم", "می\u200cخواهم"}},
		{"Ａｄａ　Ｋｉｎｇ", []string{"ada", "king", "ada king"}},
		{"Ada\u00a0King", []string{"ada king", "king"}},
		{"Ada King", []string{"ada\u00a0king", "ａｄａ", "\u200bada", "Ada,King", "King, Ada", `"Ada King"`, "(ada)", "Ada\u00adKing", "ada – king"}},
		{"Gal·la Peŀló", []string{"galla", "gal·la", "pello"}},
		{"Hawaiʻi ʿAlī", []string{"hawaii", "hawai'i", "ali"}},
		{"🎉 Party", []string{"🎉", "party", "🎉 party", "🎉party"}},
		{"🎉Party", []string{"party"}},
		{"👩🏽‍🚀 Sally", []string{"👩", "🚀", "👩🏽‍🚀", "sally"}},
		{"AT&T Desk", []string{"at&t", "desk", "att"}},
		{"e\u0301lodie", []string{"élodie", "elodie"}},
		{"Dvořák", []string{"dvorak", "DVOR\u030cAK"}},
		{"ﬁona Ⅷ", []string{"fiona", "viii"}},
		{"?!", []string{"?!", "?"}},
	} {
		u := directory.User{Name: row.name, Email: mustParse(t, "x@sea.example")}
		for _, search := range row.searches {
			if !finds(t, u, search) {
				t.Errorf("%q is not found by %q: words %q", row.name, search, u.SearchTerms())
			}
		}
		if finds(t, u, "Zebedee") {
			t.Errorf("%q is found by another name", row.name)
		}
	}
}

func TestSearch_FindsAddressesHoweverTheyWereCopied(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		address  string
		searches []string
	}{
		{"x@sea.example", []string{
			"@sea.example", "sea.example", "x@sea.example,", "x@sea.example;", "<x@sea.example>", `"x@sea.example"`, "'x@sea.example'", "(x@sea.example)",
			"mailto:x@sea.example", "<mailto:x@sea.example>", "MAILTO:X@SEA.EXAMPLE", "mailto:x@sea.example?subject=Hi", "x@sea.example.", "ｘ＠ｓｅａ．ｅｘａｍｐｌｅ",
			"\u200bx@sea.example", "“x@sea.example”", "Xavier <x@sea.example>", `"Xavier" <x@sea.example>,`, "x@sea", "x@", "example", " x@sea.example\u00a0",
		}},
		{"so.lee+x@a-b.example", []string{"so.lee", "lee", "lee+x", "so.lee+x@a-b.example", "a-b", "@a-b.example", "b.example"}},
		{"jean-luc.o'brien@x.example", []string{"jean-luc", "luc", "jean-luc.o'brien@x.example", "jean-luc.o’brien@x.example", "brien@x"}},
		{"zoe@Bücher.example", []string{"@bücher.example", "bucher", "zoe@bucher.example", "zoe@xn--bcher-kva.example", "xn--bcher"}},
		{"_ops_@x.example", []string{"_ops_@x.example", "ops", "ops_"}},
	} {
		u := directory.User{Name: "Xavier", Email: mustParse(t, row.address)}
		for _, search := range row.searches {
			if !finds(t, u, search) {
				t.Errorf("%q is not found by %q: words %q", row.address, search, u.SearchTerms())
			}
		}
		for _, search := range []string{"y@sea.example", "ea.example", "x@sea.example, y@sea.example"} {
			if finds(t, u, search) {
				t.Errorf("%q is found by %q", row.address, search)
			}
		}
	}
}

func TestWords_AreBounded(t *testing.T) {
	t.Parallel()
	for _, name := range []string{strings.Repeat("山", 100), strings.Repeat("a ", 50), strings.Repeat("ﷺ", 100), strings.Repeat("a.", 50), strings.Repeat("🎉", 100)} {
		u := directory.User{Name: name, Email: mustParse(t, strings.Repeat("a.", 31)+"a@"+strings.Repeat("b.", 90)+"example")}
		if n := len(u.SearchTerms()); n > 200 {
			t.Errorf("%q has %d words", name, n)
		}
		if _, domain, _ := strings.Cut(u.Email.Normalized, "@"); !finds(t, u, "@"+domain[:30]) {
			t.Errorf("the domain of %q finds nobody", u.Email.Normalized)
		}
	}
}

func TestSortName_PutsLettersWithStrokesAmongTheirLetters(t *testing.T) {
	t.Parallel()
	names := []string{"Lukas", "Łukasz", "Lukaszek", "Obrian", "O’Brien", "O'Brienne", "Öbrink", "Søren", "Soret", "Zoë"}
	sorted := slices.Clone(names)
	slices.SortFunc(sorted, func(a, b string) int {
		return strings.Compare(directory.User{Name: a}.SortKey(), directory.User{Name: b}.SortKey())
	})
	if !slices.Equal(names, sorted) {
		t.Errorf("sorted %q, want %q", sorted, names)
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"Łukasz", "İ", "ŉ", "ß", "ﷺ", "´", "O’Brien", "\u1e9b\u0323", "ｶﾞ", "\u0345", "ϓ", "Ǆ", "ﬀ", "\u0390", "ſ", "ʼn", "각", "ॐ", "ｰ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		folded := directory.Fold(s)
		if again := directory.Fold(folded); again != folded {
			t.Errorf("%+q is %+q at first and %+q then", s, folded, again)
		}
		if key := (directory.User{Name: s, Email: directory.Email{Normalized: "a@b.c"}}).SortKey(); key == "" || strings.TrimSpace(key) != key {
			t.Errorf("%+q sorts by %+q", s, key)
		}
	})
}
