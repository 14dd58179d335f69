package directory

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/guestlist/guestlist/internal/text"
)

// Limits on a search and on what it goes through, in characters and in words.
const (
	MaxSearch = 100
	MaxTerms  = 4  // words of one search
	maxWord   = 64 // longer words are cut, in the index and in a search alike

	maxNameWords, maxAddressWords, maxDomainWords = 64, 24, 8
)

// SortKey returns what the list sorts a user by: the folded name, or the address
// of a user whose name is empty. It is not empty and does not end in a space.
func (u User) SortKey() string {
	name := strings.NewReplacer("'", "", "-", " ").Replace(Fold(u.Name))
	name = strings.Join(strings.Fields(name), " ")
	if key := strings.TrimSpace(text.Truncate(name, MaxName)); key != "" {
		return key
	}
	return u.Email.Normalized
}

// SearchTerms returns what a search finds the user by: from the beginning of each word of
// the name on, all of the name, without spaces and punctuation (Jean-Luc Picard is
// jeanlucpicard, lucpicard and picard) and with the punctuation that addresses have
// (J.R.R. Tolkien); and the same of the address, as typed and in its compared form.
// A word begins at each character in scripts that put no spaces between words. The
// result is sorted, without repetition, and bounded.
func (u User) SearchTerms() []string {
	name := Fold(u.Name)
	words := wordsFrom(name, isWordRune, maxNameWords)
	words = append(words, wordsFrom(name, isTermRune, maxNameWords)...)
	for _, address := range []string{Fold(u.Email.Display), u.Email.Normalized} {
		_, domain, _ := strings.Cut(address, "@")
		words = append(words, wordsFrom(address, isTermRune, maxAddressWords)...)
		words = append(words, wordsFrom(domain, isTermRune, maxDomainWords)...)
	}
	for _, mark := range strings.Fields(name) {
		if !strings.ContainsFunc(mark, isWordRune) {
			words = append(words, text.Truncate(mark, maxWord))
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// wordsFrom returns the kept characters of folded text from the beginning of each
// word on, up to a number of words.
func wordsFrom(folded string, keep func(rune) bool, most int) []string {
	var kept []rune
	var begins []int
	previous := ' '
	for _, r := range folded {
		begin := isWordRune(r) && (!isWordRune(previous) || standsAlone(r) || standsAlone(previous))
		if begin && len(begins) < most {
			begins = append(begins, len(kept))
		}
		if keep(r) {
			kept = append(kept, r)
		}
		previous = r
	}
	words := make([]string, len(begins))
	for i, begin := range begins {
		words[i] = string(kept[begin:min(begin+maxWord, len(kept))])
	}
	return words
}

// ParseSearch splits what was typed into the search field into terms, each the
// start of a word; a user is found by all of them together. What surrounds an
// address that was copied (mailto:, brackets, quotes, a comma) is left out. The
// error is a sentence for the field.
func ParseSearch(s string) ([]string, error) {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > MaxSearch {
		return nil, fieldError(fmt.Sprintf("Search with at most %d characters.", MaxSearch))
	}
	typed := strings.Fields(Fold(s))
	var terms []string
	for _, word := range typed {
		terms = append(terms, termsOf(word)...)
	}
	if len(terms) == 0 { // punctuation alone, which may be a name
		for _, word := range typed {
			terms = append(terms, text.Truncate(word, maxWord))
		}
	}
	if len(terms) <= MaxTerms {
		return terms, nil
	}
	// A long name and the address behind it may have been copied together.
	terms = slices.DeleteFunc(terms, func(term string) bool { return !strings.Contains(term, "@") })
	if len(terms) == 0 || len(terms) > MaxTerms {
		return nil, fieldError(fmt.Sprintf("Search with at most %d words.", MaxTerms))
	}
	return terms, nil
}

// termsOf returns the terms in text without spaces.
func termsOf(word string) []string {
	if before, address, ok := strings.Cut(word, "mailto:"); ok && strings.Contains(address, "@") && !strings.ContainsFunc(before, isWordRune) {
		word = address
	}
	var terms []string
	for _, part := range strings.FieldsFunc(word, separates) {
		term := strings.Map(func(r rune) rune {
			if isTermRune(r) {
				return r
			}
			return -1
		}, part)
		term = strings.TrimLeftFunc(term, func(r rune) bool { return !isWordRune(r) })
		if local, host, ok := strings.Cut(term, "@"); ok {
			host, _, _ = strings.Cut(host, "?") // of a link: ?subject=…
			term = local + "@" + host
		}
		term = strings.TrimRight(term, ".!?/")
		if term != "" {
			terms = append(terms, text.Truncate(term, maxWord))
		}
	}
	return terms
}

// separates reports whether a character stands between words or around addresses
// and never in them.
func separates(r rune) bool { return strings.ContainsRune(`,;:<>()[]"“”„«»`, r) }

// isWordRune reports whether a character of folded text belongs to a word.
func isWordRune(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.Mc) || isPicture(r)
}

// isTermRune reports whether a character of folded text belongs to a word or to an
// address. Hyphens and apostrophes do not: they are typed or left out at will.
func isTermRune(r rune) bool { return isWordRune(r) || strings.ContainsRune("@.!#$%&*+/=?^_{|}~", r) }

func isPicture(r rune) bool { return r >= utf8.RuneSelf && unicode.Is(unicode.So, r) }

// standsAlone reports whether a word may begin and end at a character, because it is
// an emoji or its script puts no spaces between words.
func standsAlone(r rune) bool {
	return isPicture(r) || r >= utf8.RuneSelf && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo,
		unicode.Yi, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan)
}
