package directory

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"github.com/guestlist/guestlist/internal/text"
)

// Limits on what people type, in characters.
const (
	MaxName   = 100
	MaxSearch = 100
	MaxTerms  = 4  // words of one search
	maxWord   = 64 // longer words are cut, in the index and in a search alike
)

// ParseName returns a name as typed, in any language, without surrounding space
// and invisible characters (text.Name). A name of which nothing can be seen is
// empty, which is fine. The error is a sentence for the field.
func ParseName(s string) (string, error) {
	if !utf8.ValidString(s) || strings.ContainsFunc(strings.TrimSpace(text.Clean(s)), isControl) {
		return "", sentence("Use letters, digits and punctuation only.")
	}
	name := text.Name(s)
	if utf8.RuneCountInString(name) > MaxName {
		return "", sentence(fmt.Sprintf("Use at most %d characters.", MaxName))
	}
	return name, nil
}

// isControl also refuses the separators that some programs take for a new line.
func isControl(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

// ParseRole returns the role of that name; empty is a member.
func ParseRole(s string) (Role, error) {
	switch Role(s) {
	case "", Member:
		return Member, nil
	case Admin:
		return Admin, nil
	}
	return "", sentence("Choose admin or member.")
}

// ParseStatus returns the status of that name. The error is a sentence for the field.
func ParseStatus(s string) (Status, error) {
	switch status := Status(s); status {
	case Invited, Active, Suspended:
		return status, nil
	}
	return "", sentence("Choose invited, active or suspended.")
}

// Fold brings text into the form in which it is sorted and searched: without
// accents, without case.
func Fold(s string) string {
	if isASCII(s) { // most text is, and none of it has accents
		return strings.ToLower(s)
	}
	unaccent := transform.Chain(norm.NFKD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
	folded, _, err := transform.String(unaccent, s)
	if err != nil {
		folded = s
	}
	return strings.ToLower(folded)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

// SortName is what the list sorts a person by: the folded name, or the address
// of somebody without one, or with nothing but accents in it. It is not empty.
func (u User) SortName() string {
	if key := strings.TrimSpace(cut(Fold(u.Name), MaxName)); key != "" {
		return key
	}
	return u.Email.Key
}

// Words returns what a search finds the person by: each word of the name, whole
// and in its parts (o'brien, o, brien), the address and its domain, as typed and
// in their compared form, and their parts. Sorted, without repetition.
func (u User) Words() []string {
	typed := Fold(u.Email.Typed)
	_, typedDomain, _ := strings.Cut(typed, "@")
	whole := append(strings.Fields(Fold(u.Name)), u.Email.Key, u.Email.Domain(), typed, typedDomain)
	words := slices.Clone(whole)
	for _, w := range whole {
		words = append(words, strings.FieldsFunc(w, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) })...)
	}
	for i, w := range words {
		words[i] = cut(w, maxWord)
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// ParseSearch splits what was typed into the search field into terms, each the
// start of a word; a person is found by all of them together. The error is a
// sentence for the field.
func ParseSearch(s string) ([]string, error) {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > MaxSearch {
		return nil, sentence(fmt.Sprintf("Search with at most %d characters.", MaxSearch))
	}
	terms := strings.Fields(Fold(s))
	if len(terms) > MaxTerms {
		return nil, sentence(fmt.Sprintf("Search with at most %d words.", MaxTerms))
	}
	for i, t := range terms {
		terms[i] = cut(t, maxWord)
	}
	return terms, nil
}

// cut returns the first n characters.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
