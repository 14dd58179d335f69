// Package text holds the rules for text that people type: which characters a
// name may have, and what an email address is.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean returns s without the characters that cannot be seen: zero-width and
// bidirectional controls, fillers, tags, the blank Braille pattern. A joiner or
// a variation selector stays where it changes how its neighbours are drawn: in
// Persian or Indic words, in emoji, behind an ideograph.
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

// Name returns s as a name to show: cleaned, without surrounding space, and empty
// if no letter, number, punctuation mark or symbol is left.
func Name(s string) string {
	name := strings.TrimSpace(Clean(s))
	if !strings.ContainsFunc(name, isVisible) {
		return ""
	}
	return name
}

func isVisible(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) }

// IsInvisible reports whether a character takes no room or none that shows.
// Spaces and control characters (Cc) are not counted among them.
func IsInvisible(r rune) bool {
	return r >= utf8.RuneSelf && (strings.ContainsRune(blanks, r) || unicode.In(r,
		unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, unicode.Noncharacter_Code_Point))
}

// blanks are symbols and letters that Unicode counts among the visible: the Braille
// pattern without a dot, the place of an embedded object, the note without a head,
// and the blank hieroglyphs.
const blanks = "\u2800\ufffc\U0001d159\U00013441\U00013442"

const (
	zeroWidthJoiner = '\u200d'
	keycap          = '\u20e3'
)

// isNeeded reports whether an invisible character changes how the characters
// beside it are drawn.
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

// isSymbol is true of emoji and their skin tones, among others.
func isSymbol(r rune) bool { return r >= utf8.RuneSelf && unicode.Is(unicode.S, r) }

// joins reports whether a character belongs to a script in which joiners change
// the form of letters.
func joins(r rune) bool {
	const firstHaraka, lastHaraka = '\u064b', '\u065f' // vowel signs, which Unicode gives to no one script
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
