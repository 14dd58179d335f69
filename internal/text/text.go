// Package text validates and shortens text that people type: names and email addresses.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean removes invisible characters: zero-width and bidirectional controls, fillers, tags
// and the blank Braille pattern. Joiners and variation selectors are kept if they change
// how their neighbours are drawn, as in Persian and Indic words, emoji and ideographs.
func Clean(s string) string {
	if isASCII(s) {
		return s
	}
	var b strings.Builder
	runes := []rune(s)
	previous := rune(0)
	for i, r := range runes {
		next := rune(0)
		if i+1 < len(runes) {
			next = runes[i+1]
		}
		if IsInvisible(r) && !isNeeded(previous, r, next) {
			continue
		}
		b.WriteRune(r)
		previous = r
	}
	return b.String()
}

// Name returns s as a display name: cleaned and trimmed, or "" if no letter, number,
// punctuation mark or symbol is left.
func Name(s string) string {
	name := strings.TrimSpace(Clean(s))
	if !strings.ContainsFunc(name, isVisible) {
		return ""
	}
	return name
}

func isVisible(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) }

// IsInvisible reports whether a character is drawn as nothing. Spaces and control
// characters (Cc) don't count.
func IsInvisible(r rune) bool {
	return r >= utf8.RuneSelf && (strings.ContainsRune(blanks, r) || unicode.In(r,
		unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, unicode.Noncharacter_Code_Point))
}

// blanks are blank characters that Unicode classifies as letters or symbols: the Braille
// pattern without dots, the object replacement character, the null notehead and blank
// hieroglyphs.
const blanks = "\u2800\ufffc\U0001d159\U00013441\U00013442"

const (
	zeroWidthJoiner = '\u200d'
	keycap          = '\u20e3'
)

// isNeeded reports whether the invisible character r changes how its neighbours are drawn.
func isNeeded(previous, r, next rune) bool {
	switch {
	case unicode.Is(unicode.Variation_Selector, r):
		return isSymbol(previous) || next == keycap || unicode.In(previous, unicode.Han, unicode.Mongolian, unicode.Myanmar, unicode.Phags_Pa)
	case !unicode.Is(unicode.Join_Control, r):
		return false
	case r == zeroWidthJoiner && (isSymbol(previous) || unicode.Is(unicode.Variation_Selector, previous)) && isSymbol(next):
		return true
	}
	return joins(previous) && joins(next)
}

// isSymbol reports whether r is a non-ASCII symbol; emoji and skin tones are.
func isSymbol(r rune) bool { return r >= utf8.RuneSelf && unicode.Is(unicode.S, r) }

// joins reports whether r belongs to a script in which joiners change letter forms.
func joins(r rune) bool {
	const firstHaraka, lastHaraka = '\u064b', '\u065f' // vowel signs that Unicode assigns to no script
	return firstHaraka <= r && r <= lastHaraka || !unicode.Is(unicode.Cf, r) && unicode.In(r,
		unicode.Arabic, unicode.Syriac, unicode.Nko, unicode.Mongolian, unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi,
		unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam, unicode.Sinhala,
		unicode.Khmer, unicode.Myanmar, unicode.Tibetan)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// Truncate returns the first n characters of s. It does not repair invalid UTF-8.
func Truncate(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// TruncateBytes returns at most the first n bytes of s without splitting a character.
func TruncateBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
