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

// ParseName returns a name as typed, in any language, without surrounding space and
// invisible characters (text.Name). The result may be empty. The error is a message for
// the field.
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

// isControl includes the separators that some programs treat as a line break.
func isControl(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

const errRole = fieldError("Choose admin or member.")

// ParseRole parses a role. Empty text is Member. The error is a message for the field.
func ParseRole(s string) (Role, error) {
	switch Role(s) {
	case "", Member:
		return Member, nil
	case Admin:
		return Admin, nil
	}
	return "", errRole
}

// ParseStatus parses a status. The error is a message for the field.
func ParseStatus(s string) (Status, error) {
	switch status := Status(s); status {
	case Invited, Active, Suspended:
		return status, nil
	}
	return "", fieldError("Choose invited, active or suspended.")
}
