package directory

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/guestlist/guestlist/internal/text"
)

// FoldVersion must be increased when the results of Fold, SortKey or SearchTerms change:
// the next start then rewrites the keys of all users.
const FoldVersion = 2

// Fold returns text in the form in which it is sorted and searched: without case, accents
// and vowel points, letters with a stroke as the plain letter, every apostrophe as ' and
// every hyphen as -. Folding is idempotent.
func Fold(s string) string {
	if isASCII(s) {
		return strings.ReplaceAll(strings.ToLower(s), "`", "'")
	}
	s = strings.Map(dropLoneAccent, s)
	s = cases.Fold().String(norm.NFKD.String(s))
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) { // folding may have composed letters
		if unicode.In(r, unicode.Mn, unicode.Me) || text.IsInvisible(r) {
			continue
		}
		b.WriteString(plain(r))
	}
	return norm.NFC.String(b.String())
}

// dropLoneAccent drops accents without a letter, which would decompose into a space and an
// accent. Those used as an apostrophe become one.
func dropLoneAccent(r rune) rune {
	switch {
	case strings.ContainsRune(apostrophes, r):
		return '\''
	case unicode.Is(unicode.Sk, r):
		return -1
	}
	return r
}

// plain returns the folded form of a letter without accents.
func plain(r rune) string {
	const firstKatakana, lastKatakana, toHiragana = '\u30a1', '\u30f6', -0x60
	switch letters, ok := strokes[r]; {
	case ok:
		return letters
	case unicode.Is(unicode.Pd, r) || r == '\u2212': // the minus sign
		return "-"
	case strings.ContainsRune(apostrophes, r):
		return "'"
	case firstKatakana <= r && r <= lastKatakana:
		r += toHiragana
	}
	return string(r)
}

// apostrophes are the characters used as one: ASCII, accents, quotation marks, primes,
// modifier letters, and those of Armenian, Hebrew and Greek.
const apostrophes = "'`\u00b4\u2018\u2019\u201a\u201b\u2032\u2035\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\u1fbd\u1fbf\u1fef\u1ffd\u1ffe" +
	"\u055a\u055b\u05f3\u05f4\ua78b\ua78c\uff07"

// strokes maps letters that Unicode does not decompose to the letters typed for them, as in
// CLDR's Latin-ASCII transform
// (https://github.com/unicode-org/cldr/blob/main/common/transforms/Latin-ASCII.xml).
// Umlauts become a, o and u in all languages, including German.
var strokes = map[rune]string{
	'æ': "ae", 'œ': "oe", 'ꜳ': "aa", 'þ': "th", 'ĸ': "q", 'ŋ': "n",
	'ł': "l", 'ƚ': "l", 'ɫ': "l", 'ɬ': "l", 'ɭ': "l", 'ø': "o", 'ɵ': "o", 'ɔ': "o", 'đ': "d", 'ð': "d", 'ɖ': "d", 'ɗ': "d", 'ƌ': "d",
	'ı': "i", 'ɨ': "i", 'ɩ': "i", 'ħ': "h", 'ɦ': "h", 'ⱨ': "h", 'ŧ': "t", 'ƭ': "t", 'ʈ': "t", 'ⱦ': "t", 'ƫ': "t",
	'ƀ': "b", 'ɓ': "b", 'ƃ': "b", 'ȼ': "c", 'ƈ': "c", 'ɕ': "c", 'ə': "e", 'ǝ': "e", 'ɛ': "e", 'ɇ': "e", 'ƒ': "f",
	'ǥ': "g", 'ɠ': "g", 'ɣ': "g", 'ɉ': "j", 'ʝ': "j", 'ȷ': "j", 'ƙ': "k", 'ⱪ': "k", 'ꝁ': "k", 'ɱ': "m", 'ɲ': "n", 'ƞ': "n", 'ɳ': "n",
	'ƥ': "p", 'ᵽ': "p", 'ɋ': "q", 'ɍ': "r", 'ɽ': "r", 'ɾ': "r", 'ʂ': "s", 'ȿ': "s", 'ʃ': "s", 'ʉ': "u", 'ʊ': "u",
	'ʋ': "v", 'ⱴ': "v", 'ⱳ': "w", 'ɏ': "y", 'ƴ': "y", 'ƶ': "z", 'ȥ': "z", 'ʐ': "z", 'ʒ': "z", 'ʑ': "z", 'ⱥ': "a", 'ɑ': "a",
	// Cyrillic letters of languages beside Russian.
	'ґ': "г", 'ғ': "г", 'қ': "к", 'ҡ': "к", 'ң': "н", 'ҳ': "х", 'ҷ': "ч", 'ұ': "у", 'ү': "у", 'ө': "о", 'ҙ': "з", 'ҫ': "с",
	// Arabic letters that are written differently in Persian and Urdu, or informally, and
	// the tatweel, which only lengthens a word.
	'\u0671': "\u0627", '\u0649': "\u064a", '\u06cc': "\u064a", '\u06d2': "\u064a", '\u06a9': "\u0643", '\u0629': "\u0647", '\u06be': "\u0647",
	'\u06c1': "\u0647", '\u06c3': "\u0647", '\u06d5': "\u0647", '\u0640': "",
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
