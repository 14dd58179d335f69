package directory

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/guestlist/guestlist/internal/text"
)

// MaxName is the length of the longest name, in characters.
const MaxName = 100

// ParseName returns a name as typed, in any language, without surrounding space
// and invisible characters (text.Name). A name of which nothing can be seen is
// empty, which is fine. The error is a sentence for the field.
func ParseName(s string) (string, error) {
	if !utf8.ValidString(s) || strings.ContainsFunc(strings.TrimSpace(text.Clean(s)), isControl) {
		return "", fieldError("Use letters, digits and punctuation only.")
	}
	name := text.Name(s)
	if utf8.RuneCountInString(name) > MaxName {
		return "", fieldError(fmt.Sprintf("Use at most %d characters.", MaxName))
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
	return "", fieldError("Choose admin or member.")
}

// ParseStatus returns the status of that name. The error is a sentence for the field.
func ParseStatus(s string) (Status, error) {
	switch status := Status(s); status {
	case Invited, Active, Suspended:
		return status, nil
	}
	return "", fieldError("Choose invited, active or suspended.")
}
