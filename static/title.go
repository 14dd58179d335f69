package static

import "regexp"

// signIn matches the word sign-in.
var signIn = regexp.MustCompile(`(?i)\bsign-in\b`)

// TitlePart is a part of a title.
type TitlePart struct {
	Text  string
	Whole bool // no line ends within it
}

// TitleParts splits a title, so that no line ends at the hyphen of sign-in: on a phone, a
// heading has only a few words on each line.
func TitleParts(title string) []TitlePart {
	var parts []TitlePart
	done := 0
	for _, at := range signIn.FindAllStringIndex(title, -1) {
		parts = append(parts, TitlePart{Text: title[done:at[0]]}, TitlePart{Text: title[at[0]:at[1]], Whole: true})
		done = at[1]
	}
	return append(parts, TitlePart{Text: title[done:]})
}
