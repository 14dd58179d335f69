package factor

import (
	"errors"
	"strings"
)

// ErrRecoveryCode is returned for a text that has not the form of a recovery code.
var ErrRecoveryCode = errors.New("recovery code has another form")

// ParseRecoveryCode returns a typed recovery code in Stytch's form, three groups of four
// lower-case letters and digits: ab12-cd34-ef56. Spaces, hyphens and case don't matter.
func ParseRecoveryCode(typed string) (string, error) {
	code := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r == '-' || r == ' ' || r == '\u00a0' || r == '\t':
			return -1
		}
		return '?'
	}, strings.ToLower(strings.TrimSpace(typed)))
	if len(code) != 12 || strings.Contains(code, "?") {
		return "", ErrRecoveryCode
	}
	return code[:4] + "-" + code[4:8] + "-" + code[8:], nil
}
