package directory

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/guestlist/guestlist/internal/text"
)

// Limits of searches and of the search index, in characters and words.
const (
	MaxSearch = 100
	MaxTerms  = 4  // words of one search
	maxWord   = 64 // longer words are truncated, in the index and in searches

	maxNameWords, maxAddressWords, maxDomainWords = 64, 24, 8
)

// SortKey returns the folded name, or the address if that is empty. It does not end in a space.
func (u User) SortKey() string {
	name := strings.NewReplacer("'", "", "-", " ").Replace(Fold(u.Name))
	name = strings.Join(strings.Fields(name), " ")
	if key := strings.TrimSpace(text.Truncate(name, MaxName)); key != "" {
		return key
	}
	return u.Email.Normalized
}

// SearchTerms returns the texts that a search matches by prefix: for each word of the name,
// the name from that word on, without spaces and punctuation (Jean-Luc Picard is
// jeanlucpicard, lucpicard and picard) and with the punctuation of addresses (J.R.R.
// Tolkien); and the same of the address, as typed and normalized. In scripts without spaces,
// each character begins a word. The result is sorted, unique and bounded.
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

// wordsFrom returns, for each of up to limit words, the kept characters of the folded text
// from that word on.
func wordsFrom(folded string, keep func(rune) bool, limit int) []string {
	var kept []rune
	var begins []int
	previous := ' '
	for _, r := range folded {
		begin := isWordRune(r) && (!isWordRune(previous) || standsAlone(r) || standsAlone(previous))
		if begin && len(begins) < limit {
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

// ParseSearch splits search text into terms, each the prefix of a word. A user must match
// all of them. What surrounds a copied address (mailto:, brackets, quotes, a comma) is
// ignored. The error is a message for the field.
func ParseSearch(s string) ([]string, error) {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > MaxSearch {
		return nil, fieldError(fmt.Sprintf("Search with at most %d characters.", MaxSearch))
	}
	typed := strings.Fields(Fold(s))
	var terms []string
	for _, word := range typed {
		terms = append(terms, termsOf(word)...)
	}
	if len(terms) == 0 { // only punctuation, which may be a name
		for _, word := range typed {
			terms = append(terms, text.Truncate(word, maxWord))
		}
	}
	if len(terms) <= MaxTerms {
		return terms, nil
	}
	// A long name may have been copied together with an address.
	terms = slices.DeleteFunc(terms, func(term string) bool { return !strings.Contains(term, "@") })
	if len(terms) == 0 || len(terms) > MaxTerms {
		return nil, fieldError(fmt.Sprintf("Search with at most %d words.", MaxTerms))
	}
	return terms, nil
}

// termsOf returns the terms of a text without spaces.
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

// separates reports whether a character occurs only between words or around addresses.
func separates(r rune) bool { return strings.ContainsRune(`,;:<>()[]"“”„«»`, r) }

// isWordRune reports whether a character of folded text belongs to a word.
func isWordRune(r rune) bool {
	return unicode.In(r, unicode.L, unicode.N, unicode.Mc) || isPicture(r)
}

// isTermRune reports whether a character of folded text belongs to a word or an address.
// Hyphens and apostrophes don't, because they are often left out.
func isTermRune(r rune) bool { return isWordRune(r) || strings.ContainsRune("@.!#$%&*+/=?^_{|}~", r) }

func isPicture(r rune) bool { return r >= utf8.RuneSelf && unicode.Is(unicode.So, r) }

// standsAlone reports whether a character may be a word by itself: an emoji, or one of a
// script without spaces between words.
func standsAlone(r rune) bool {
	return isPicture(r) || r >= utf8.RuneSelf && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo,
		unicode.Yi, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan)
}
